using System.Net;
using System.Text.Json;

namespace MinimalMcp.ChatGpt;

/// <summary>
/// A connection with a client that registered itself: the page, the code, and every way in that must fail.
/// </summary>
internal static class ConnectionChecks
{
    public static async Task RunAsync(Checklist checks, Target target, Options options)
    {
        checks.Group("A client that registers itself");
        Client client = null!;
        if (
            !await checks.CheckAsync("ChatGPT registers and gets an id and no secret", async () =>
                client = await RegisterAsync(target, Client.StableRedirect)
            )
        )
        {
            return;
        }

        await checks.CheckAsync("registering again gives another client and leaves the first one", async () =>
            Must.Be((await RegisterAsync(target, Client.CallbackRedirect)).Id != client.Id, "both have the same id")
        );
        await checks.CheckAsync("a redirect to another host is refused with invalid_redirect_uri", async () =>
            Must.Equal(
                "invalid_redirect_uri",
                (await RegisterAsync(target, ["https://evil.example/callback"]))
                    .Requires(HttpStatusCode.BadRequest)
                    .Json.Text("error"),
                "error"
            )
        );

        using var person = new Person(options);
        var request = client.Authorize();
        HttpAnswer page = null!;
        await checks.CheckAsync("the person sees who asks and where the answer goes", async () =>
        {
            page = (await person.OpenAsync(request.Url)).Requires(HttpStatusCode.OK);
            Must.Be(
                page.Body.Contains("ChatGPT", StringComparison.Ordinal)
                    && page.Body.Contains("chatgpt.com", StringComparison.Ordinal),
                "the page must name ChatGPT and chatgpt.com"
            );
        });
        await checks.CheckAsync("no other site can frame the page, and nothing keeps it", () =>
        {
            var policy = page.Headers.TryGetValues("Content-Security-Policy", out var values)
                ? string.Join(';', values)
                : "";
            return DiscoveryChecks.Is(
                policy.Contains("frame-ancestors 'none'", StringComparison.Ordinal)
                    && page.Headers.CacheControl?.NoStore is true,
                policy
            );
        });
        await checks.CheckAsync("a wrong key signs nobody in", async () =>
            Must.Be(
                (await person.DecideAsync(request.Url, page, allow: true, key: "wrong-key-wrong-key-wrong-key-wrong"))
                    .Headers
                    .Location
                    is null,
                "the browser was sent back"
            )
        );
        await checks.CheckAsync("a refusal goes back as access_denied, with state and iss", async () =>
        {
            var refused = client.Authorize();
            var answer = Authorization.Answer(await person.SignInAsync(refused.Url, allow: false));
            Must.Equal(
                ("access_denied", refused.State, target.Issuer),
                (answer.GetValueOrDefault("error"), answer.GetValueOrDefault("state"), answer.GetValueOrDefault("iss")),
                "the answer"
            );
        });
        await CodeAsync(checks, target, client, person);
        await RefusedRequestsAsync(checks, target, client, person);
    }

    public static async Task<Client> RegisterAsync(Target target, string redirect) =>
        new(
            target,
            (await RegisterAsync(target, [redirect])).Requires(HttpStatusCode.Created).Json.Text("client_id"),
            redirect
        );

    private static Task<HttpAnswer> RegisterAsync(Target target, string[] redirects) =>
        target.PostJsonAsync(
            target.Metadata.Text("registration_endpoint"),
            new
            {
                client_name = "ChatGPT",
                redirect_uris = redirects,
                grant_types = new[] { "authorization_code", "refresh_token" },
                response_types = new[] { "code" },
                token_endpoint_auth_method = "none",
            }
        );

