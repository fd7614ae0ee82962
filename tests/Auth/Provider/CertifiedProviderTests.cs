using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tests.Auth.Server;

namespace MinimalMcp.Tests.Auth.Provider;

/// <summary>
/// A provider that other people wrote and OpenID certified, as Keycloak and Auth0 are: its own pages, its own tokens.
/// </summary>
[Slow]
public sealed partial class CertifiedProviderTests
{
    private const string ClientId = "tools",
        Secret = "s3cr3t: of & the+client / with=signs";

    [Theory]
    [InlineData("anna", true)]
    [InlineData("mallory", false)] // wrote example.com into her account, and the provider does not vouch for it
    public async Task People_sign_in_on_its_pages_and_get_a_token_of_ours(string person, bool allowed)
    {
        var port = FreePort.Find();
        await using var provider = await StartAsync($"http://127.0.0.1:{port}/auth/callback");
        await using var oauth = OAuthServer.Start(
            ("urls", $"http://127.0.0.1:{port}"),
            ("Auth:Provider:Issuer", Issuer(provider)),
            ("Auth:Provider:ClientId", ClientId),
            ("Auth:Provider:ClientSecret", Secret),
            ("Auth:Provider:AllowedDomains", "example.com")
        );
        var client = await oauth.RegisterAsync();
        using var sent = await oauth.AnswerAsync(await oauth.OpenPageAsync(client), password: "");

        using var answer = await oauth.GetAsync((await SignInAsync(sent.Headers.Location!, person)).PathAndQuery);
        if (!allowed)
        {
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
            return;
        }

        var code = OAuthServer.Query(answer)["code"];
        using var token = await oauth.TokenAsync(
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", code),
            ("code_verifier", OAuthServer.Verifier)
        );
        var access = (await OAuthServer.JsonAsync(token)).GetProperty("access_token").GetString()!;
        Assert.Equal($"{Issuer(provider)}|{person}", OAuthServer.Claims(access).GetProperty("sub").GetString());
        Assert.Equal(HttpStatusCode.OK, await oauth.CallAsync(access));
    }

