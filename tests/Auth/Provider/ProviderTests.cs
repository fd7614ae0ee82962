using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Auth.Provider;

/// <summary>
/// Mode oauth2: the provider's keys come, change and fail to come, and its tokens open what they may.
/// </summary>
public sealed class ProviderTests
{
    private static readonly TestKey First = TestKey.New("first", "RS256"),
        Second = TestKey.New("second", "RS256");

    private readonly ManualTime _time = new();

    [Fact]
    public async Task A_new_key_is_taken_with_its_first_token()
    {
        await using var provider = await FakeProvider.StartAsync(0, First);
        await using var server = Start(provider);
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, Token(provider, First)));
        provider.Keys.Add(Second);

        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(server, Token(provider, Second))); // asked just now
        _time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, Token(provider, Second)));

        Assert.Equal(2, provider.Asked());
    }

    [Fact]
    public async Task A_flood_of_unknown_keys_asks_the_provider_twice_a_minute()
    {
        await using var provider = await FakeProvider.StartAsync(0, First);
        await using var server = Start(provider);
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, Token(provider, First)));
        var before = provider.Asked();

        for (var second = 0; second < 60; second += 5)
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            var answers = await Task.WhenAll(
                Enumerable
                    .Range(0, 10)
                    .Select(i =>
                        CallAsync(
                            server,
                            Token(provider, Second, header: header => header["kid"] = $"unknown-{second}-{i}")
                        )
                    )
            );
            Assert.All(answers, status => Assert.Equal(HttpStatusCode.Unauthorized, status));
        }

        Assert.Equal(2, provider.Asked() - before);
    }

    public static TheoryData<string> Failures => [.. Faults.Keys];

    [Theory, MemberData(nameof(Failures))]
    public async Task Keys_that_cannot_be_read_are_no_ones_fault_who_calls(string failure)
    {
        await using var provider = await FakeProvider.StartAsync(0, First);
        provider.Broken = Faults[failure];
        await using var server = Start(provider);

        for (var i = 0; i < 5; i++)
        {
            using var answer = await SendAsync(server, Token(provider, First));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.True(answer.Headers.RetryAfter is not null);
        }

        Assert.Equal(1, provider.Asked());
        provider.Broken = null;
        _time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, Token(provider, First)));
    }

    [Theory, MemberData(nameof(Failures))]
    public async Task Keys_that_are_known_serve_for_a_day_while_the_provider_fails(string failure)
    {
        await using var provider = await FakeProvider.StartAsync(0, First);
        await using var server = Start(provider);
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, Token(provider, First)));
        provider.Broken = Faults[failure];
        var before = provider.Asked();

        for (var minute = 0; minute < 12 * 60; minute += 45)
        {
            _time.Advance(TimeSpan.FromMinutes(45));
            Assert.Equal(HttpStatusCode.OK, await CallAsync(server, Token(provider, First)));
        }

        Assert.InRange(provider.Asked() - before, 1, 16);
        _time.Advance(TimeSpan.FromHours(13));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await CallAsync(server, Token(provider, First)));
    }

    [Fact]
    public async Task A_provider_that_hangs_holds_a_call_up_for_seconds()
    {
        await using var provider = await FakeProvider.StartAsync(0, First);
        provider.Broken = http =>
            Task.Delay(Timeout.Infinite, http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        await using var server = Start(provider);

        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => CallAsync(server, Token(provider, First))));

        Assert.All(answers, status => Assert.Equal(HttpStatusCode.ServiceUnavailable, status));
        Assert.Equal(1, provider.Asked());
    }

    [Fact]
    public async Task A_provider_that_is_down_keeps_the_server_from_nothing_but_its_tokens()
    {
        var port = FreePort.Find();
        await using var server = Start($"http://127.0.0.1:{port}");
        using (
            var health = await server.Http.GetAsync(
                new Uri("/health/live", UriKind.Relative),
                TestContext.Current.CancellationToken
            )
        )
        {
            Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        }

        var early = Token($"http://127.0.0.1:{port}", First);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await CallAsync(server, early));
        await using var provider = await FakeProvider.StartAsync(port, First);
        _time.Advance(TimeSpan.FromSeconds(31));

        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, early));
    }

    private static readonly string[] Documents =
    [
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/ai-plugin.json",
        "/openapi.json",
    ];

    public static TheoryData<string> OfDocuments => [.. Documents];

    // A day after the provider was last asked nothing that was kept serves any more, whichever request comes first.
    [Theory, MemberData(nameof(OfDocuments))]
    public async Task A_document_of_the_provider_is_fetched_when_it_is_asked_for(string path)
    {
        await using var provider = await FakeProvider.StartAsync(0, First);
        await using var server = Start(provider);
        Assert.Equal(HttpStatusCode.OK, await GetAsync(server, path));
        var before = provider.Asked("/.well-known/openid-configuration");

        _time.Advance(TimeSpan.FromHours(25));
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => GetAsync(server, path)));

        Assert.All(answers, status => Assert.Equal(HttpStatusCode.OK, status));
        Assert.Equal(1, provider.Asked("/.well-known/openid-configuration") - before);
    }

    [Fact]
    public async Task What_failed_a_day_ago_does_not_keep_the_next_request_from_asking()
    {
        await using var provider = await FakeProvider.StartAsync(0, First);
        await using var server = Start(provider);
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, Token(provider, First)));
        provider.Broken = Faults["500"];
        _time.Advance(TimeSpan.FromMinutes(61));
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, Token(provider, First)));
        await Wait.Until(() => provider.Asked() == 2);
        provider.Broken = null;

        _time.Advance(TimeSpan.FromHours(25));

        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, Token(provider, First)));
    }

    [Theory, MemberData(nameof(OfDocuments))]
    public async Task A_document_that_cannot_be_had_is_503_until_it_can(string path)
    {
        var port = FreePort.Find();
        await using var server = Start($"http://127.0.0.1:{port}");
        using (
            var early = await server.Http.GetAsync(
                new Uri(path, UriKind.Relative),
                TestContext.Current.CancellationToken
            )
        )
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, early.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(30), early.Headers.RetryAfter!.Delta);
        }

        await using var provider = await FakeProvider.StartAsync(port, First);
        _time.Advance(TimeSpan.FromSeconds(31));

        Assert.Equal(HttpStatusCode.OK, await GetAsync(server, path));
    }

    // Clients throw a token away that got 401, and this one is good.
    [Theory, MemberData(nameof(Failures))]
    public async Task A_token_of_a_new_key_is_not_refused_while_the_keys_cannot_be_read(string failure)
    {
        await using var provider = await FakeProvider.StartAsync(0, First);
        await using var server = Start(provider);
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, Token(provider, First)));
        provider.Keys.Add(Second);
        provider.Broken = Faults[failure];
        _time.Advance(TimeSpan.FromSeconds(31));

        for (var i = 0; i < 3; i++)
        {
            using var answer = await SendAsync(server, Token(provider, Second));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.NotNull(answer.Headers.RetryAfter);
        }

        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, Token(provider, First)));
        provider.Broken = null;
        _time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, Token(provider, Second)));
    }

    [Theory]
    [InlineData(
        "https://another.example",
        "its audience (aud) is 'https://another.example', but this server accepts '"
    )]
    [InlineData(null, "its audience (aud) is missing, but this server accepts '")]
    public async Task The_log_has_both_audiences_of_a_token_for_another_server(string? audience, string expected)
    {
        using var log = new CapturedLog();
        await using var provider = await FakeProvider.StartAsync(0, First);
        await using var server = TestServer.Start(
            services => NotesTools.Alone(services.AddSingleton<TimeProvider>(_time).AddSingleton<ILoggerProvider>(log)),
            ("Auth:Mode", "oauth2"),
            ("Auth:Provider:Issuer", provider.Url),
            ("Auth:Provider:Audience", Forge.Audience)
        );

        using var answer = await SendAsync(server, Token(provider, First, claims => claims["aud"] = audience));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Contains(log.Lines, line => line.Text.Contains(expected + Forge.Audience, StringComparison.Ordinal));
        // Its metadata has neither registration nor S256: that is said when the server starts.
        Assert.Contains(log.Lines, line =>
            line.Text.Contains("MCP clients such as ChatGPT cannot register", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_token_that_was_seen_is_refused_when_its_key_is_withdrawn()
    {
        await using var provider = await FakeProvider.StartAsync(0, First, Second);
        await using var server = Start(provider);
        var token = Token(provider, First, claims: claims =>
            claims["exp"] = _time.GetUtcNow().AddHours(3).ToUnixTimeSeconds()
        );
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, token));
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, token));

        provider.Keys.Remove(First);
        _time.Advance(TimeSpan.FromMinutes(61));

        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(server, token));
    }

    [Fact]
    public async Task A_token_that_was_seen_ends_when_it_says()
    {
        await using var provider = await FakeProvider.StartAsync(0, First);
        await using var server = Start(provider);
        var token = Token(provider, First, claims: claims =>
            claims["exp"] = _time.GetUtcNow().AddSeconds(20).ToUnixTimeSeconds()
        );
        Assert.Equal(HttpStatusCode.OK, await CallAsync(server, token));

        // beyond what clocks may differ by, and within the minute that tokens are remembered
        _time.Advance(TimeSpan.FromSeconds(55));

        using var answer = await SendAsync(server, token);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Contains(
            "a clock is wrong: this server's is 2026-01-01T00:00:55Z",
            await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
    }

    [Theory]
    [InlineData(-10, "is not valid yet (nbf)")]
    [InlineData(10, "has expired (exp)")]
    public async Task A_server_whose_clock_is_wrong_says_so(int minutes, string expected)
    {
        await using var provider = await FakeProvider.StartAsync(0, First);
        await using var server = Start(provider);
        var token = Token(provider, First, claims: claims =>
        {
            claims["nbf"] = _time.GetUtcNow().AddMinutes(-minutes).ToUnixTimeSeconds();
            claims["exp"] = _time.GetUtcNow().AddMinutes(5 - minutes).ToUnixTimeSeconds();
        });

        using var answer = await SendAsync(server, token);

        Assert.Contains(
            expected + ". If it should be valid, a clock is wrong",
            await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
    }

    private static readonly Dictionary<string, RequestDelegate> Faults = new()
    {
        ["500"] = http =>
        {
            http.Response.StatusCode = 500;
            return Task.CompletedTask;
        },
        ["503"] = http =>
        {
            http.Response.StatusCode = 503;
            return Task.CompletedTask;
        },
        ["garbage"] = http => WriteAsync(http, "application/json", "{\"keys\":[{]"),
        ["HTML"] = http => WriteAsync(http, "text/html", "<html><body>Maintenance</body></html>"),
        ["HTML that says it is JSON"] = http =>
            WriteAsync(http, "application/json", "<html><body>Maintenance</body></html>"),
        ["does not accept API keys"] = http => WriteAsync(http, "application/json", "{\"keys\":[]}"),
        ["keys of no use"] = http =>
            WriteAsync(http, "application/json", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}"),
        ["256 MiB"] = async http =>
        {
            http.Response.ContentType = "application/json";
            for (var i = 0; i < 256 && !http.RequestAborted.IsCancellationRequested; i++)
            {
                await http.Response.Body.WriteAsync(new byte[1 << 20], http.RequestAborted);
            }
        },
        ["redirect"] = http =>
        {
            http.Response.Redirect("/.well-known/openid-configuration");
            return Task.CompletedTask;
        },
        ["cut"] = async http =>
        {
            http.Response.ContentLength = 1000;
            http.Response.ContentType = "application/json";
            await http.Response.Body.WriteAsync("{\"keys\":"u8.ToArray(), http.RequestAborted);
            http.Abort();
        },
    };

    private static Task WriteAsync(HttpContext http, string type, string text)
    {
        http.Response.ContentType = type;
        return http.Response.WriteAsync(text, http.RequestAborted);
    }

    private TestServer Start(FakeProvider provider, params (string, string)[] settings) =>
        Start(provider.Url, settings);

    private TestServer Start(string issuer, params (string, string)[] settings) =>
        TestServer.Start(
            services =>
            {
                NotesTools.Alone(services);
                services.AddSingleton<TimeProvider>(_time);
            },
            [
                ("Auth:Mode", "oauth2"),
                ("Auth:Provider:Issuer", issuer),
                ("Auth:Provider:Audience", Forge.Audience),
                .. settings,
            ]
        );

    private string Token(
        FakeProvider provider,
        TestKey key,
        Action<JsonObject>? claims = null,
        Action<JsonObject>? header = null
    ) => Token(provider.Issuer, key, claims, header);

    private string Token(
        string issuer,
        TestKey key,
        Action<JsonObject>? claims = null,
        Action<JsonObject>? header = null
    )
    {
        var forge = new Forge(issuer, key);
        var (said, head) = (forge.Claims(), forge.Header());
        var now = _time.GetUtcNow().ToUnixTimeSeconds();
        (said["iat"], said["nbf"], said["exp"]) = (now, now, now + 300);
        claims?.Invoke(said);
        header?.Invoke(head);
        return forge.Sign(head, said);
    }

    private static Task<HttpResponseMessage> SendAsync(TestServer server, string token) =>
        server.PostAsync("/tools/list_picked", "{}", headers: ("Authorization", "Bearer " + token));

    private static async Task<HttpStatusCode> GetAsync(TestServer server, string path)
    {
        using var answer = await server.Http.GetAsync(
            new Uri(path, UriKind.Relative),
            TestContext.Current.CancellationToken
        );
        return answer.StatusCode;
    }

    private static async Task<HttpStatusCode> CallAsync(TestServer server, string token)
    {
        using var answer = await SendAsync(server, token);
        return answer.StatusCode;
    }
}
