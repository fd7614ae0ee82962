using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MinimalMcp.Auth;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Auth;

/// <summary>Who guesses is stopped, who asks too often is told when to come back, and nobody else notices.</summary>
public sealed class RequestLimitTests
{
    [Theory]
    [InlineData("198.51.100.1", "198.51.100.2")]
    [InlineData("2001:db8:1:1::1", "2001:db8:1:2::1")]
    public async Task After_ten_wrong_keys_of_an_address_the_next_one_waits_and_a_right_one_never_does(
        string guesser,
        string other
    )
    {
        await using var server = Modes.Start("hybrid");
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(401, (await AskAsync(server, $"wrong-{i}", guesser)).Status);
        }

        var (status, wait) = await AskAsync(server, "wrong", guesser);
        Assert.Equal(429, status);
        Assert.InRange(wait!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        // Others share the address, behind a proxy that names nobody.
        Assert.Equal(200, (await AskAsync(server, Modes.Key, guesser)).Status);
        Assert.Equal(401, (await AskAsync(server, "wrong", other)).Status);
        Assert.Equal(200, (await AskAsync(server, "ann.read.x", guesser)).Status);
    }

    [Fact]
    public async Task Whoever_guesses_long_keys_is_stopped_as_well()
    {
        await using var server = Modes.Start("api-key");
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(401, (await AskAsync(server, $"{Modes.Key}-wrong-{i}")).Status);
        }

        var (status, wait) = await AskAsync(server, Modes.Key + "-wrong");

        Assert.Equal(429, status);
        Assert.InRange(wait!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        Assert.Equal(200, (await AskAsync(server, Modes.Key)).Status);
    }

