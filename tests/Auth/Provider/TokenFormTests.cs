using System.Net;
using System.Text.Json.Nodes;

namespace MinimalMcp.Tests.Auth.Provider;

/// <summary>What the tokens of well-known providers may do here, in the form in which each of them writes it.</summary>
public sealed class TokenFormTests(TokenFormTests.Server server) : IClassFixture<TokenFormTests.Server>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    // A person's consent is what scope and scp say. Roles and permissions never widen it, and alone they count where
    // there is none.
    public static TheoryData<string, string, string> Tokens =>
        new()
        {
            // Keycloak 26: every token has scope, and the roles of the realm beside it.
            {
                "Keycloak, a person who is an admin",
                """{"typ":"Bearer","scope":"openid mcp:read","realm_access":{"roles":"""
                    + """["offline_access","mcp:admin"]}}""",
                "read"
            },
            {
                "Keycloak, a person without a role of ours",
                """{"typ":"Bearer","scope":"openid mcp:read mcp:write","realm_access":{"roles":"""
                    + """["uma_authorization"]}}""",
                "write"
            },
            {
                "Keycloak, a person whose roles allow less",
                """{"typ":"Bearer","scope":"openid mcp:admin","realm_access":{"roles":["mcp:read"]}}""",
                "read"
            },
            {
                "Keycloak, a person who consented to nothing of ours",
                """{"typ":"Bearer","scope":"openid email profile","realm_access":{"roles":["mcp:admin"]}}""",
                "nothing"
            },
            {
                "Keycloak, a service account",
                """{"typ":"Bearer","client_id":"job","scope":"email mcp:write","realm_access":{"roles":"""
                    + """["mcp:write"]}}""",
                "write"
            },
            {
                "Keycloak, roles of another client",
                """{"typ":"Bearer","scope":"openid mcp:read","resource_access":{"other":{"roles":["mcp:admin"]}}}""",
                "read"
            },
            {
                "Keycloak, roles of this server",
                """{"typ":"Bearer","scope":"mcp:write","resource_access":{"https://tools.example":{"roles":"""
                    + """["mcp:read"]}}}""",
                "read"
            },
            {
                "Authentik, groups that allow less",
                """{"scope":"openid mcp:write","groups":["people","mcp:read"]}""",
                "read"
            },
            // Entra: scp for people, roles for machines; both when a person has an app role.
            { "Entra, a person", """{"ver":"2.0","azp":"app","scp":"mcp:read"}""", "read" },
            {
                "Entra, a person with an app role",
                """{"ver":"2.0","azp":"app","scp":"mcp:read","roles":["mcp:admin"]}""",
                "read"
            },
            {
                "Entra, a person whose role allows less",
                """{"ver":"2.0","azp":"app","scp":"mcp:read mcp:execute","roles":["mcp:write"]}""",
                "write"
            },
            {
                "Entra, a person and a scope that is not ours",
                """{"ver":"2.0","azp":"app","scp":"access_as_user","roles":["mcp:admin"]}""",
                "nothing"
            },
            { "Entra, a machine", """{"ver":"2.0","azp":"job","roles":["mcp:write"]}""", "write" },
            { "Entra, a machine of version 1", """{"ver":"1.0","appid":"job","roles":["mcp:read"]}""", "read" },
            // Auth0: scope, and with RBAC the permissions that the person has.
            {
                "Auth0, a person",
                """{"azp":"spa","scope":"openid profile mcp:read","permissions":"""
                    + """["mcp:read","mcp:write","mcp:admin"]}""",
                "read"
            },
            {
                "Auth0, a person with fewer permissions",
                """{"azp":"spa","scope":"openid mcp:read mcp:write","permissions":["mcp:read"]}""",
                "read"
            },
            {
                "Auth0, a machine",
                """{"azp":"m2m","scope":"mcp:read mcp:write","permissions":["mcp:read","mcp:write"]}""",
                "write"
            },
            {
                "Auth0, permissions alone",
                """{"azp":"m2m","gty":"client-credentials","permissions":["mcp:execute"]}""",
                "execute"
            },
            // Okta: scp is an array.
            { "Okta, a person", """{"cid":"web","uid":"00u1","scp":["openid","mcp:write"]}""", "write" },
            {
                "Okta, a person in a group of admins",
                """{"cid":"web","uid":"00u1","scp":["openid","mcp:read"],"groups":["mcp:admin"],"roles":"""
                    + """["mcp:admin"]}""",
                "read"
            },
            { "Okta, a machine", """{"cid":"job","scp":["mcp:admin"]}""", "admin" },
            // Whatever form the consent has: where there is one, roles do not take its place.
            { "an empty scope", """{"azp":"app","scope":"","roles":["mcp:admin"]}""", "nothing" },
            { "an empty list", """{"azp":"app","scp":[],"roles":["mcp:admin"]}""", "nothing" },
            { "a scope that is no text", """{"azp":"app","scope":7,"roles":["mcp:admin"]}""", "nothing" },
            { "a scope that is null", """{"azp":"app","scope":null,"roles":["mcp:admin"]}""", "nothing" },
        };

    [Theory, MemberData(nameof(Tokens))]
    public async Task A_token_may_do_what_was_consented_to_and_never_more(string form, string claims, string expected)
    {
        Assert.NotEmpty(form);
        var token = server.Token(JsonNode.Parse(claims)!.AsObject());

        Assert.Equal(expected, await LevelAsync(token));
    }

    [Theory]
    [InlineData("""{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}""")] // RFC 9449
    [InlineData("""{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}""")] // RFC 8705
    [InlineData("""{"jwk":{"kty":"EC"}}""")] // RFC 7800
    [InlineData("{}")]
    public async Task A_token_that_is_bound_to_a_key_is_no_bearer_token(string confirmation)
    {
        var token = server.Token(new() { ["scope"] = "mcp:read", ["cnf"] = JsonNode.Parse(confirmation) });

        using var refused = await server.Strict.PostAsync(
            "/tools/list_picked",
            "{}",
            headers: ("Authorization", "Bearer " + token)
        );
        using var accepted = await server.Lenient.PostAsync(
            "/tools/list_picked",
            "{}",
            headers: ("Authorization", "Bearer " + token)
        );

        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK), (refused.StatusCode, accepted.StatusCode));
        Assert.Contains("bound to a key of its client (cnf)", await refused.Content.ReadAsStringAsync(Stop));
    }

    // By what it may do, the largest first.
    private async Task<string> LevelAsync(string token)
    {
        foreach (
            var (level, method, path, body) in ((string, string, string, string)[])
                [
                    ("admin", "GET", "/api/v1/audit", ""),
                    ("execute", "POST", "/tools/share_notes", """{"audience":"Team","dry_run":true}"""),
                    ("write", "POST", "/tools/pick_note", """{"code":"milk"}"""),
                    ("read", "POST", "/tools/list_picked", "{}"),
                ]
        )
        {
            using var request = new HttpRequestMessage(new(method), path);
            request.Headers.Authorization = new("Bearer", token);
            request.Content =
                body.Length == 0 ? null : new StringContent(body, System.Text.Encoding.UTF8, "application/json");
            using var answer = await server.Strict.Http.SendAsync(request, Stop);
            Assert.NotEqual(HttpStatusCode.Unauthorized, answer.StatusCode);
            if (answer.StatusCode is not HttpStatusCode.Forbidden)
            {
                return level;
            }
        }

        return "nothing";
    }

    public sealed class Server : IAsyncLifetime
    {
        private readonly TestKey _key = TestKey.New("first", "RS256");
        private FakeProvider? _provider;

        internal TestServer Strict { get; private set; } = null!;

        internal TestServer Lenient { get; private set; } = null!;

        internal string Token(JsonObject claims)
        {
            var forge = new Forge(_provider!.Issuer, _key);
            var said = forge.Claims();
            said.Remove("azp");
            said.Remove("scope");
            foreach (var (name, value) in claims)
            {
                said[name] = value?.DeepClone();
            }

            return forge.Sign(forge.Header(), said);
        }

        public async ValueTask InitializeAsync()
        {
            _provider = await FakeProvider.StartAsync(0, _key);
            (Strict, Lenient) = (Start(), Start(("Auth:Provider:AcceptBoundTokens", "true")));
        }

        public async ValueTask DisposeAsync()
        {
            await Strict.DisposeAsync();
            await Lenient.DisposeAsync();
            await _provider!.DisposeAsync();
        }

        private TestServer Start(params (string, string)[] settings) =>
            TestServer.Start(
                NotesTools.Alone,
                [
                    ("Auth:Mode", "oauth2"),
                    ("Auth:Provider:Issuer", _provider!.Issuer),
                    ("Auth:Provider:Audience", Forge.Audience),
                    .. settings,
                ]
            );
    }
}
