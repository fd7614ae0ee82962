using System.Text.Json;

namespace MinimalMcp.Tests.Tools;

internal static class ToolCalls
{
    /// <summary>Calls a tool over REST, as a caller of its own when one is named, and gives the value; another status fails the test.</summary>
    public static async Task<JsonElement> CallAsync(this TestServer server, string tool, object? arguments = null, string? caller = null, int status = 200)
    {
        var headers = caller is null ? [] : new (string, string)[] { (TestCaller.Header, caller) };
        using var response = await server.PostAsync("/tools/" + tool, JsonSerializer.Serialize(arguments ?? new { }), headers: headers);
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(status == (int)response.StatusCode, $"{tool}: {(int)response.StatusCode} {body}");
        return JsonElement.Parse(body);
    }

    /// <summary>Calls a tool that fails, and gives the sentence that says why.</summary>
    public static async Task<string> FailAsync(this TestServer server, int status, string tool, object? arguments = null, string? caller = null) =>
        (await server.CallAsync(tool, arguments, caller, status)).GetProperty("detail").GetString()!;
}
