using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MinimalMcp.Tests.Auth.Server;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Auth.Provider;

/// <summary>People sign in at Entra, and ChatGPT, which Entra alone would refuse, gets tokens of ours.</summary>
[Slow]
public sealed class SignInTests : IDisposable
{
    private readonly CapturedLog _log = new();

    public void Dispose() => _log.Dispose();

    [Fact]
    public async Task ChatGpt_gets_a_token_of_ours_for_a_person_of_Entra()
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var oauth = Start(entra);
        var client = await oauth.RegisterAsync();
        using var page = await oauth.GetAsync(oauth.AuthorizeAddress(client));
        Assert.Contains("Contoso", await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Contains(entra.Url, page.Headers.GetValues("Content-Security-Policy").Single());

        var answer = await AuthorizeAsync(oauth, client);
        Assert.Equal(("s&t=1", oauth.Issuer), (answer["state"], answer["iss"]));
        using var token = await oauth.TokenAsync(
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", answer["code"]),
            ("code_verifier", OAuthServer.Verifier),
            ("resource", oauth.Resource)
        );
        var access = (await OAuthServer.JsonAsync(token)).GetProperty("access_token").GetString()!;

        var claims = OAuthServer.Claims(access);
        Assert.Equal(
            (oauth.Issuer, oauth.Resource),
            (claims.GetProperty("iss").GetString(), claims.GetProperty("aud").GetString())
        );
        Assert.Matches("^https?://.+[|]pairwise-anna$", claims.GetProperty("sub").GetString()!); // of its issuer
        Assert.Equal(HttpStatusCode.OK, await oauth.CallAsync(access));
        Assert.Equal(
            "client_id&client_secret&code&code_verifier&grant_type&redirect_uri",
            string.Join('&', Assert.Single(entra.Forms).Split('&').Order())
        );
        Assert.All(_log.Lines, line => Assert.DoesNotContain(FakeEntra.Secret, line.Text));
        Assert.All(_log.Lines, line => Assert.DoesNotContain("a-token-for-graph", line.Text));
    }

    [Theory]
    [InlineData("/api/v1/audit", "Anna Example", "Anna Example")]
    [InlineData("/api/v1/audit?format=jsonl", "Anna Example", "Anna Example")]
    [InlineData("/api/v1/audit", "Anna\u202e", @"Anna\\u{202E}")] // others wrote it
    public async Task The_audit_API_shows_the_name_beside_the_subject(string address, string name, string shown)
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var oauth = Start(entra);
        entra.IdToken = claims => claims["name"] = name;
        var client = await oauth.RegisterAsync();
        var answer = await AuthorizeAsync(oauth, client);
        using var token = await oauth.TokenAsync(
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", answer["code"]),
            ("code_verifier", OAuthServer.Verifier),
            ("resource", oauth.Resource)
        );
        var access = (await OAuthServer.JsonAsync(token)).GetProperty("access_token").GetString()!;
        Assert.Equal(HttpStatusCode.OK, await oauth.CallAsync(access));