    [Fact]
    public async Task Its_access_token_opens_a_tool_and_its_id_token_does_not()
    {
        await using var provider = await StartAsync("http://127.0.0.1:1/callback");
        await using var server = TestServer.Start(
            NotesTools.Alone,
            ("Auth:Mode", "oauth2"),
            ("Auth:Provider:Issuer", Issuer(provider)),
            ("Auth:Provider:Audience", "https://tools.example")
        );
        using var request = new HttpRequestMessage(HttpMethod.Post, Issuer(provider) + "/token")
        {
            Content = new FormUrlEncodedContent([
                new("grant_type", "client_credentials"),
                new("resource", "https://tools.example"),
                new("scope", "mcp:read"),
            ]),
        };
        request.Headers.Add(
            "Authorization",
            "Basic "
                + Convert.ToBase64String(
                    System.Text.Encoding.UTF8.GetBytes($"{ClientId}:{WebUtility.UrlEncode(Secret)}")
                )
        );
        using var answer = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);
        var token = (await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken))
            .GetProperty("access_token")
            .GetString();

        using var called = await server.PostAsync(
            "/tools/list_picked",
            "{}",
            headers: ("Authorization", "Bearer " + token)
        );
        using var changing = await server.PostAsync(
            "/tools/pick_note",
            """{"code":"milk"}""",
            headers: ("Authorization", "Bearer " + token)
        );

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Forbidden), (called.StatusCode, changing.StatusCode));
    }

    [Fact]
    public async Task A_token_that_is_no_JWT_is_asked_about_and_ends_within_a_minute_of_its_revocation()
    {
        var time = new ShiftedTime();
        await using var provider = await StartAsync("http://127.0.0.1:1/callback", opaque: true);
        await using var server = TestServer.Start(
            services => NotesTools.Alone(services.AddSingleton<TimeProvider>(time)),
            ("Auth:Mode", "oauth2"),
            ("Auth:Provider:Issuer", Issuer(provider)),
            ("Auth:Provider:Audience", "https://tools.example"),
            ("Auth:Provider:ClientId", ClientId),
            ("Auth:Provider:ClientSecret", Secret)
        );
        var granted = await AskAsync(
            server,
            provider,
            "/token",
            ("grant_type", "client_credentials"),
            ("resource", "https://tools.example"),
            ("scope", "mcp:read")
        );
        var token = granted.GetProperty("access_token").GetString()!;
        Assert.DoesNotContain('.', token);

        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, token));
        Assert.Equal(HttpStatusCode.Forbidden, await CallAsync(server, token, "pick_note")); // mcp:read only
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(server, token + "x"));

        await AskAsync(server, provider, "/token/revocation", ("token", token));
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, token)); // remembered
        time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(server, token));
    }

    [Fact]
    public async Task A_token_without_our_audience_opens_nothing_and_without_the_provider_it_is_not_refused()
    {
        await using var provider = await StartAsync("http://127.0.0.1:1/callback", opaque: true);
        await using var server = TestServer.Start(
            NotesTools.Alone,
            ("Auth:Mode", "oauth2"),
            ("Auth:Provider:Issuer", Issuer(provider)),
            ("Auth:Provider:Audience", "https://other.example"),
            ("Auth:Provider:ClientId", ClientId),
            ("Auth:Provider:ClientSecret", Secret)
        );
        var ofOther = await AskAsync(
            server,
            provider,
            "/token",
            ("grant_type", "client_credentials"),
            ("resource", "https://tools.example"),
            ("scope", "mcp:read")
        );
        var ofNobody = await AskAsync(server, provider, "/token", ("grant_type", "client_credentials"));

        foreach (var token in (JsonElement[])[ofOther, ofNobody])
        {
            var text = token.GetProperty("access_token").GetString()!;
            Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(server, text));
        }

        await provider.DisposeAsync();
        var late = ofNobody.GetProperty("access_token").GetString()!;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await CallAsync(server, late));
    }

    [Fact]
    public async Task A_client_registers_itself_where_our_documents_say_and_calls_with_what_its_person_allowed()
    {
        await using var provider = await StartAsync("http://127.0.0.1:1/callback");
        await using var server = TestServer.Start(
            NotesTools.Alone,
            ("Auth:Mode", "oauth2"),
            ("Auth:Provider:Issuer", Issuer(provider)),
            ("Auth:Provider:Audience", "https://tools.example")
        );
        var resource = await server.GetJsonAsync("/.well-known/oauth-protected-resource/mcp");
        Assert.Equal(Issuer(provider), resource.GetProperty("authorization_servers")[0].GetString());
        var metadata = await server.GetJsonAsync("/.well-known/oauth-authorization-server");
        const string Redirect = "http://127.0.0.1:1/auth/callback";
        using var registered = await server.Http.PostAsJsonAsync(
            metadata.GetProperty("registration_endpoint").GetString(),
            new
            {
                redirect_uris = new[] { Redirect },
                application_type = "native",
                token_endpoint_auth_method = "none",
                grant_types = new[] { "authorization_code" },
            },
            TestContext.Current.CancellationToken
        );
        var client = (await JsonOfAsync(registered)).GetProperty("client_id").GetString()!;

        var address = QueryHelpers.AddQueryString(
            metadata.GetProperty("authorization_endpoint").GetString()!,
            new Dictionary<string, string?>
            {
                ["response_type"] = "code",
                ["client_id"] = client,
                ["redirect_uri"] = Redirect,
                ["scope"] = "openid mcp:read",
                ["resource"] = "https://tools.example",
                ["state"] = "s",
                ["code_challenge"] = OAuthServer.ChallengeOf(OAuthServer.Verifier),
                ["code_challenge_method"] = "S256",
            }
        );
        var code = QueryHelpers.ParseQuery((await SignInAsync(new(address), "anna")).Query)["code"].ToString();
        using var answer = await server.Http.PostAsync(
            metadata.GetProperty("token_endpoint").GetString(),
            new FormUrlEncodedContent([
                new("grant_type", "authorization_code"),
                new("client_id", client),
                new("code", code),
                new("redirect_uri", Redirect),
                new("code_verifier", OAuthServer.Verifier),
                new("resource", "https://tools.example"),
            ]),
            TestContext.Current.CancellationToken
        );
        var token = (await JsonOfAsync(answer)).GetProperty("access_token").GetString()!;

        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, token));
        Assert.Equal(HttpStatusCode.Forbidden, await CallAsync(server, token, "pick_note"));
    }

    private static Task<NodeProcess> StartAsync(string redirectUri, bool opaque = false) =>
        NodeProcess.StartAsync(
            "oidc-provider.mjs",
            new
            {
                clientId = ClientId,
                secret = Secret,
                redirectUri,
                audience = "https://tools.example",
                opaque,
            }
        );

    // With the client's own credential.
    private static async Task<JsonElement> AskAsync(
        TestServer server,
        NodeProcess provider,
        string path,
        params (string Name, string Value)[] form
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Issuer(provider) + path)
        {
            Content = new FormUrlEncodedContent(form.Select(pair => KeyValuePair.Create(pair.Name, pair.Value))),
        };
        var pair = System.Text.Encoding.UTF8.GetBytes($"{ClientId}:{WebUtility.UrlEncode(Secret)}");
        request.Headers.Add("Authorization", "Basic " + Convert.ToBase64String(pair));
        using var answer = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);
        return await JsonOfAsync(answer);
    }

    private static async Task<JsonElement> JsonOfAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, text);
        return text.Length == 0 ? default : JsonElement.Parse(text);
    }

    private static async Task<HttpStatusCode> CallAsync(TestServer server, string token, string tool = "list_picked")
    {
        var body = tool == "list_picked" ? "{}" : """{"code":"milk"}""";
        using var answer = await server.PostAsync(
            "/tools/" + tool,
            body,
            headers: ("Authorization", "Bearer " + token)
        );
        return answer.StatusCode;
    }

    private static string Issuer(NodeProcess provider) => provider.Answer.GetProperty("issuer").GetString()!;

    // As a browser does: follows what it is sent to, fills in the form, agrees; until it is sent back to us.
    private static async Task<Uri> SignInAsync(Uri address, string person)
    {
        using var browser = new HttpClient(
            new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }
        );
        HttpContent? form = null;
        for (var step = 0; step < 12; step++)
        {
            using var request = new HttpRequestMessage(form is null ? HttpMethod.Get : HttpMethod.Post, address)
            {
                Content = form,
            };
            using var answer = await browser.SendAsync(request, TestContext.Current.CancellationToken);
            var html = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            form = null;
            if (answer.Headers.Location is { } next)
            {
                address = new(address, next);
                if (address.AbsolutePath == "/auth/callback")
                {
                    return address;
                }

                continue;
            }

            Assert.True(answer.IsSuccessStatusCode, html);
            address = new(address, WebUtility.HtmlDecode(Action().Match(html).Groups[1].Value));
            form = new FormUrlEncodedContent([
                new("prompt", Prompt().Match(html).Groups[1].Value),
                new("login", person),
                new("password", "any"),
            ]);
        }

        throw new InvalidOperationException("The provider never came to an end.");
    }

    [GeneratedRegex("<form[^>]*action=\"([^\"]+)\"")]
    private static partial Regex Action();

    [GeneratedRegex("name=\"prompt\" value=\"([^\"]+)\"")]
    private static partial Regex Prompt();
}
