using System.Net;
using System.Text.Json.Nodes;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Auth.Provider;

/// <summary>
/// What the settings of the guide say about tokens, and what they are told when they cannot mean what they say.
/// </summary>
[Slow]
public sealed class ProviderSettingsTests
{
    private const string Guid = FakeEntra.Tenant,
        Scoped = "mcp:read mcp:write";

    [Fact]
    public async Task The_guides_own_settings_walk_into_the_trap_of_Entras_two_versions_and_are_told_the_way_out()
    {
        await using var entra = await FakeEntra.StartAsync();

        var errors = await StartAndFailAsync(
            ("OAUTH2_ISSUER", FakeEntra.V2),
            ("OAUTH2_OPENID_CONFIG_URL", entra.V1Config),
            ("OAUTH2_AUDIENCE", FakeEntra.ClientId)
        );

        Assert.Contains(
            $"Auth:Provider:Issuer (OAUTH2_ISSUER) is '{FakeEntra.V2}', but the document at {entra.V1Config} has "
                + $"the issuer '{FakeEntra.V1}'.",
            errors
        );
        Assert.Contains(
            "That is Entra's version 1.0 document, but the issuer is of version 2.0. Set "
                + "OAUTH2_OPENID_CONFIG_URL to "
                + $"https://login.microsoftonline.com/{Guid}/v2.0/.well-known/openid-configuration.",
            errors
        );
        Assert.Contains($"set OAUTH2_ISSUER to '{FakeEntra.V2},{FakeEntra.V1}' to accept both", errors);
    }

    [Theory]
    [InlineData(FakeEntra.V1, "v2", "That is Entra's version 2.0 document, but the issuer is of version 1.0")]
    [InlineData(FakeEntra.V2 + "/", "v2", "They differ only in the trailing slash")]
    [InlineData("https://login.example", "v2", "Tokens have the document's issuer")]
    [InlineData(FakeEntra.V2, "jwks", "has the issuer ''")]
    public async Task Another_issuers_document_is_found_at_the_start(string issuer, string document, string expected)
    {
        await using var entra = await FakeEntra.StartAsync();

        var errors = await StartAndFailAsync(
            ("OAUTH2_ISSUER", issuer),
            ("OAUTH2_OPENID_CONFIG_URL", document is "v2" ? entra.V2Config : entra.Url + "/jwks"),
            ("OAUTH2_AUDIENCE", "us")
        );

        Assert.Contains(expected, errors);
    }

    [Theory]
    [InlineData(
        "Auth:Provider:Issuer (OAUTH2_ISSUER) is not set",
        "OAUTH2_JWKS_URI=https://login.example/keys",
        "OAUTH2_AUDIENCE=us"
    )]
    [InlineData(
        "Auth:Provider:Audience (OAUTH2_AUDIENCE) is not set",
        "OAUTH2_ISSUER=https://login.example",
        "OAUTH2_JWKS_URI=https://login.example/keys"
    )]
    [InlineData(
        "JwksUri (OAUTH2_JWKS_URI) is 'http://login.example/keys'; it must be an absolute https URL",
        "OAUTH2_ISSUER=https://login.example",
        "OAUTH2_AUDIENCE=us",
        "OAUTH2_JWKS_URI=http://login.example/keys"
    )]
    [InlineData(
        "Algorithms has 'HS256'",
        "OAUTH2_ISSUER=https://login.example",
        "OAUTH2_AUDIENCE=us",
        "Auth__Provider__Algorithms=RS256 HS256"
    )]
    [InlineData(
        "Auth:Provider:Tenants",
        "OAUTH2_ISSUER=https://login.microsoftonline.com/{tenantid}/v2.0",
        "OAUTH2_AUDIENCE=us"
    )]
    [InlineData(
        "has 'admin'; a pair is THEIRS=OURS",
        "OAUTH2_ISSUER=https://login.example",
        "OAUTH2_AUDIENCE=us",
        "Auth__Provider__ScopeMap=Mcp.Admin=admin"
    )]
    public async Task A_setting_that_cannot_work_refuses_to_start(string expected, params string[] variables) =>
        Assert.Contains(
            expected,
            await StartAndFailAsync([
                .. variables.Select(variable =>
                    variable.Split('=', 2) is [var name, var value] ? (name, value) : default
                ),
            ])
        );