        await Wait.Until(async () =>
        {
            using var audit = await oauth.GetAsync(address, ("Authorization", "Bearer " + OAuthServer.Key));
            var text = await audit.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            return text.Contains($"|pairwise-anna\",\"name\":\"{shown}\"", StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Entra_gets_what_it_takes_and_nothing_that_it_refuses()
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var oauth = Start(entra);

        var sent = await SentToEntraAsync(oauth, await oauth.RegisterAsync());
        var query = QueryHelpers.ParseQuery(sent.Query);

        Assert.Equal(
            "client_id code_challenge code_challenge_method nonce redirect_uri response_type scope state",
            string.Join(' ', query.Keys.Order())
        );
        Assert.Equal(
            ("S256", "openid profile email", oauth.Issuer + "/auth/callback"),
            (query["code_challenge_method"].ToString(), query["scope"].ToString(), query["redirect_uri"].ToString())
        );
        // That the fake has Entra's rules: what MCP clients send it by themselves ends there.
        Assert.Contains(
            "AADSTS9010010",
            (await GoAsync(new(sent.AbsoluteUri + "&resource=" + Uri.EscapeDataString(oauth.Resource)))).Query
        );
        Assert.Contains(
            "AADSTS650053",
            (
                await GoAsync(
                    new(sent.AbsoluteUri.Replace("openid%20profile%20email", "mcp%3Aread", StringComparison.Ordinal))
                )
            ).Query
        );
    }

    [Fact]
    public async Task Two_sign_ins_share_no_secret()
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var oauth = Start(entra);
        var client = await oauth.RegisterAsync();

        var first = QueryHelpers.ParseQuery((await SentToEntraAsync(oauth, client)).Query);
        var second = QueryHelpers.ParseQuery((await SentToEntraAsync(oauth, client)).Query);

        Assert.All(["state", "nonce", "code_challenge"], name => Assert.NotEqual(first[name], second[name]));
    }

    public static TheoryData<string, string> WrongTokens =>
        new()
        {
            { "nonce", "to another sign-in (nonce)" },
            { "no nonce", "to another sign-in (nonce)" },
            { "aud", "for another server (aud)" },
            { "azp", "issued to another client (azp)" },
            { "two audiences", "issued to another client (azp)" },
            { "exp", "has expired (exp)" },
            { "iss", "has another issuer (iss)" },
            { "v1", "has another issuer (iss)" },
            { "no sub", "has no subject (sub)" },
        };

    [Theory, MemberData(nameof(WrongTokens))]
    public async Task An_id_token_that_is_not_for_this_sign_in_signs_nobody_in(string wrong, string reason)
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var oauth = Start(entra);
        entra.IdToken = claims => Spoil(claims, wrong);

        var (status, text) = await RefusedAsync(oauth);

        Assert.Equal(HttpStatusCode.Forbidden, status);
        Assert.Contains(WebUtility.HtmlEncode(reason), text);
        Assert.Contains(_log.Lines, line => line.Text.Contains(reason, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Users", "AAAAAAAA-0000-0000-0000-000000000001", true)]
    [InlineData("Users", "pairwise-anna", true)]
    [InlineData("Users", "anna@contoso.example", false)] // Entra has not said that the address is hers
    [InlineData("Domains", "contoso.example", false)]
    [InlineData("Domains", "contoso.example", true, "xms_edov")]
    [InlineData("Domains", "contoso.example", true, "email_verified")]
    [InlineData("Users", "Anna@Contoso.example", true, "email_verified")]
    [InlineData("Users", "bert@contoso.example", false, "email_verified")]
    [InlineData("Domains", "example", false, "email_verified")]
    [InlineData("Roles", "Mcp.User", true, "role")]
    [InlineData("Roles", "Mcp.Admin", false, "role")]
    public async Task Only_the_people_of_the_settings_get_in(
        string list,
        string value,
        bool allowed,
        string? claim = null
    )
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var oauth = Start(entra, ("Auth:Provider:Allowed" + list, "somebody-else, " + value));
        entra.IdToken = claims =>
            claims[claim is "role" ? "roles" : claim ?? "none"] = claim is "role"
                ? new JsonArray("Mcp.User")
                : JsonValue.Create(claim is not null);

        if (allowed)
        {
            Assert.NotEmpty((await AuthorizeAsync(oauth, await oauth.RegisterAsync()))["code"]);
            return;
        }

        var (status, text) = await RefusedAsync(oauth);
        Assert.Equal(HttpStatusCode.Forbidden, status);
        Assert.Contains("may not use this server", text);
        Assert.Contains(_log.Lines, line =>
            line.Text.Contains("aaaaaaaa-0000-0000-0000-000000000001", StringComparison.Ordinal)
        ); // for the operator to put into the list
    }

    [Theory]
    [InlineData(
        "error=access_denied&error_description=AADSTS50105%3A+not+assigned",
        "Your account is not assigned to the application"
    )]
    [InlineData("error=access_denied", "You declined")]
    [InlineData("error=unauthorized_client", "OAUTH2_CLIENT_SECRET")] // Keycloak's word for a wrong secret
    [InlineData("error=invalid_client&error_description=AADSTS650053%3A+scope", "does not know a requested scope")]
    [InlineData("error=%3Cscript%3E&error_description=%3Cscript%3Ealert(1)%3C%2Fscript%3E", "an error without a name")]
    [InlineData("", "returned no code")]
    [InlineData("code=wrong", "took too long or was already used")]
    [InlineData("code=a&code=b", "was not issued by Contoso")]
    [InlineData("code=a&iss=https%3A%2F%2Fattacker.example", "was not issued by Contoso")]
    public async Task An_answer_that_is_no_sign_in_is_explained_and_never_repeated(string query, string expected)
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var oauth = Start(entra);
        var state = QueryHelpers
            .ParseQuery((await SentToEntraAsync(oauth, await oauth.RegisterAsync())).Query)["state"]
            .ToString();

        using var answer = await oauth.GetAsync($"/auth/callback?state={Uri.EscapeDataString(state)}&{query}");
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains(expected, text);
        Assert.DoesNotContain("<script>", text);
        Assert.DoesNotContain("attacker.example", text);
    }

    [Fact]
    public async Task An_answer_counts_once_and_in_the_browser_that_asked()
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var oauth = Start(entra);
        var client = await oauth.RegisterAsync();
        var callback = await GoAsync(await SentToEntraAsync(oauth, client));
        var own = oauth.Cookie;

        oauth.Cookie = null;
        using var stolen = await oauth.GetAsync(callback.PathAndQuery);
        Assert.Equal(HttpStatusCode.Forbidden, stolen.StatusCode);

        callback = await GoAsync(await SentToEntraAsync(oauth, client));
        using var first = await oauth.GetAsync(callback.PathAndQuery);
        using var second = await oauth.GetAsync(callback.PathAndQuery);
        Assert.Equal((HttpStatusCode.SeeOther, HttpStatusCode.Forbidden), (first.StatusCode, second.StatusCode));
        Assert.NotEqual(own, oauth.Cookie);
    }

