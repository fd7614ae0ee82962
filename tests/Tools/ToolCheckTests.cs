using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tools;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tests.Tools;

public sealed class ToolCheckTests
{
    [Fact]
    public async Task A_tool_that_cannot_be_made_is_taken_off_the_list_and_does_not_break_the_others()
    {
        await using var server = TestServer.Start(services =>
        {
            NotesTools.Alone(services);
            services.AddSingleton(new ToolType(typeof(BrokenTool)));
        });
        var registry = server.Services.GetRequiredService<ToolRegistry>();
        var gone = new TaskCompletionSource();
        registry.Changed += () => gone.TrySetResult();

        if (registry.Current.Find("broken") is not null)
        {
            await Wait.Soon(gone.Task);
        }

        var listed = (await server.McpAsync("tools/list"))
            .Result.GetProperty("tools")
            .EnumerateArray()
            .Select(tool => tool.GetProperty("name").GetString());
        Assert.DoesNotContain("broken", listed);
        Assert.Contains("find_notes", listed);
    }

    private sealed class BrokenTool(BrokenTool.NobodyRegisteredThis missing)
    {
        [McpServerTool(Name = "broken", ReadOnly = true)]
        public string Broken() => missing.ToString()!;

        public sealed class NobodyRegisteredThis;
    }
}