    [Fact]
    public async Task Tokens_of_both_versions_of_a_tenant_open_when_both_issuers_are_set()
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var server = Start(
            entra,
            ("Auth:Provider:Issuer", $"{FakeEntra.V2},{FakeEntra.V1}"),
            ("Auth:Provider:ConfigUrl", entra.V2Config),
            ("Auth:Provider:Audience", $"{FakeEntra.ClientId} api://tools"),
            ("Auth:Provider:AllowedClients", "app-1, app-2")
        );

        Assert.Equal(
            HttpStatusCode.OK,
            await CallAsync(
                server,
                Token(entra, FakeEntra.V2, ("aud", FakeEntra.ClientId), ("azp", "app-1"), ("scp", Scoped))
            )
        );
        Assert.Equal(
            HttpStatusCode.OK,
            await CallAsync(
                server,
                Token(entra, FakeEntra.V1, ("aud", "api://tools"), ("appid", "app-2"), ("scp", Scoped))
            )
        );
        Assert.Equal(
            HttpStatusCode.OK,
            await CallAsync(
                server,
                Token(
                    entra,
                    FakeEntra.V1,
                    ("aud", "api://tools"),
                    ("appid", "app-2"),
                    ("roles", new JsonArray("mcp:read"))
                )
            )
        ); // client credentials
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            await CallAsync(
                server,
                Token(
                    entra,
                    FakeEntra.V1.Replace("1111", "2222", StringComparison.Ordinal),
                    ("aud", "api://tools"),
                    ("scp", Scoped)
                )
            )
        );
    }

    [Fact]
    public async Task A_client_that_is_not_on_the_list_is_told_the_rule_and_not_the_list()
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var server = Start(entra, ("Auth:Provider:AllowedClients", "app-1,app-2"));

        using var answer = await SendAsync(
            server,
            Token(entra, FakeEntra.V2, ("aud", FakeEntra.ClientId), ("azp", "app-3"), ("scp", Scoped))
        );
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains("ALLOWED_MCP_CLIENTS", text);
        Assert.DoesNotContain("app-1", text);
        Assert.DoesNotContain("insufficient_scope", text + answer.Headers.WwwAuthenticate);
        Assert.Equal(
            HttpStatusCode.Forbidden,
            await CallAsync(server, Token(entra, FakeEntra.V2, ("aud", FakeEntra.ClientId), ("scp", Scoped)))
        ); // no client at all
        Assert.Equal(
            HttpStatusCode.OK,
            await CallAsync(
                server,
                Token(entra, FakeEntra.V2, ("aud", FakeEntra.ClientId), ("azp", "app-2"), ("scp", Scoped))
            )
        );
    }

    [Theory]
    [InlineData("mcp:read,mcp:execute", "scp", "mcp:read", HttpStatusCode.Forbidden)]
    [InlineData("mcp:read,mcp:execute", "scp", "mcp:read mcp:execute", HttpStatusCode.OK)]
    [InlineData("mcp:read,mcp:execute", "roles", "mcp:read mcp:execute", HttpStatusCode.OK)]
    [InlineData("mcp:read", "scp", "api://tools/mcp:read", HttpStatusCode.OK)]
    [InlineData("Mcp.Use", "roles", "Mcp.Use mcp:read", HttpStatusCode.OK)]
    public async Task Every_required_scope_or_role_must_be_there(
        string required,
        string claim,
        string granted,
        HttpStatusCode expected
    )
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var server = Start(entra, ("Auth:Provider:RequiredScopes", required));
        JsonNode value = claim is "roles"
            ? new JsonArray([.. granted.Split(' ').Select(role => JsonValue.Create(role))])
            : granted;

        using var answer = await SendAsync(
            server,
            Token(entra, FakeEntra.V2, ("aud", FakeEntra.ClientId), (claim, value))
        );

        Assert.Equal(expected, answer.StatusCode);
        if (expected is HttpStatusCode.Forbidden)
        {
            Assert.Contains(
                "REQUIRED_MCP_SCOPES): mcp:execute.",
                await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
            );
        }
    }

    [Theory]
    [InlineData("mcp:read", "", "", HttpStatusCode.OK, HttpStatusCode.Forbidden)]
    [InlineData("mcp:write", "", "", HttpStatusCode.OK, HttpStatusCode.OK)]
    [InlineData("Shop.Read", "Shop.Read=mcp:read", "", HttpStatusCode.OK, HttpStatusCode.Forbidden)]
    [InlineData("Shop.Buy", "Shop.Read=mcp:read, Shop.Buy=mcp:write", "", HttpStatusCode.OK, HttpStatusCode.OK)]
    [InlineData("Shop.Other", "Shop.Read=mcp:read", "", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden)]
    [InlineData("Shop.Other", "", "mcp:read", HttpStatusCode.OK, HttpStatusCode.Forbidden)]
    [InlineData("MCP:READ", "", "", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden)]
    public async Task A_token_may_do_what_its_scopes_mean_here(
        string scope,
        string map,
        string everybody,
        HttpStatusCode reading,
        HttpStatusCode changing
    )
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var server = Start(
            entra,
            ("Auth:Provider:ScopeMap", map),
            ("Auth:Provider:DefaultScopes", everybody)
        );
        var token = Token(entra, FakeEntra.V2, ("aud", FakeEntra.ClientId), ("scp", scope));

        Assert.Equal(reading, await CallAsync(server, token));
        Assert.Equal(changing, await CallAsync(server, token, "pick_note", """{"code":"milk"}"""));
    }

    [Theory]
    [InlineData(Guid, Guid, HttpStatusCode.OK)]
    [InlineData("22222222-2222-3333-4444-555555555555", "22222222-2222-3333-4444-555555555555", HttpStatusCode.OK)]
    [InlineData(
        "33333333-2222-3333-4444-555555555555",
        "33333333-2222-3333-4444-555555555555",
        HttpStatusCode.Unauthorized
    )]
    [InlineData(Guid, "22222222-2222-3333-4444-555555555555", HttpStatusCode.Unauthorized)]
    [InlineData(Guid, null, HttpStatusCode.Unauthorized)]
    [InlineData("{tenantid}", "{tenantid}", HttpStatusCode.Unauthorized)]
    public async Task Of_all_tenants_only_those_of_the_settings_are_let_in(
        string issuer,
        string? tid,
        HttpStatusCode expected
    )
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var server = Start(
            entra,
            ("Auth:Provider:Issuer", "https://login.microsoftonline.com/{tenantid}/v2.0"),
            ("Auth:Provider:ConfigUrl", entra.Url + "/organizations/v2.0/.well-known/openid-configuration"),
            ("Auth:Provider:Tenants", $"{Guid}, 22222222-2222-3333-4444-555555555555")
        );

        Assert.Equal(
            expected,
            await CallAsync(
                server,
                Token(
                    entra,
                    $"https://login.microsoftonline.com/{issuer}/v2.0",
                    ("aud", FakeEntra.ClientId),
                    ("scp", Scoped),
                    ("tid", tid)
                )
            )
        );
    }

    [Fact]
    public async Task The_id_token_of_a_sign_in_opens_nothing_although_its_audience_is_the_same()
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var server = Start(
            entra,
            ("Auth:Provider:ClientId", FakeEntra.ClientId),
            ("Auth:Provider:DefaultScopes", "mcp:read")
        );

        Assert.Equal(
            HttpStatusCode.Unauthorized,
            await CallAsync(server, Token(entra, FakeEntra.V2, ("aud", FakeEntra.ClientId), ("nonce", "n")))
        );
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            await CallAsync(server, Token(entra, FakeEntra.V2, ("aud", FakeEntra.ClientId)))
        );
        Assert.Equal(
            HttpStatusCode.OK,
            await CallAsync(server, Token(entra, FakeEntra.V2, ("aud", FakeEntra.ClientId), ("scp", "access_as_user")))
        );
    }

    [Fact]
    public async Task The_provider_is_named_where_clients_look_for_it()
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var server = Start(entra);

        var resource = await server.GetJsonAsync("/.well-known/oauth-protected-resource/mcp");
        Assert.Equal(FakeEntra.V2, resource.GetProperty("authorization_servers")[0].GetString());
        var metadata = await server.GetJsonAsync("/.well-known/openid-configuration");
        Assert.Equal(FakeEntra.V2, metadata.GetProperty("issuer").GetString());
        Assert.Equal($"{entra.Url}/{Guid}/oauth2/v2.0/token", metadata.GetProperty("token_endpoint").GetString());
    }

    [Fact]
    public async Task Keys_and_tokens_both_open_in_mode_hybrid()
    {
        const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa";
        await using var entra = await FakeEntra.StartAsync();
        await using var server = Start(entra, ("Auth:Mode", "hybrid"), ("Auth:ApiKey", Key));

        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, Key));
        Assert.Equal(
            HttpStatusCode.OK,
            await CallAsync(server, Token(entra, FakeEntra.V2, ("aud", FakeEntra.ClientId), ("scp", Scoped)))
        );
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            await CallAsync(server, Token(entra, FakeEntra.V2, ("aud", "somebody-else"), ("scp", Scoped)))
        );
    }

    [Fact]
    public async Task Anybody_reads_and_a_token_of_the_provider_does_more_in_mode_mixed()
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var server = Start(entra, ("Auth:Mode", "mixed"));
        const string Note = """{"code":"milk"}""";
        string WithScopes(string scopes) => Token(entra, FakeEntra.V2, ("aud", FakeEntra.ClientId), ("scp", scopes));

        using var read = await server.PostAsync("/tools/list_picked", "{}");
        using var write = await server.PostAsync("/tools/pick_note", Note);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Unauthorized), (read.StatusCode, write.StatusCode));
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, WithScopes("mcp:write"), "pick_note", Note));
        Assert.Equal(HttpStatusCode.Forbidden, await CallAsync(server, WithScopes("mcp:read"), "pick_note", Note));
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            await CallAsync(server, Token(entra, FakeEntra.V2, ("aud", "somebody-else"), ("scp", "mcp:write")))
        );

        var resource = await server.GetJsonAsync("/.well-known/oauth-protected-resource/mcp");
        Assert.Equal(FakeEntra.V2, resource.GetProperty("authorization_servers")[0].GetString());
        Assert.Equal(
            FakeEntra.V2,
            (await server.GetJsonAsync("/.well-known/oauth-authorization-server")).GetProperty("issuer").GetString()
        );
        Assert.Contains(
            $"{entra.Url}/{Guid}/oauth2/v2.0/token",
            await server.Http.GetStringAsync(
                new Uri("/openapi.json", UriKind.Relative),
                TestContext.Current.CancellationToken
            )
        );
        using var own = await server.Http.GetAsync(
            new Uri("/auth/authorize", UriKind.Relative),
            TestContext.Current.CancellationToken
        );
        Assert.NotEqual(HttpStatusCode.OK, own.StatusCode); // nobody signs in here
    }

    [Fact]
    public async Task Mode_mixed_wants_to_know_whom_the_providers_tokens_are_for()
    {
        var errors = await StartAndFailAsync(("MCP_AUTH_MODE", "mixed"), ("OAUTH2_ISSUER", FakeEntra.V2));

        Assert.Contains("OAUTH2_AUDIENCE) is not set", errors);
    }

    private static TestServer Start(FakeEntra entra, params (string Key, string Value)[] settings) =>
        TestServer.Start(
            NotesTools.Alone,
            [
                ("Auth:Mode", "oauth2"),
                ("Auth:Provider:Issuer", FakeEntra.V2),
                ("Auth:Provider:ConfigUrl", entra.V2Config),
                ("Auth:Provider:Audience", FakeEntra.ClientId),
                ("Auth:Provider:Algorithms", "RS256"),
                .. settings,
            ]
        );

    private static string Token(FakeEntra entra, string issuer, params (string Name, JsonNode? Value)[] said)
    {
        var claims = new JsonObject
        {
            ["iss"] = issuer,
            ["sub"] = "anna",
            ["exp"] = Forge.Now + 300,
        };
        Array.ForEach(said, claim => claims[claim.Name] = claim.Value);
        var forge = new Forge(issuer, entra.Key);
        return forge.Sign(forge.Header(), claims);
    }

    private static Task<HttpResponseMessage> SendAsync(
        TestServer server,
        string token,
        string tool = "list_picked",
        string arguments = "{}"
    ) => server.PostAsync("/tools/" + tool, arguments, headers: ("Authorization", "Bearer " + token));

    private static async Task<HttpStatusCode> CallAsync(
        TestServer server,
        string token,
        string tool = "list_picked",
        string arguments = "{}"
    )
    {
        using var answer = await SendAsync(server, token, tool, arguments);
        return answer.StatusCode;
    }

    private static async Task<string> StartAndFailAsync(params (string Name, string Value)[] variables)
    {
        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            ["--urls=http://127.0.0.1:0"],
            variables
                .Prepend(("MCP_AUTH_MODE", "oauth2"))
                .GroupBy(pair => pair.Item1)
                .ToDictionary(pair => pair.Key, pair => pair.Last().Item2)
        );
        Assert.Equal(1, exitCode);
        return errors;
    }
}