    [Fact]
    public async Task A_wrong_secret_is_told_to_the_person_as_the_operators_to_mend()
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var oauth = Start(entra, ("Auth:Provider:ClientSecret", "not-the-secret"));

        var (status, text) = await RefusedAsync(oauth);

        Assert.Equal(HttpStatusCode.Forbidden, status);
        Assert.Contains("(AADSTS7000215)", text);
        Assert.Contains("OAUTH2_CLIENT_SECRET", text);
        Assert.DoesNotContain("not-the-secret", text + string.Concat(_log.Lines.Select(line => line.Text)));
    }

    [Fact]
    public async Task A_provider_that_is_gone_is_said_to_be()
    {
        var entra = await FakeEntra.StartAsync();
        await using var oauth = Start(entra);
        var callback = await GoAsync(await SentToEntraAsync(oauth, await oauth.RegisterAsync()));
        await entra.DisposeAsync();

        using var answer = await oauth.GetAsync(callback.PathAndQuery);

        Assert.Contains(
            "is unavailable",
            await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
    }

    [Theory]
    [InlineData("none", null, false)]
    [InlineData("email_verified", false, false)]
    [InlineData("email_verified", "false", false)]
    [InlineData("email_verified", 0, false)]
    [InlineData("xms_edov", false, false)]
    [InlineData("email_verified", true, true)]
    [InlineData("email_verified", "true", true)] // some providers write it so
    [InlineData("xms_edov", true, true)]
    public async Task A_client_learns_an_address_only_when_the_provider_has_verified_it(
        string claim,
        object? value,
        bool learns
    )
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var oauth = Start(entra);
        entra.IdToken = claims =>
            claims[claim] = value switch
            {
                bool flag => flag,
                int number => number,
                string text => text,
                _ => null,
            };
        var client = await oauth.RegisterAsync();
        var answer = await AuthorizeAsync(oauth, client, ("scope", "mcp:read profile email"));
        using var token = await oauth.TokenAsync(
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", answer["code"]),
            ("code_verifier", OAuthServer.Verifier)
        );
        var access = (await OAuthServer.JsonAsync(token)).GetProperty("access_token").GetString()!;

        using var who = await oauth.GetAsync("/auth/userinfo", ("Authorization", "Bearer " + access));
        var person = await OAuthServer.JsonAsync(who);

        Assert.Equal("Anna Example", person.GetProperty("name").GetString());
        Assert.Equal(
            (learns, learns),
            (
                person.TryGetProperty("email", out var email) && email.GetString() == "anna@contoso.example",
                person.TryGetProperty("email_verified", out var verified) && verified.GetBoolean()
            )
        );
    }

    [Theory]
    [InlineData("""{"sub":"pairwise-anna","email":"anna@contoso.example","email_verified":true}""", true)]
    [InlineData("""{"sub":"pairwise-anna","email":"anna@contoso.example"}""", false)]
    [InlineData("""{"sub":"pairwise-anna","email":"anna@contoso.example","email_verified":false}""", false)]
    [InlineData(
        """{"sub":"pairwise-bert","email":"anna@contoso.example","email_verified":true}""",
        false,
        "about another user"
    )]
    [InlineData("""{"email":"anna@contoso.example","email_verified":true}""", false, "about another user")]
    [InlineData("<html>", false, "is unavailable")]
    public async Task What_the_ID_token_leaves_out_is_read_from_UserInfo_of_the_same_person(
        string said,
        bool allowed,
        string expected = "may not use this server"
    )
    {
        await using var entra = await FakeEntra.StartAsync();
        entra.IdToken = claims => claims.Remove("email");
        entra.UserInfo = http =>
        {
            http.Response.ContentType = "application/json";
            return http.Response.WriteAsync(said, http.RequestAborted);
        };
        await using var oauth = Start(entra, ("Auth:Provider:AllowedDomains", "contoso.example"));

        if (allowed)
        {
            Assert.NotEmpty((await AuthorizeAsync(oauth, await oauth.RegisterAsync()))["code"]);
            return;
        }

        var (status, text) = await RefusedAsync(oauth);
        Assert.Equal(HttpStatusCode.Forbidden, status);
        Assert.Contains(expected, text);
    }

    // A token that says that an address is verified speaks of its own, and not of the one in UserInfo.
    [Fact]
    public async Task An_address_counts_with_the_word_of_who_named_it()
    {
        await using var entra = await FakeEntra.StartAsync();
        entra.IdToken = claims =>
        {
            claims.Remove("email");
            claims["email_verified"] = true;
        };
        entra.UserInfo = http =>
            http.Response.WriteAsJsonAsync(
                new { sub = "pairwise-anna", email = "anna@contoso.example" },
                http.RequestAborted
            );
        await using var oauth = Start(entra, ("Auth:Provider:AllowedDomains", "contoso.example"));

        var (status, _) = await RefusedAsync(oauth);

        Assert.Equal(HttpStatusCode.Forbidden, status);
    }

    [Theory]
    [InlineData("groups", """["Mcp.User"]""", null, true)]
    [InlineData("realm_access", """{"roles":["Mcp.User"]}""", null, true)]
    [InlineData("resource_access", "{\"" + FakeEntra.ClientId + "\":{\"roles\":[\"Mcp.User\"]}}", null, true)]
    [InlineData("resource_access", """{"other":{"roles":["Mcp.User"]}}""", null, false)]
    [InlineData("https://contoso.example/roles", """["Mcp.User"]""", null, false)]
    [InlineData("https://contoso.example/roles", """["Mcp.User"]""", "https://contoso.example/roles", true)]
    [InlineData("app", """{"my.client":{"in":["Mcp.User"]}}""", "app.my.client.in", true)]
    [InlineData("roles", """["Mcp.User"]""", "groups", false)] // what is set stands for all
    public async Task Roles_and_groups_are_found_where_providers_put_them(
        string claim,
        string value,
        string? setting,
        bool allowed
    )
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var oauth = Start(
            entra,
            ("Auth:Provider:AllowedRoles", "Mcp.User"),
            ("Auth:Provider:RolesClaim", setting ?? "")
        );
        entra.IdToken = claims => claims[claim] = JsonNode.Parse(value);

        if (allowed)
        {
            Assert.NotEmpty((await AuthorizeAsync(oauth, await oauth.RegisterAsync()))["code"]);
            return;
        }

        var (status, _) = await RefusedAsync(oauth);
        Assert.Equal(HttpStatusCode.Forbidden, status);
        var refusals = _log.Lines.Where(line =>
            line.Level is LogLevel.Warning && line.Text.Contains("pairwise-anna", StringComparison.Ordinal)
        );
        Assert.Contains("Anna Example", Assert.Single(refusals).Text);
    }

    private OAuthServer Start(FakeEntra entra, params (string, string)[] settings)
    {
        var oauth = OAuthServer.Start(
            services => services.AddSingleton<ILoggerProvider>(_log),
            [
                ("Auth:Provider:Issuer", FakeEntra.V2),
                ("Auth:Provider:ConfigUrl", entra.V2Config),
                ("Auth:Provider:ClientId", FakeEntra.ClientId),
                ("Auth:Provider:ClientSecret", FakeEntra.Secret),
                ("Auth:Provider:Name", "Contoso"),
                .. settings,
            ]
        );
        entra.RedirectUris.Add(oauth.Issuer + "/auth/callback");
        return oauth;
    }

    private static async Task<Uri> SentToEntraAsync(
        OAuthServer oauth,
        string client,
        params (string, string?)[] changes
    )
    {
        using var answer = await oauth.AnswerAsync(await oauth.OpenPageAsync(client, changes), password: "");
        Assert.True(
            answer.StatusCode is HttpStatusCode.SeeOther,
            await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
        return answer.Headers.Location!;
    }

    private static async Task<Dictionary<string, string>> AuthorizeAsync(
        OAuthServer oauth,
        string client,
        params (string, string?)[] changes
    )
    {
        using var answer = await oauth.GetAsync(
            (await GoAsync(await SentToEntraAsync(oauth, client, changes))).PathAndQuery
        );
        Assert.True(
            answer.StatusCode is HttpStatusCode.SeeOther,
            await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
        return OAuthServer.Query(answer);
    }

    private static async Task<(HttpStatusCode Status, string Text)> RefusedAsync(OAuthServer oauth)
    {
        using var answer = await oauth.GetAsync(
            (await GoAsync(await SentToEntraAsync(oauth, await oauth.RegisterAsync()))).PathAndQuery
        );
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    // Where the provider sends the browser.
    private static async Task<Uri> GoAsync(Uri address)
    {
        using var browser = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using var answer = await browser.GetAsync(address, TestContext.Current.CancellationToken);
        Assert.True(
            answer.Headers.Location is not null,
            await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
        return answer.Headers.Location!;
    }

    private static void Spoil(JsonObject claims, string wrong)
    {
        switch (wrong)
        {
            case "no nonce":
                claims.Remove("nonce");
                break;
            case "no sub":
                claims.Remove("sub");
                break;
            case "two audiences":
                claims["aud"] = new JsonArray(FakeEntra.ClientId, "another");
                break;
            case "exp":
                claims["exp"] = Forge.Now - 60;
                break;
            case "v1":
                claims["iss"] = FakeEntra.V1;
                break;
            default:
                claims[wrong] = "another";
                break;
        }
    }
}
