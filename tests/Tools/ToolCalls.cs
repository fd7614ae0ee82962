using System.Text.Json;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Tools;

internal static class ToolCalls
{
    /// <summary>
    /// Calls a tool over REST, as a caller of its own when one is named, and gives the value; another status fails the
    /// test.
    /// </summary>
    public static async Task<JsonElement> CallAsync(
        this TestServer server,
        string tool,
        object? arguments = null,
        string? caller = null,
        int status = 200
    )
    {
        var headers = caller is null ? [] : new (string, string)[] { (TestCaller.Header, caller) };
        using var response = await server.PostAsync(
            "/tools/" + tool,
            JsonSerializer.Serialize(arguments ?? new { }),
            headers: headers
        );
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(status == (int)response.StatusCode, $"{tool}: {(int)response.StatusCode} {body}");
        return JsonElement.Parse(body);
    }

    /// <summary>Calls a tool over MCP with a progress token: what it reported, in order, and its result.</summary>
    public static async Task<((string Count, string Message)[] Steps, JsonElement Result)> CallWithProgressAsync(
        this TestServer server,
        string tool,
        object arguments
    )
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                jsonrpc = "2.0",
                id = 1,
                method = "tools/call",
                @params = new
                {
                    name = tool,
                    arguments,
                    _meta = new { progressToken = "t" },
                },
            }
        );
        using var response = await server.ResponseAsync("/mcp", body, ("MCP-Protocol-Version", "2025-11-25"));
        using var events = new Events(response);
        var steps = new List<(string, string)>();
        while (true)
        {
            var message = await events.MessageAsync();
            if (message.TryGetProperty("result", out var result))
            {
                return ([.. steps], result);
            }

            var progress = message.GetProperty("params");
            Assert.Equal("notifications/progress", message.GetProperty("method").GetString());
            Assert.Equal("t", progress.GetProperty("progressToken").GetString());
            var count = $"{progress.GetProperty("progress")} of {progress.GetProperty("total")}";
            steps.Add((count, progress.GetProperty("message").GetString()!));
        }
    }

    /// <summary>Calls a tool that fails, and gives the sentence that says why.</summary>
    public static async Task<string> FailAsync(
        this TestServer server,
        int status,
        string tool,
        object? arguments = null,
        string? caller = null
    ) => (await server.CallAsync(tool, arguments, caller, status)).GetProperty("detail").GetString()!;
}
