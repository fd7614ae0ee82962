using System.Net;
using System.Text.Json;

namespace MinimalMcp.Tests.Auth.Server;

/// <summary>What a client may do by itself, where nobody consents, and how its secret is replaced.</summary>
public sealed class ClientCredentialsTests
{
    private const string Next = "gpt-action-next-58c0b2e96f4d17a3c8e5";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null, null, "mcp:read")]
    [InlineData(null, "mcp:read mcp:write mcp:execute mcp:admin", "mcp:read")]
    [InlineData(null, "mcp:admin", null)]
    [InlineData(null, "mcp:write", null)]
    [InlineData("mcp:read mcp:write", null, "mcp:read mcp:write")]
    [InlineData("mcp:read mcp:write", "mcp:write mcp:admin", "mcp:write")]
    [InlineData("mcp:read mcp:write", "mcp:admin", null)]
    [InlineData("mcp:admin", "mcp:admin", "mcp:admin")] // the operator says so
    public async Task A_client_by_itself_reads_unless_the_operator_says_more(
        string? entered,
        string? asked,
        string? granted
    )
    {
        await using var oauth = OAuthServer.Start(entered is null ? [] : [("Auth:Server:Scope", entered)]);

        using var answer = await AskAsync(oauth, asked);

        var json = await OAuthServer.JsonAsync(answer);
        Assert.Equal(granted is null ? HttpStatusCode.BadRequest : HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(granted ?? "invalid_scope", json.GetProperty(granted is null ? "error" : "scope").GetString());
    }

    [Theory]
    [InlineData("embedded")]
    [InlineData("hybrid")]
    [InlineData("mixed")]
    public async Task Its_token_neither_reads_the_audit_nor_approves(string mode)
    {
        await using var oauth = OAuthServer.Start(
            ("Auth:Mode", mode),
            ("Governance:Approve", "pick_note"),
            ("Auth:Server:Clients:writer:Secret", Next),
            ("Auth:Server:Clients:writer:Scope", "mcp:write")
        );
        using var writer = await oauth.PostFormAsync(
            "/auth/token",
            [("grant_type", "client_credentials")],
            OAuthServer.Basic("writer", Next)
        );
        using var reader = await AskAsync(oauth, "mcp:read mcp:admin");
        var token = (await OAuthServer.JsonAsync(reader)).GetProperty("access_token").GetString()!;
        using var asked = await oauth.PostJsonAsync(
            "/tools/pick_note",
            """{"code":"milk"}""",
            Bearer((await OAuthServer.JsonAsync(writer)).GetProperty("access_token").GetString()!)
        );
        Assert.Equal(HttpStatusCode.Accepted, asked.StatusCode);

        foreach (var path in (string[])["/api/v1/audit", "/api/v1/approvals", "/diagnostics"])
        {
            using var answer = await oauth.GetAsync(path, Bearer(token));
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }

        Assert.Equal(HttpStatusCode.Forbidden, await oauth.CallAsync(token, "pick_note", """{"code":"milk"}"""));
        Assert.Equal(HttpStatusCode.OK, await oauth.CallAsync(token));
    }

    [Fact]
    public async Task A_person_gives_a_client_no_more_than_the_person_has()
    {
        await using var oauth = OAuthServer.Start(
            ("Auth:ApiKeys:writer:Key", Next),
            ("Auth:ApiKeys:writer:Scopes", "mcp:read mcp:write")
        );

        var tokens = await oauth.SignInAsync("public", Next, ("scope", "mcp:read mcp:write mcp:execute mcp:admin"));

        Assert.Equal("mcp:read mcp:write", tokens.GetProperty("scope").GetString());
        using var audit = await oauth.GetAsync(
            "/api/v1/audit",
            Bearer(tokens.GetProperty("access_token").GetString()!)
        );
        Assert.Equal(HttpStatusCode.Forbidden, audit.StatusCode);
    }

    [Theory]
    [InlineData("/auth/token")]
    [InlineData("/auth/introspect")]
    [InlineData("/auth/revoke")]
    public async Task Both_secrets_of_a_client_are_good_while_one_replaces_the_other(string path)
    {
        await using var oauth = OAuthServer.Start(("Auth:Server:NextClientSecret", Next));
        foreach (
            var (secret, status) in ((string, HttpStatusCode)[])
                [
                    (OAuthServer.Secret, HttpStatusCode.OK),
                    (Next, HttpStatusCode.OK),
                    (Next + "x", HttpStatusCode.Unauthorized),
                ]
        )
        {
            using var basic = await oauth.PostFormAsync(
                path,
                [("grant_type", "client_credentials"), ("token", "x")],
                OAuthServer.Basic("gpt-action", secret)
            );
            using var posted = await oauth.PostFormAsync(
                path,
                [
                    ("grant_type", "client_credentials"),
                    ("token", "x"),
                    ("client_id", "gpt-action"),
                    ("client_secret", secret),
                ]
            );
            Assert.Equal((status, status), (basic.StatusCode, posted.StatusCode));
        }
    }

    [Theory]
    [InlineData("GET", "/auth/token", "POST")]
    [InlineData("PUT", "/auth/token", "POST")]
    [InlineData("GET", "/auth/register", "POST")]
    [InlineData("GET", "/auth/revoke", "POST")]
    [InlineData("GET", "/auth/introspect", "POST")]
    [InlineData("POST", "/auth/jwks", "GET, HEAD")]
    [InlineData("POST", "/auth/callback", "GET, HEAD")]
    [InlineData("DELETE", "/auth/authorize", "GET, HEAD, POST")]
    [InlineData("DELETE", "/auth/userinfo", "GET, POST")]
    public async Task Another_method_is_405_and_not_a_question_for_a_credential(
        string method,
        string path,
        string allowed
    )
    {
        await using var oauth = OAuthServer.Start();

        using var answer = await oauth.SendAsync(new(new HttpMethod(method), path));

        Assert.Equal(
            (HttpStatusCode.MethodNotAllowed, allowed),
            (answer.StatusCode, string.Join(", ", answer.Content.Headers.Allow))
        );
        Assert.Empty(answer.Headers.WwwAuthenticate);
    }

    [Fact]
    public async Task A_registration_with_members_that_no_standard_knows_is_what_it_would_be_without_them()
    {
        await using var oauth = OAuthServer.Start();

        using var answer = await oauth.PostJsonAsync(
            "/auth/register",
            JsonSerializer.Serialize(
                new
                {
                    redirect_uris = new[] { OAuthServer.ChatGpt },
                    token_endpoint_auth_methods_supported = new[] { "none" },
                    something_else = 1,
                }
            )
        );

        var json = await OAuthServer.JsonAsync(answer);
        // RFC 7591 section 2.
        Assert.Equal("client_secret_basic", json.GetProperty("token_endpoint_auth_method").GetString());
        Assert.True(json.TryGetProperty("client_secret", out _));
        Assert.False(json.TryGetProperty("something_else", out _));
        using var without = await oauth.PostFormAsync(
            "/auth/token",
            [
                ("grant_type", "authorization_code"),
                ("client_id", json.GetProperty("client_id").GetString()!),
                ("code", "x"),
            ]
        );
        Assert.Equal("invalid_client", (await OAuthServer.JsonAsync(without)).GetProperty("error").GetString());
    }

    private static Task<HttpResponseMessage> AskAsync(OAuthServer oauth, string? scope) =>
        oauth.PostFormAsync(
            "/auth/token",
            [("grant_type", "client_credentials"), .. scope is null ? [] : new[] { ("scope", scope) }],
            OAuthServer.Basic("gpt-action", OAuthServer.Secret)
        );

    private static (string, string) Bearer(string token) => ("Authorization", "Bearer " + token);
}
