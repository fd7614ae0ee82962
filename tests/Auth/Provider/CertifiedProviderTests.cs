using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using MinimalMcp.Tests.Auth.Server;

namespace MinimalMcp.Tests.Auth.Provider;

/// <summary>A provider that other people wrote and OpenID certified, as Keycloak and Auth0 are: its own pages, its own tokens.</summary>
[Slow]
public sealed partial class CertifiedProviderTests
{
    private const string ClientId = "tools", Secret = "s3cr3t: of & the+client / with=signs";

    [Theory]
    [InlineData("anna", true)]
    [InlineData("mallory", false)] // wrote example.com into her account, and the provider does not vouch for it
    public async Task People_sign_in_on_its_pages_and_get_a_token_of_ours(string person, bool allowed)
    {
        var port = FreePort.Find();
        await using var provider = await StartAsync($"http://127.0.0.1:{port}/auth/callback");
        await using var oauth = OAuthServer.Start(
            ("urls", $"http://127.0.0.1:{port}"), ("Auth:Provider:Issuer", Issuer(provider)), ("Auth:Provider:ClientId", ClientId), ("Auth:Provider:ClientSecret", Secret), ("Auth:Provider:AllowedDomains", "example.com"));
        var client = await oauth.RegisterAsync();
        using var sent = await oauth.AnswerAsync(await oauth.OpenPageAsync(client), password: "");

        using var answer = await oauth.GetAsync((await SignInAsync(sent.Headers.Location!, person)).PathAndQuery);
        if (!allowed)
        {
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
            return;
        }

        var code = OAuthServer.Query(answer)["code"];
        using var token = await oauth.TokenAsync(("grant_type", "authorization_code"), ("client_id", client), ("code", code), ("code_verifier", OAuthServer.Verifier));
        var access = (await OAuthServer.JsonAsync(token)).GetProperty("access_token").GetString()!;
        Assert.Equal($"{Issuer(provider)}|{person}", OAuthServer.Claims(access).GetProperty("sub").GetString());
        Assert.Equal(HttpStatusCode.OK, await oauth.CallAsync(access));
    }

    [Fact]
    public async Task Its_access_token_opens_a_tool_and_its_id_token_does_not()
    {
        await using var provider = await StartAsync("http://127.0.0.1:1/callback");
        await using var server = TestServer.Start(NotesTools.Alone, ("Auth:Mode", "oauth2"), ("Auth:Provider:Issuer", Issuer(provider)), ("Auth:Provider:Audience", "https://tools.example"));
        using var request = new HttpRequestMessage(HttpMethod.Post, Issuer(provider) + "/token")
        {
            Content = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("resource", "https://tools.example"), new("scope", "mcp:read")]),
        };
        request.Headers.Add("Authorization", "Basic " + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{ClientId}:{WebUtility.UrlEncode(Secret)}")));
        using var answer = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);
        var token = (await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("access_token").GetString();

        using var called = await server.PostAsync("/tools/list_picked", "{}", headers: ("Authorization", "Bearer " + token));
        using var changing = await server.PostAsync("/tools/pick_note", """{"code":"milk"}""", headers: ("Authorization", "Bearer " + token));

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Forbidden), (called.StatusCode, changing.StatusCode));
    }

    private static Task<NodeProcess> StartAsync(string redirectUri) =>
        NodeProcess.StartAsync("oidc-provider.mjs", new { clientId = ClientId, secret = Secret, redirectUri, audience = "https://tools.example" });

    private static string Issuer(NodeProcess provider) => provider.Answer.GetProperty("issuer").GetString()!;

    // As a browser does: follows what it is sent to, fills in the form, agrees; until it is sent back to us.
    private static async Task<Uri> SignInAsync(Uri address, string person)
    {
        using var browser = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() });
        HttpContent? form = null;
        for (var step = 0; step < 12; step++)
        {
            using var request = new HttpRequestMessage(form is null ? HttpMethod.Get : HttpMethod.Post, address) { Content = form };
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
            form = new FormUrlEncodedContent([new("prompt", Prompt().Match(html).Groups[1].Value), new("login", person), new("password", "any")]);
        }

        throw new InvalidOperationException("The provider never came to an end.");
    }

    [GeneratedRegex("<form[^>]*action=\"([^\"]+)\"")]
    private static partial Regex Action();

    [GeneratedRegex("name=\"prompt\" value=\"([^\"]+)\"")]
    private static partial Regex Prompt();
}
