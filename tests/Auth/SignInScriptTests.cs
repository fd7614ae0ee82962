using MinimalMcp.Tests.Scripts;

namespace MinimalMcp.Tests.Auth;

/// <summary>scripts/test-chatgpt-endpoints.sh where people sign in.</summary>
[Slow]
public sealed class SignInScriptTests
{
    [Theory]
    [InlineData(
        "embedded",
        "",
        0,
        "✅ OAuth Challenge (401, metadata at https://mcp.example.com/.well-known/oauth-protected-resource/mcp)",
        "⚠️  Calls: none was tried"
    )]
    [InlineData(
        "embedded",
        "ann.admin.x",
        0,
        "✅ OpenID Connect Discovery",
        "✅ OAuth Protected Resource Metadata",
        "✅ OAuth Authorization Server Metadata (issuer https://mcp.example.com)",
        "✅ MCP Tool Call (get_topics)",
        "✅ Function Calling (6 functions)"
    )]
    [InlineData("embedded", "expired.admin.x", 1, "❌ Access Token: HTTP 401, The token has expired.")]
    [InlineData("hybrid", Modes.Key, 0, "✅ OAuth Challenge (401", "✅ REST Tool Call")]
    [InlineData(
        "mixed",
        "",
        0,
        "✅ OAuth Challenge (mixed: who has not signed in may read)",
        "✅ MCP Tool List (6 tools)",
        "✅ MCP Tool Call (get_topics)"
    )]
    public async Task The_check_looks_at_what_a_host_signs_in_by(
        string mode,
        string token,
        int expected,
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
    }
}
