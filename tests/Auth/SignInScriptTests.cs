using MinimalMcp.Tests.Monitoring;
using MinimalMcp.Tests.Scripts;

namespace MinimalMcp.Tests.Auth;

/// <summary>
/// scripts/test-chatgpt-endpoints.sh where people sign in, and what the console shows of it afterwards.
/// </summary>
[Slow]
public sealed class SignInScriptTests
{
    [Theory]
    [InlineData(
        "embedded",
        "",
        0,
        null,
        "✅ OAuth Challenge (401, metadata at https://mcp.example.com/.well-known/oauth-protected-resource/mcp)",
        "⚠️  Calls: none was tried"
    )]
    [InlineData(
        "embedded",
        "ann.admin.x",
        0,
        "oauth",
        "✅ OpenID Connect Discovery",
        "✅ OAuth Protected Resource Metadata",
        "✅ OAuth Authorization Server Metadata (issuer https://mcp.example.com)",
        "✅ MCP Tool Call (get_topics)",
        "✅ Function Calling (6 functions)"
    )]
    [InlineData("embedded", "expired.admin.x", 1, null, "❌ Access Token: HTTP 401, The token has expired.")]
    [InlineData("hybrid", Modes.Key, 0, "api_key", "✅ OAuth Challenge (401", "✅ REST Tool Call")]
    [InlineData(
        "mixed",
        "",
        0,
        "none",
        "✅ OAuth Challenge (mixed: who has not signed in may read)",
        "✅ MCP Tool List (6 tools)",
        "✅ MCP Tool Call (get_topics)"
    )]
    public async Task The_check_looks_at_what_a_host_signs_in_by(
        string mode,
        string token,
        int expected,
        string? shown,
        params string[] lines
    )
    {
        await using var server = Modes.Start(mode, ("Server:PublicUrl", "https://mcp.example.com"));

        var (exitCode, output, errors) = await Shell.RunAsync(
            $"scripts/test-chatgpt-endpoints.sh {server.BaseUrl}",
            ("MCP_ACCESS_TOKEN", token)
        );

        Assert.True(exitCode == expected, output + errors);
        Assert.All(lines, line => Assert.Contains(line, output));
        Assert.Equal("", errors);
        await ShownAsync(server, mode == "hybrid" ? Modes.Key : "boss.read+admin.x", shown);
    }

    // Exactly what the script did: the session that it opened, and its two calls.
    private static async Task ShownAsync(TestServer server, string key, string? type)
    {
        string[] expected = type is null
            ? []
            :
            [
                $"{type} test-chatgpt-endpoints http 2025-11-25 0 session",
                $"{type} - http 2025-03-26 1 caller",
                $"{type} - rest - 1 caller",
            ];
        var sessions = await ShownActivity.SessionsAsync(server, key);
        Assert.Equal(expected.Order(), sessions.Select(ShownActivity.Line).Order());
        var events = await ShownActivity.ActivityAsync(server, key, events => events.Length >= expected.Length);
        Assert.Equal(
            type is null
                ? []
                :
                [
                    "Session opened by test-chatgpt-endpoints 1 http",
                    "get_topics called http",
                    "get_topics called rest",
                ],
            events
                .Where(one => ShownActivity.Text(one, "type") != "sign_in")
                .Select(one =>
                    $"{ShownActivity.Text(one, "title")} " + ShownActivity.Text(one.GetProperty("metadata"), "surface")
                )
        );
    }
}