    private static async Task CodeAsync(Checklist checks, Target target, Client client, Person person)
    {
        var request = client.Authorize();
        var code = "";
        await checks.CheckAsync("consent sends back a code, the state and the exact issuer", async () =>
            code = request.Code(await person.SignInAsync(request.Url), target.Issuer)
        );
        Tokens? tokens = null;
        await checks.CheckAsync("the code becomes tokens, and the answer is kept nowhere", async () =>
        {
            var answer = await client.RedeemAsync(code, request.Verifier);
            tokens = Tokens.From(answer);
            Must.Be(answer.Headers.CacheControl?.NoStore is true, "Cache-Control must be no-store");
        });
        await checks.CheckAsync("there is a refresh token, and the access token ends some day", () =>
            DiscoveryChecks.Is(tokens is { Refresh: not null, ExpiresIn: > 0 and <= 86_400 }, $"{tokens?.ExpiresIn}")
        );
        await checks.CheckAsync("what was granted is told, and every advertised scope may be asked for", () =>
            DiscoveryChecks.Is(tokens?.Scope.Length > 0, "scope is empty")
        );
        await checks.CheckAsync("the access token opens the server", async () =>
            (await target.InitializeAsync(tokens!.Access))
                .Requires(HttpStatusCode.OK)
                .Result.GetProperty("serverInfo")
                .Text("name")
        );
        await checks.CheckAsync("the same code again is invalid_grant", async () =>
            Must.Equal("invalid_grant", Error(await client.RedeemAsync(code, request.Verifier)), "error")
        );
        await checks.CheckAsync("... and what it had given is revoked", async () =>
            (await target.InitializeAsync(tokens!.Access)).Requires(HttpStatusCode.Unauthorized)
        );
        await checks.CheckAsync("a wrong verifier is invalid_grant and burns the code", async () =>
        {
            var other = client.Authorize();
            var burned = other.Code(await person.SignInAsync(other.Url), target.Issuer);
            Must.Equal("invalid_grant", Error(await client.RedeemAsync(burned, request.Verifier)), "error");
            Must.Equal(
                "invalid_grant",
                Error(await client.RedeemAsync(burned, other.Verifier)),
                "error of the second try"
            );
        });
        await checks.CheckAsync("a token for another resource is invalid_target", async () =>
        {
            var other = client.Authorize();
            var foreign = other.Code(await person.SignInAsync(other.Url), target.Issuer);
            Must.Equal(
                "invalid_target",
                Error(await client.RedeemAsync(foreign, other.Verifier, ("resource", "https://other.example/mcp"))),
                "error"
            );
        });
        await checks.CheckAsync("another client cannot use the code", async () =>
        {
            var other = client.Authorize();
            var stolen = other.Code(await person.SignInAsync(other.Url), target.Issuer);
            Must.Equal(
                "invalid_grant",
                Error(await (await RegisterAsync(target, Client.StableRedirect)).RedeemAsync(stolen, other.Verifier)),
                "error"
            );
        });
    }

    private static async Task RefusedRequestsAsync(Checklist checks, Target target, Client client, Person person)
    {
        foreach (
            var (name, changes, error) in ((string, (string, string?)[], string)[])
                [
                    (
                        "a request without PKCE",
                        [("code_challenge", null), ("code_challenge_method", null)],
                        "invalid_request"
                    ),
                    ("a request with PKCE 'plain'", [("code_challenge_method", "plain")], "invalid_request"),
                    ("a request for another resource", [("resource", "https://other.example/mcp")], "invalid_target"),
                    ("a request for a token at once", [("response_type", "token")], "unsupported_response_type"),
                    ("a request for unknown scopes alone", [("scope", "everything")], "invalid_scope"),
                ]
        )
        {
            await checks.CheckAsync($"{name} goes back as {error}, with state and iss", async () =>
            {
                var refused = client.Authorize(null, changes);
                var answer = Authorization.Answer(await person.SignInAsync(refused.Url));
                Must.Equal(
                    (error, refused.State, target.Issuer),
                    (
                        answer.GetValueOrDefault("error"),
                        answer.GetValueOrDefault("state"),
                        answer.GetValueOrDefault("iss")
                    ),
                    "the answer"
                );
            });
        }

        await checks.CheckAsync("an unknown scope beside known ones is left out, and the rest is granted", async () =>
        {
            var tokens = await client.ConnectAsync(person, "mcp:read everything");
            Must.Equal("mcp:read", tokens.Scope, "scope");
        });
        await checks.CheckAsync("a redirect that was not registered is told on the page and not sent there", async () =>
            Must.Be(
                (await person.OpenAsync(client.Authorize(null, ("redirect_uri", "https://chatgpt.com/elsewhere")).Url))
                    .Headers
                    .Location
                    is null,
                "the browser was sent there"
            )
        );
        await checks.CheckAsync("an unknown client is told on the page and not sent on", async () =>
            Must.Be(
                (await person.OpenAsync(client.Authorize(null, ("client_id", "nobody")).Url)).Headers.Location is null,
                "the browser was sent on"
            )
        );
    }

    internal static string Error(HttpAnswer answer)
    {
        Must.Be((int)answer.Status is >= 400 and < 500, $"the answer is {(int)answer.Status}: {answer.Body}");
        return answer.Json.ValueKind is JsonValueKind.Object ? answer.Json.Text("error") : "";
    }
}
