using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Tools;

/// <summary>A server without any family: what a project has before its first tool.</summary>
public sealed class NoFamilyTests
{
    [Fact]
    public async Task Every_list_is_empty_and_every_document_is_there()
    {
        await using var server = TestServer.Start(Families.TakeOut);

        Assert.All(
            await ToolNames.OfAsync(server, "/tools", "/api/mcp/v1/tools", "/openapi.json", "/health", "/mcp"),
            Assert.Empty
        );
        Assert.Equal("running", (await server.GetJsonAsync("/status")).GetProperty("status").GetString());
        Assert.Equal(
            "v1",
            (await server.GetJsonAsync("/.well-known/ai-plugin.json")).GetProperty("schema_version").GetString()
        );
        Assert.Equal("Unknown tool 'anything'. This server has no tools.", await server.FailAsync(404, "anything"));
    }

    [Fact]
    public async Task The_banner_says_what_to_do()
    {
        await using var server = ServerProcess.Start(["--stdio"], ProgramTools.None);

        var (exitCode, _, errors) = await server.EndAsync();

        Assert.Equal(0, exitCode);
        Assert.Contains("[McpServerToolType] below Tools/", errors);
    }
}
