using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MinimalMcp.Auth;
using MinimalMcp.Auth.Server;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Auth.Server;

/// <summary>Who signs in, with what, and how much that person can give away.</summary>
public sealed class SignInTests
{
    private const string Password = "correct horse battery";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("https://mcp.example.com/auth/callback", true)] // as some guides say
    [InlineData(OAuthServer.ActionAddress + ",https://mcp.example.com:443/callback", true)]
    [InlineData("https://mcp.example.com:8443/callback", false)]
    [InlineData(OAuthServer.ActionAddress, false)]
    public async Task A_client_whose_answers_would_come_back_to_this_server_is_warned_of_at_the_start(
        string redirect,
        bool warned
    )
    {
        using var log = new CapturedLog();
        await using var oauth = OAuthServer.Start(
            services => services.AddSingleton<ILoggerProvider>(log),
            ("Server:PublicUrl", "https://mcp.example.com"),
            ("Auth:Server:RedirectUri", redirect)
        );

        Assert.Equal(
            warned,
            log.Lines.Any(line =>
                line.Level == LogLevel.Warning
                && line.Text.Contains("so the client cannot sign in gpt-action", StringComparison.Ordinal)
            )
        );
    }

    [Fact]
    public async Task Nobody_gives_more_than_the_key_that_was_typed_may_do()
    {
        await using var oauth = OAuthServer.Start();

        var tokens = await oauth.SignInAsync(
            "public",
            OAuthServer.ReaderKey,
            ("scope", "mcp:read mcp:write mcp:admin offline_access calendar")
        );

        Assert.Equal("mcp:read offline_access", tokens.GetProperty("scope").GetString());
        var access = tokens.GetProperty("access_token").GetString()!;
        Assert.Equal("reader", OAuthServer.Claims(access).GetProperty("sub").GetString());
        Assert.Equal(
            (HttpStatusCode.OK, HttpStatusCode.Forbidden),
            (await oauth.CallAsync(access), await oauth.CallAsync(access, "pick_note", """{"code":"milk"}"""))
        );
        var nothing = await oauth.AuthorizeAsync("public", OAuthServer.ReaderKey, ("scope", "mcp:write"));
        Assert.Equal("access_denied", nothing["error"]);
    }

    [Fact]
    public async Task People_sign_in_with_their_passwords_plain_or_hashed()
    {
        var (_, hash, _) = await HashAsync(Password);
        await using var oauth = OAuthServer.Start(
            ("Auth:Users:ann:Password", Password),
            ("Auth:Users:ann:Email", "ann@example.com"),
            ("Auth:Users:bob:PasswordHash", hash),
            ("Auth:Users:bob:Scopes", "mcp:read")
        );

        foreach (
            var (name, scope) in new[]
            {
                ("ann", "mcp:read mcp:write profile email"),
                ("bob", "mcp:read profile email"),
            }
        )
        {
            using var wrong = await oauth.AnswerAsync(
                await oauth.OpenPageAsync("public"),
                Password + "x",
                username: name
            );
            using var answer = await oauth.AnswerAsync(
                await oauth.OpenPageAsync("public", ("scope", "mcp:read mcp:write profile email")),
                Password,
                username: name
            );
            var code = OAuthServer.Query(answer)["code"];
            using var token = await oauth.TokenAsync(
                ("grant_type", "authorization_code"),
                ("client_id", "public"),
                ("code", code),
                ("code_verifier", OAuthServer.Verifier)
            );
            var json = await OAuthServer.JsonAsync(token);
            Assert.Equal((HttpStatusCode.Forbidden, scope), (wrong.StatusCode, json.GetProperty("scope").GetString()));

            using var info = await oauth.GetAsync(
                "/auth/userinfo",
                ("Authorization", "Bearer " + json.GetProperty("access_token").GetString())
            );
            var person = await OAuthServer.JsonAsync(info);
            Assert.Equal((name, name), (person.GetProperty("sub").GetString(), person.GetProperty("name").GetString()));
            Assert.Equal(
                name == "ann",
                person.TryGetProperty("email", out var email)
                    && email.GetString() == "ann@example.com"
                    && person.GetProperty("email_verified").GetBoolean()
            );
        }

        using var unknown = await oauth.GetAsync("/auth/userinfo", ("Authorization", "Bearer x"));
        using var none = await oauth.GetAsync("/auth/userinfo");
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (unknown.StatusCode, none.StatusCode));
        Assert.Contains("invalid_token", unknown.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task To_take_a_key_or_password_away_ends_what_was_allowed_with_it()
    {
        var store = TestStores.New();
        var tokens = new List<JsonElement>();
        await using (
            var before = OAuthServer.Start(
                ("Storage:Path", store),
                ("Server:PublicUrl", "http://127.0.0.1:9"),
                ("Auth:Users:ann:Password", Password)
            )
        )
        {
            tokens.Add(await before.SignInAsync("public"));
            tokens.Add(await before.SignInAsync("public", OAuthServer.ReaderKey));
            using var answer = await before.AnswerAsync(
                await before.OpenPageAsync("public"),
                Password,
                username: "ann"
            );
            using var token = await before.TokenAsync(
                ("grant_type", "authorization_code"),
                ("client_id", "public"),
                ("code", OAuthServer.Query(answer)["code"]),
                ("code_verifier", OAuthServer.Verifier)
            );
            tokens.Add(await OAuthServer.JsonAsync(token));
        }

        await using var after = OAuthServer.Start(
            ("Storage:Path", store),
            ("Server:PublicUrl", "http://127.0.0.1:9"),
            ("Auth:ApiKeys:reader:Key", "another-key-3f9c1e7b2a8d5036c4b1"),
            ("Auth:Users:ann:Password", Password + "2")
        );

        var kept = new List<HttpStatusCode>();
        foreach (var token in tokens)
        {
            using var answer = await after.RefreshAsync("public", token.GetProperty("refresh_token").GetString()!);
            kept.Add(answer.StatusCode);
        }

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.BadRequest, HttpStatusCode.BadRequest], kept);
    }

    [Fact]
    public async Task After_ten_wrong_ones_a_password_of_the_address_waits_and_a_right_key_never_does()
    {
        await using var oauth = OAuthServer.Start(("Auth:Users:ann:Password", Password));
        await using var guesser = oauth.Visitor("203.0.113.7");
        var ticket = await guesser.OpenPageAsync("public");
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 14)
                .Select(n => guesser.AnswerAsync(ticket, $"wrong {n}", username: n % 2 == 0 ? "ann" : null))
        );
        Assert.Equal(
            (10, 4),
            (
                answers.Count(answer => answer.StatusCode == HttpStatusCode.Forbidden),
                answers.Count(answer => answer.StatusCode == HttpStatusCode.TooManyRequests)
            )
        );
        Assert.InRange(
            answers
                .First(answer => answer.StatusCode == HttpStatusCode.TooManyRequests)
                .Headers.RetryAfter!.Delta!.Value.TotalSeconds,
            1,
            600
        );

        using var right = await guesser.AnswerAsync(ticket, Password, username: "ann");
        Assert.Equal(HttpStatusCode.TooManyRequests, right.StatusCode);
        Assert.Contains("code", await guesser.AuthorizeAsync("public")); // somebody else behind that address
        await using var person = oauth.Visitor("203.0.113.8");
        for (var n = 0; n < 12; n++)
        {
            using var answer = await person.AnswerAsync(
                await person.OpenPageAsync("public"),
                Password,
                username: "ann"
            );
            Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode); // right ones are not counted
        }
    }

    [Fact]
    public async Task The_wait_for_wrong_passwords_ends()
    {
        await using var oauth = OAuthServer.Start(
            services => services.AddSingleton(new RateLimitPolicies { SignIns = new(1, TimeSpan.FromSeconds(3)) }),
            ("Auth:Users:ann:Password", Password)
        );
        using var wrong = await oauth.AnswerAsync(await oauth.OpenPageAsync("public"), "wrong", username: "ann");

        HttpStatusCode status;
        do
        {
            using var answer = await oauth.AnswerAsync(await oauth.OpenPageAsync("public"), Password, username: "ann");
            status = answer.StatusCode;
        } while (status == HttpStatusCode.TooManyRequests);

        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.SeeOther), (wrong.StatusCode, status));
    }

    [Fact]
    public async Task One_address_does_not_stop_the_sign_in_of_another()
    {
        await using var oauth = OAuthServer.Start(services =>
            services.AddSingleton(new RateLimitPolicies { OpenSignIns = 3, AllOpenSignIns = 8 })
        );
        await using var person = oauth.Visitor("203.0.113.8");
        var waiting = await person.OpenPageAsync("public");
        await using var neighbour = oauth.Visitor("203.0.113.9");
        var first = await neighbour.OpenPageAsync("public");
        for (var n = 0; n < 30; n++)
        {
            // Each with more pages than it may hold open.
            await using var visitor = oauth.Visitor($"198.51.100.{n % 4}");
            await visitor.OpenPageAsync("public");
        }

        for (var n = 0; n < 3; n++)
        {
            await neighbour.OpenPageAsync("public");
        }

        using var late = await neighbour.AnswerAsync(first);
        using var answer = await person.AnswerAsync(waiting);
        Assert.Equal(HttpStatusCode.Forbidden, late.StatusCode); // its own oldest made room
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
    }

    [Fact]
    public async Task An_identity_provider_signs_in_after_the_person_has_agreed()
    {
        await using var oauth = OAuthServer.Start(services => services.AddSingleton<IExternalSignIn, FakeProvider>());
        using var page = await oauth.GetAsync(
            oauth.AuthorizeAddress("public", ("scope", "mcp:read mcp:admin profile"))
        );
        var html = await page.Content.ReadAsStringAsync(Stop);
        Assert.Contains("sign in with Example ID", html);
        Assert.DoesNotContain("type=\"password\"", html);
        Assert.Contains("https://id.example", page.Headers.GetValues("Content-Security-Policy").Single());

        async Task<string> AgreeAsync()
        {
            using var answer = await oauth.AnswerAsync(
                await oauth.OpenPageAsync("public", ("scope", "mcp:read mcp:admin profile")),
                ""
            );
            Assert.StartsWith("https://id.example/authorize?state=", answer.Headers.Location!.AbsoluteUri);
            return OAuthServer.Query(answer)["state"];
        }

        var state = await AgreeAsync();
        await using var stranger = oauth.Visitor();
        await stranger.OpenPageAsync("public");
        using var elsewhere = await stranger.GetAsync($"/auth/callback?state={state}&code=ann");
        using var finished = await oauth.GetAsync($"/auth/callback?state={state}&code=ann");
        using var again = await oauth.GetAsync($"/auth/callback?state={state}&code=ann");
        Assert.Equal(
            (HttpStatusCode.Forbidden, HttpStatusCode.SeeOther, HttpStatusCode.Forbidden),
            (elsewhere.StatusCode, finished.StatusCode, again.StatusCode)
        );
        using var token = await oauth.TokenAsync(
            ("grant_type", "authorization_code"),
            ("client_id", "public"),
            ("code", OAuthServer.Query(finished)["code"]),
            ("code_verifier", OAuthServer.Verifier)
        );
        var json = await OAuthServer.JsonAsync(token);
        Assert.Equal("mcp:read profile", json.GetProperty("scope").GetString()); // SignInScopes has no mcp:admin
        Assert.Equal(
            "id|ann",
            OAuthServer.Claims(json.GetProperty("access_token").GetString()!).GetProperty("sub").GetString()
        );

        using var refused = await oauth.GetAsync($"/auth/callback?state={await AgreeAsync()}&error=access_denied");
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Contains("You are not from here", await refused.Content.ReadAsStringAsync(Stop));
    }

    [Theory]
    [InlineData("/auth/callback", HttpStatusCode.BadRequest)]
    [InlineData("/auth/callback?state=x&code=y", HttpStatusCode.BadRequest)]
    public async Task The_callback_of_no_provider_explains_itself(string path, HttpStatusCode expected)
    {
        await using var oauth = OAuthServer.Start();

        using var answer = await oauth.GetAsync(path);

        Assert.Equal(expected, answer.StatusCode);
        Assert.Contains("signs users in itself", await answer.Content.ReadAsStringAsync(Stop));
    }

    [Theory]
    [InlineData("Nobody can sign in", "MCP_API_KEY=")]
    [InlineData("published placeholder", "SECRET_KEY=your-secure-secret-key-32-chars-minimum")]
    [InlineData("has 8 characters", "SECRET_KEY=abcdefgh")]
    [InlineData(
        "published placeholder",
        "OAUTH_CLIENT_ID=x",
        "OAUTH_CLIENT_SECRET=your-generated-client-secret",
        "OAUTH_REDIRECT_URI=https://chatgpt.com/aip/g-1/oauth/callback"
    )]
    [InlineData("but Auth:Server:ClientId", "OAUTH_CLIENT_SECRET=3f9c1e7b2a8d5036c4b1e9f73f9c1e7b2a8d5036")]
    [InlineData("RedirectUris (OAUTH_REDIRECT_URI) is missing", "OAUTH_CLIENT_ID=x")]
    [InlineData("has 'http://example.com/cb'", "OAUTH_CLIENT_ID=x", "OAUTH_REDIRECT_URI=http://example.com/cb")]
    [InlineData(
        "Scope (OAUTH_SCOPE) has 'mcp:all'",
        "OAUTH_CLIENT_ID=x",
        "OAUTH_REDIRECT_URI=https://chatgpt.com/cb",
        "OAUTH_SCOPE=mcp:all"
    )]
    [InlineData("must be between 1 and 1440", "ACCESS_TOKEN_EXPIRE_MINUTES=0")]
    [InlineData("must be between 1 and 3650", "REFRESH_TOKEN_EXPIRE_DAYS=9999")]
    [InlineData("it needs at least 12", "Auth__Users__ann__Password=short")]
    [InlineData("hash-password", "Auth__Users__ann__PasswordHash=abc")]
    [InlineData("have the same name", "Auth__Users__default__Password=" + Password)]
    [InlineData("without https:// and without a path", "Auth__Server__RedirectHosts=https://claude.ai")]
    [InlineData("Auth:Server:Documents:chatgpt", "Auth__Server__Documents__chatgpt={\"client_id\":1}")]
    [InlineData("must be open or closed", "Auth__Server__Registration=maybe")]
    [InlineData("SECRET_KEY) is missing", "Storage__ConnectionString=Host=127.0.0.1;Port=1;Timeout=1")]
    public async Task A_setting_that_is_wrong_is_told_in_a_sentence(string expected, params string[] variables)
    {
        var environment = new Dictionary<string, string>
        {
            ["MCP_AUTH_MODE"] = "embedded",
            ["MCP_API_KEY"] = OAuthServer.Key,
        };
        foreach (var variable in variables)
        {
            environment[variable.Split('=', 2)[0]] = variable.Split('=', 2)[1];
        }

        var (exitCode, _, errors) = await ServerProcess.RunAsync(["--urls", "http://127.0.0.1:0"], environment);

        Assert.Equal(1, exitCode);
        Assert.Contains(expected, errors);
        Assert.DoesNotContain("   at ", errors);
        Assert.DoesNotContain(OAuthServer.Key, errors);
    }

    private static async Task<(int, string, string)> HashAsync(string password)
    {
        await using var process = ServerProcess.Start(["hash-password"]);
        await process.SendAsync(password + "\n");
        var (exitCode, output, errors) = await process.EndAsync();
        Assert.True(exitCode == 0, errors);
        return (exitCode, output.Trim(), errors);
    }

    private sealed class FakeProvider : IExternalSignIn
    {
        public string Name => "Example ID";

        public ValueTask<string> OriginAsync(CancellationToken cancellationToken) =>
            ValueTask.FromResult("https://id.example");

        public ValueTask<Uri> StartAsync(string state, CancellationToken cancellationToken) =>
            ValueTask.FromResult(new Uri("https://id.example/authorize?state=" + state));

        public ValueTask<ExternalUser> FinishAsync(
            string state,
            IQueryCollection answer,
            CancellationToken cancellationToken
        ) =>
            answer["code"].ToString() is { Length: > 0 } code
                ? ValueTask.FromResult(new ExternalUser("id|" + code, code))
                : throw new SignInException("You are not from here.");
    }
}