    [Fact]
    public async Task A_key_that_is_short_enough_to_be_guessed_waits_with_the_wrong_ones_and_not_for_ever()
    {
        const string Short = "a-short-key";
        await using var server = Modes.Start(
            services =>
                TestTokens.WithNotes(
                    services.AddSingleton(new RateLimitPolicies { WrongKeys = new(1, TimeSpan.FromSeconds(3)) })
                ),
            "api-key",
            ("Auth:ApiKeys:short:Sha256", Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(Short))))
        );
        Assert.Equal(200, (await AskAsync(server, Short)).Status);

        var refused = 0;
        for (var tries = 0; tries < 20 && refused != 429; tries++)
        {
            Assert.Contains((await AskAsync(server, "wrong")).Status, (int[])[401, 429]);
            refused = (await AskAsync(server, Short)).Status; // on a slow machine the window may be over already
        }

        Assert.Equal(429, refused);
        await Wait.Until(async () => (await AskAsync(server, Short)).Status == 200);
    }

    [Fact]
    public async Task A_household_has_one_address_however_many_it_has()
    {
        await using var server = Modes.Start("api-key");
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(401, (await AskAsync(server, "wrong", $"2001:db8::{i + 1:x}")).Status);
        }

        Assert.Equal(429, (await AskAsync(server, "wrong", "2001:db8::ffff")).Status);
    }

    [Fact]
    public async Task Both_keys_of_a_caller_open_and_are_told_apart_in_the_log_by_their_beginning()
    {
        var log = new CapturedLog();
        var time = new ManualTime();
        await using var server = TestServer.Start(
            services =>
            {
                NotesTools.Alone(services);
                services.AddSingleton<TimeProvider>(time).AddSingleton<ILoggerProvider>(log);
            },
            ("Auth:Mode", "api-key"),
            ("Auth:ApiKeys:ops:Key", Modes.Key),
            ("Auth:ApiKeys:ops:NextKey", Modes.Reader),
            ("Auth:ApiKeys:ops:Expires", time.GetUtcNow().AddHours(1).ToString("O"))
        );

        Assert.Equal(
            (200, 200),
            ((await AskAsync(server, Modes.Key)).Status, (await AskAsync(server, Modes.Reader)).Status)
        );
        Assert.Contains(log.Lines, line =>
            line.Text.Contains("API key used for the first time uM3xkQ… ops", StringComparison.Ordinal)
        );
        Assert.Contains(log.Lines, line =>
            line.Text.Contains("API key used for the first time Zk7Qw2… ops", StringComparison.Ordinal)
        );

        time.Advance(TimeSpan.FromHours(1));
        for (var i = 0; i < 12; i++)
        {
            Assert.Equal(401, (await AskAsync(server, Modes.Key)).Status); // whoever still sends it does not guess
        }

        Assert.Equal(200, (await AskAsync(server, Modes.Reader)).Status);
        Assert.DoesNotContain(log.Lines, line =>
            line.Text.Contains(Modes.Key[..8], StringComparison.Ordinal)
            || line.Text.Contains(Modes.Reader[..8], StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Each_caller_has_a_limit_of_its_own_and_strangers_that_of_their_address()
    {
        await using var server = Modes.Start("mixed", ("Auth:RateLimitPerMinute", "3"));

        for (var left = 2; left >= 0; left--)
        {
            using var response = await SendAsync(server, "ann.read.x", "198.51.100.1");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal(
                ("3", $"{left}"),
                (Header(response, "X-RateLimit-Limit"), Header(response, "X-RateLimit-Remaining"))
            );
            Assert.InRange(
                int.Parse(Header(response, "X-RateLimit-Reset"), System.Globalization.CultureInfo.InvariantCulture),
                1,
                60
            );
        }

        using var refused = await SendAsync(server, "ann.read.x", "198.51.100.2"); // wherever she calls from
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 21);
        Assert.Equal("0", Header(refused, "X-RateLimit-Remaining"));
        Assert.Equal(200, (await AskAsync(server, "bob.read.x", "198.51.100.1")).Status);

        // A guest, a refused token and a document are of nobody that is known.
        Assert.Equal(200, (await AskAsync(server, null, "198.51.100.1")).Status);
        Assert.Equal(401, (await AskAsync(server, "expired.read.x", "198.51.100.1")).Status);
        Assert.Equal(200, (await AskAsync(server, null, "198.51.100.1", "/openapi.json")).Status);
        Assert.Equal(429, (await AskAsync(server, "expired.read.x", "198.51.100.1")).Status);
        Assert.Equal(
            429,
            (await AskAsync(server, null, "198.51.100.1", "/.well-known/oauth-protected-resource")).Status
        );
        // or an orchestrator would end the server
        Assert.Equal(200, (await AskAsync(server, null, "198.51.100.1", "/health/live")).Status);
        Assert.Equal(200, (await AskAsync(server, null, "198.51.100.3")).Status);
    }

    [Fact]
    public async Task Without_authentication_addresses_are_limited_and_without_a_limit_nothing_is_said()
    {
        await using var limited = Modes.Start("none", ("Auth:RateLimitPerMinute", "1"));
        await using var free = Modes.Start("none");

        Assert.Equal((200, 429), ((await AskAsync(limited, null)).Status, (await AskAsync(limited, null)).Status));
        using var response = await SendAsync(free, null, null);
        Assert.False(response.Headers.Contains("X-RateLimit-Limit"));
    }

    [Theory]
    // Nobody said that 10.0.0.9 is a proxy, so it is a caller.
    [InlineData(null, "203.0.113.1, 10.0.0.9", "203.0.113.2, 10.0.0.9", true)]
    [InlineData("10.0.0.9", "203.0.113.1, 10.0.0.9", "203.0.113.2, 10.0.0.9", false)]
    [InlineData("10.0.0.0/8, 10.9.0.1", "203.0.113.1, 10.9.0.1, 10.0.0.9", "203.0.113.2, 10.9.0.1, 10.0.0.9", false)]
    [InlineData("2", "203.0.113.1, 10.0.0.9", "203.0.113.2, 10.0.0.9", false)]
    // What a caller writes itself counts for nothing.
    [InlineData("2", "198.51.100.1, 203.0.113.1, 10.0.0.9", "198.51.100.2, 203.0.113.1, 10.0.0.9", true)]
    [InlineData("1", "203.0.113.1, 10.0.0.9", "203.0.113.2, 10.0.0.9", true)]
    public async Task Behind_proxies_in_a_row_a_caller_has_its_own_address(
        string? known,
        string one,
        string other,
        bool same
    )
    {
        (string, string)[] proxies = known is null ? [] : [("Server:KnownProxies", known)];
        await using var server = Modes.Start("none", [("Auth:RateLimitPerMinute", "1"), .. proxies]);

        Assert.Equal(
            (200, same ? 429 : 200),
            ((await AskAsync(server, null, one)).Status, (await AskAsync(server, null, other)).Status)
        );
    }

    [Fact]
    public async Task A_proxy_that_does_not_say_for_whom_it_calls_is_told_of_once()
    {
        var log = new CapturedLog();
        await using var server = Modes.Start(
            services => TestTokens.WithNotes(services.AddSingleton<ILoggerProvider>(log)),
            "api-key"
        );
        for (var n = 0; n < 3; n++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/health");
            request.Headers.Add("X-Forwarded-Proto", "https");
            using var answer = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);
        }

        Assert.Single(log.Lines, line =>
            line.Text.Contains("proxy_set_header X-Forwarded-For", StringComparison.Ordinal)
        );
    }

    private static async Task<(int Status, TimeSpan? Wait)> AskAsync(
        TestServer server,
        string? credential,
        string? address = null,
        string path = "/tools"
    )
    {
        using var response = await SendAsync(server, credential, address, path);
        return ((int)response.StatusCode, response.Headers.RetryAfter?.Delta);
    }

    private static async Task<HttpResponseMessage> SendAsync(
        TestServer server,
        string? credential,
        string? address,
        string path = "/tools"
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = credential is null ? null : new("Bearer", credential);
        if (address is not null)
        {
            request.Headers.Add("X-Forwarded-For", address);
        }

        return await server.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static string Header(HttpResponseMessage response, string name) =>
        response.Headers.GetValues(name).Single();
}
