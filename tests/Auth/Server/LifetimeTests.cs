using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Auth.Server;

/// <summary>How long what was given out is good, and what ends it.</summary>
[Slow]
public sealed class LifetimeTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_code_lives_a_minute_and_an_access_token_as_long_as_it_says()
    {
        var (oauth, time) = Start(("Auth:Server:AccessTokenMinutes", "5"));
        await using var _ = oauth;
        var code = (await oauth.AuthorizeAsync("public"))["code"];
        time.Advance(TimeSpan.FromSeconds(61));
        using var late = await oauth.TokenAsync(
            ("grant_type", "authorization_code"),
            ("client_id", "public"),
            ("code", code),
            ("code_verifier", OAuthServer.Verifier)
        );
        Assert.Equal(HttpStatusCode.BadRequest, late.StatusCode);

        var tokens = await oauth.SignInAsync("public");
        var access = tokens.GetProperty("access_token").GetString()!;
        Assert.Equal(300, tokens.GetProperty("expires_in").GetInt32());
        Assert.Equal(HttpStatusCode.OK, await oauth.CallAsync(access));
        time.Advance(TimeSpan.FromSeconds(299));
        Assert.Equal(HttpStatusCode.OK, await oauth.CallAsync(access));
        time.Advance(TimeSpan.FromSeconds(32)); // beyond the leeway
        Assert.Equal(HttpStatusCode.Unauthorized, await oauth.CallAsync(access));
    }

    [Fact]
    public async Task A_refresh_token_that_comes_back_late_ends_everything_of_its_grant()
    {
        var (oauth, time) = Start();
        await using var _ = oauth;
        var first = await oauth.SignInAsync("public");
        var second = await Refreshed(oauth, first);
        Assert.Equal(HttpStatusCode.OK, await oauth.CallAsync(Access(second)));

        time.Advance(TimeSpan.FromSeconds(31));
        using var replay = await oauth.RefreshAsync("public", Refresh(first));

        Assert.Equal("invalid_grant", (await OAuthServer.JsonAsync(replay)).GetProperty("error").GetString());
        // although it was good a moment ago
        Assert.Equal(HttpStatusCode.Unauthorized, await oauth.CallAsync(Access(second)));
        using var next = await oauth.RefreshAsync("public", Refresh(second));
        Assert.Equal("invalid_grant", (await OAuthServer.JsonAsync(next)).GetProperty("error").GetString());
    }

    [Fact]
    public async Task A_refresh_token_whose_successor_was_used_ends_the_grant_however_soon_it_comes_back()
    {
        var (oauth, _) = Start();
        await using var _1 = oauth;
        var first = await oauth.SignInAsync("public");
        var third = await Refreshed(oauth, await Refreshed(oauth, first)); // whoever refreshed twice lost no answer

        using var replay = await oauth.RefreshAsync("public", Refresh(first));

        Assert.Equal("invalid_grant", (await OAuthServer.JsonAsync(replay)).GetProperty("error").GetString());
        Assert.Equal(HttpStatusCode.Unauthorized, await oauth.CallAsync(Access(third)));
    }

    [Fact]
    public async Task A_connection_that_is_used_lives_on_and_one_that_is_not_ends()
    {
        var (oauth, time) = Start(("Auth:Server:RefreshTokenDays", "7"));
        await using var _ = oauth;
        var tokens = await oauth.SignInAsync("public");
        for (var week = 0; week < 10; week++)
        {
            time.Advance(TimeSpan.FromDays(6));
            tokens = await Refreshed(oauth, tokens);
        }

        Assert.Equal(HttpStatusCode.OK, await oauth.CallAsync(Access(tokens)));
        time.Advance(TimeSpan.FromDays(8));
        using var late = await oauth.RefreshAsync("public", Refresh(tokens));
        Assert.Equal("invalid_grant", (await OAuthServer.JsonAsync(late)).GetProperty("error").GetString());
    }

    [Fact]
    public async Task A_code_that_comes_a_second_time_takes_back_what_the_first_brought()
    {
        await using var oauth = OAuthServer.Start();
        var code = (await oauth.AuthorizeAsync("public"))["code"];
        Task<HttpResponseMessage> RedeemAsync() =>
            oauth.TokenAsync(
                ("grant_type", "authorization_code"),
                ("client_id", "public"),
                ("code", code),
                ("code_verifier", OAuthServer.Verifier)
            );

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => RedeemAsync()));

        var winner = Assert.Single(answers, answer => answer.IsSuccessStatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await oauth.CallAsync(Access(await OAuthServer.JsonAsync(winner))));
    }

    [Fact]
    public async Task Revoking_ends_an_access_token_at_once()
    {
        await using var oauth = OAuthServer.Start();
        var tokens = await oauth.SignInAsync("public");
        Assert.Equal(HttpStatusCode.OK, await oauth.CallAsync(Access(tokens)));

        using var revoked = await oauth.PostFormAsync(
            "/auth/revoke",
            [("token", Refresh(tokens)), ("client_id", "public")]
        );

        Assert.Equal(
            (HttpStatusCode.OK, HttpStatusCode.Unauthorized),
            (revoked.StatusCode, await oauth.CallAsync(Access(tokens)))
        );
    }

    [Fact]
    public async Task A_new_key_signs_from_its_time_on_and_the_one_before_stays_published_as_long_as_it_is_needed()
    {
        var (oauth, time) = Start(("Auth:Server:KeyDays", "30"));
        await using var _ = oauth;
        Assert.Single(await PublishedAsync(oauth)); // made now
        time.Advance(TimeSpan.FromDays(30) - TimeSpan.FromMinutes(10));
        var old = await oauth.SignInAsync("public");

        time.Advance(TimeSpan.FromMinutes(11));
        var fresh = await oauth.SignInAsync("public");

        Assert.NotEqual(Kid(old), Kid(fresh));
        Assert.Equal([Kid(fresh), Kid(old)], await PublishedAsync(oauth));
        Assert.Equal(
            (HttpStatusCode.OK, HttpStatusCode.OK),
            (await oauth.CallAsync(Access(old)), await oauth.CallAsync(Access(fresh)))
        );
        time.Advance(TimeSpan.FromDays(30)); // and once more: the first is retired
        var last = await oauth.SignInAsync("public");
        Assert.Equal([Kid(last), Kid(fresh)], await PublishedAsync(oauth));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a-secret-of-my-own-3f9c1e7b2a8d5036c4b1e9f7")]
    public async Task A_restart_changes_nothing_and_neither_does_kill_9(string secret)
    {
        var store = TestStores.New();
        var environment = new Dictionary<string, string>
        {
            ["Storage__Path"] = store,
            ["MCP_AUTH_MODE"] = "embedded",
            ["MCP_API_KEY"] = OAuthServer.Key,
            ["SECRET_KEY"] = secret,
        };
        var (client, tokens, kid) = ("", default(JsonElement), "");
        for (var round = 0; round < 3; round++)
        {
            var port = FreePort.Find();
            environment["PUBLIC_URL"] = "http://127.0.0.1:9"; // the issuer stays the same whichever port is free
            await using var process = ServerProcess.Start(["--urls", $"http://127.0.0.1:{port}"], environment);
            await using var oauth = OAuthServer.At(new($"http://127.0.0.1:{port}"), "http://127.0.0.1:9");
            await oauth.WaitAsync();
            if (round == 0)
            {
                client = await oauth.RegisterAsync();
                tokens = await oauth.SignInAsync(client);
                kid = Kid(tokens);
            }
            else
            {
                // which only a good token is told
                Assert.Equal(HttpStatusCode.NotFound, await oauth.CallAsync(Access(tokens), "no_such_tool"));
                tokens = await Refreshed(oauth, tokens, client);
                Assert.Equal(kid, Kid(tokens));
            }

            if (round == 0)
            {
                await process.KillAsync();
            }
            else
            {
                Assert.Equal(0, await process.TerminateAsync());
            }
        }

        Assert.Equal(secret.Length == 0, File.Exists(store + ".key"));
        if (secret.Length == 0 && !OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(store + ".key"));
        }

        // And a copy of the store opens nothing.
        var bytes = await File.ReadAllBytesAsync(store, Stop);
        Assert.All([Refresh(tokens), Access(tokens), OAuthServer.Key], value =>
            Assert.Equal(-1, bytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(value)))
        );
    }

    [Fact]
    public async Task With_another_secret_old_tokens_are_refused_and_people_sign_in_again()
    {
        var store = TestStores.New();
        JsonElement old;
        await using (
            var first = OAuthServer.Start(
                ("Storage:Path", store),
                ("Auth:Server:SecretKey", "one-secret-8d5036c4b1e9f73f9c1e7b2a"),
                ("Server:PublicUrl", "http://127.0.0.1:9")
            )
        )
        {
            old = await first.SignInAsync("public");
        }

        await using var second = OAuthServer.Start(
            ("Storage:Path", store),
            ("Auth:Server:SecretKey", "two-secret-8d5036c4b1e9f73f9c1e7b2a"),
            ("Server:PublicUrl", "http://127.0.0.1:9")
        );

        Assert.Equal(HttpStatusCode.Unauthorized, await second.CallAsync(Access(old)));
        Assert.Equal(HttpStatusCode.OK, await second.CallAsync(Access(await second.SignInAsync("public"))));
    }

    private static (OAuthServer, ShiftedTime) Start(params (string, string)[] settings)
    {
        var time = new ShiftedTime();
        return (OAuthServer.Start(services => services.AddSingleton<TimeProvider>(time), settings), time);
    }

    private static async Task<JsonElement> Refreshed(OAuthServer oauth, JsonElement tokens, string client = "public")
    {
        using var answer = await oauth.RefreshAsync(client, Refresh(tokens));
        var json = await OAuthServer.JsonAsync(answer);
        Assert.True(answer.IsSuccessStatusCode, json.ToString());
        return json;
    }

    private static async Task<IEnumerable<string>> PublishedAsync(OAuthServer oauth)
    {
        using var answer = await oauth.GetAsync("/auth/jwks");
        var keys = (await OAuthServer.JsonAsync(answer)).GetProperty("keys");
        Assert.All(keys.EnumerateArray(), key => Assert.False(key.TryGetProperty("d", out _)));
        return keys.EnumerateArray().Select(key => key.GetProperty("kid").GetString()!);
    }

    private static string Access(JsonElement tokens) => tokens.GetProperty("access_token").GetString()!;

    private static string Refresh(JsonElement tokens) => tokens.GetProperty("refresh_token").GetString()!;

    private static string Kid(JsonElement tokens) => (string)Jwt.Decode(Access(tokens).Split('.')[0])["kid"]!;
}
