using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Outgoing;

/// <summary>A system in trouble gets fewer requests, and holds up nobody else.</summary>
[Slow]
public sealed class StormTests
{
    [Theory]
    [InlineData(500, "GET")]
    [InlineData(502, "POST")]
    [InlineData(429, "GET")]
    public async Task After_ten_failures_nothing_is_sent_until_a_probe_succeeds(int status, string method)
    {
        var time = new ManualTime();
        await using var alpha = RawServer.Start(RawServer.Status(status));
        await using var beta = RawServer.Start(RawServer.Ok("[1]"));
        await using var server = OutgoingServer.Start(alpha, services =>
            services
                .AddSingleton<TimeProvider>(time)
                .AddHttpClient("BetaClient", client => client.BaseAddress = new(beta.Url))
        );

        var last = "";
        for (var call = 0; call < 200; call++)
        {
            last = await server.FailAsync(method);
        }

        Assert.Equal(10, alpha.Requests.Count);
        Assert.Contains(
            "Alpha failed most requests, and none was sent since 00:00:00 UTC; it is tried again in 15 seconds.",
            last
        );
        Assert.Equal(200, (await server.AskAsync(system: "Beta")).Status);

        alpha.Answer = peer => peer.SendAsync(RawServer.Ok("{}"));
        time.Advance(TimeSpan.FromSeconds(14));
        Assert.Contains("it is tried again in 1 seconds", await server.FailAsync(method));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(200, (await server.AskAsync(method)).Status);
        Assert.Equal(200, (await server.AskAsync(method)).Status);
        Assert.Equal(12, alpha.Requests.Count);
        await Wait.Until(() =>
            server.Log.Any(line => line.StartsWith("Circuit breaker closed Alpha", StringComparison.Ordinal))
        ); // said when the answer's last byte was read
    }

    [Fact]
    public async Task A_probe_goes_alone_and_when_it_fails_the_wait_begins_anew()
    {
        var time = new ManualTime();
        await using var alpha = RawServer.Start(RawServer.Status(500));
        await using var server = OutgoingServer.Start(alpha, time);
        await FailTenTimesAsync(server);

        var release = new TaskCompletionSource();
        alpha.Answer = async peer =>
        {
            await release.Task;
            await peer.SendAsync(RawServer.Status(500));
        };
        time.Advance(TimeSpan.FromSeconds(15));
        var probe = server.FailAsync();
        await Wait.Until(() => alpha.Requests.Count == 11);
        Assert.Contains("it is being tried again now, so call again in a few seconds", await server.FailAsync());
        release.SetResult();
        Assert.Contains("500", await probe);

        Assert.Contains("none was sent since 00:00:15 UTC; it is tried again in 15 seconds", await server.FailAsync());
        Assert.Equal(11, alpha.Requests.Count);
    }

    [Fact]
    public async Task A_body_that_breaks_off_counts_as_a_failure_too()
    {
        await using var alpha = RawServer.Start(async peer =>
        {
            await peer.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
            peer.Close();
        });
        await using var server = OutgoingServer.Start(alpha, new ManualTime());

        await FailTenTimesAsync(server);

        Assert.Contains("none was sent since", await server.FailAsync());
        Assert.Equal(10, alpha.Requests.Count);
    }

    [Theory]
    [InlineData(404, "")]
    [InlineData(400, "")]
    [InlineData(302, "Location: /\r\n")]
    public async Task An_answer_that_is_the_callers_own_fault_does_not(int status, string headers)
    {
        await using var alpha = RawServer.Start(RawServer.Status(status, headers));
        await using var server = OutgoingServer.Start(alpha);

        for (var call = 0; call < 20; call++)
        {
            await server.FailAsync();
        }

        Assert.Equal(20, alpha.Requests.Count);
    }

    [Theory]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task Retries_add_a_tenth_at_most(int status)
    {
        var arrived = 0;
        await using var alpha = RawServer.Start(peer =>
            peer.SendAsync(Interlocked.Increment(ref arrived) % 3 == 0 ? RawServer.Status(status) : RawServer.Ok("{}"))
        );
        await using var server = OutgoingServer.Start(alpha);

        var failed = 0;
        for (var call = 0; call < 200; call++)
        {
            failed += (await server.AskAsync()).Status == 200 ? 0 : 1;
        }

        Assert.InRange(alpha.Requests.Count, 201, 220);
        Assert.True(failed > 0);
    }

    [Theory]
    [InlineData(503, "", "GET", 2)]
    [InlineData(503, "Retry-After: 0\r\n", "GET", 2)]
    [InlineData(503, "Retry-After: 60\r\n", "GET", 1)]
    [InlineData(503, "Retry-After: Fri, 31 Dec 2100 23:59:59 GMT\r\n", "GET", 1)]
    [InlineData(503, "", "POST", 1)]
    [InlineData(500, "", "GET", 1)]
    [InlineData(429, "Retry-After: 0\r\n", "GET", 1)]
    public async Task Only_a_read_is_sent_again_and_only_after_an_answer_of_a_gateway_that_allows_it_soon(
        int status,
        string headers,
        string method,
        int times
    )
    {
        var arrived = 0;
        await using var alpha = RawServer.Start(peer =>
            peer.SendAsync(
                Interlocked.Increment(ref arrived) == 1 ? RawServer.Status(status, headers) : RawServer.Ok("{}")
            )
        );
        await using var server = OutgoingServer.Start(alpha);

        Assert.Equal(times == 2 ? 200 : 502, (await server.AskAsync(method)).Status);
        Assert.Equal(times, alpha.Requests.Count);
    }

    [Fact]
    public async Task Those_who_find_the_queue_full_are_told_at_once_and_other_systems_are_not_affected()
    {
        var release = new TaskCompletionSource();
        await using var alpha = RawServer.Start(async peer =>
        {
            await release.Task;
            await peer.SendAsync(RawServer.Ok("{}"));
        });
        await using var beta = RawServer.Start(RawServer.Ok("[1]"));
        await using var server = OutgoingServer.Start(
            alpha,
            beta,
            ("Outgoing:MaxInFlight", "2"),
            ("Outgoing:MaxWaiting", "1")
        );

        var calls = Enumerable.Range(0, 4).Select(_ => server.AskAsync()).ToList();
        var refused = await Task.WhenAny(calls);
        calls.Remove(refused);

        Assert.Contains(
            "Alpha is busy: 2 requests are under way and the queue is full. Nothing was sent; try again in a few "
                + "seconds.",
            (await refused).Text
        );
        Assert.Equal(200, (await server.AskAsync(system: "Beta")).Status);
        release.SetResult();
        Assert.All(await Task.WhenAll(calls), call => Assert.Equal(200, call.Status));
        Assert.Equal(3, alpha.Requests.Count);
    }

    [Fact]
    public async Task The_metrics_count_requests_and_refusals_by_system_and_outcome()
    {
        await using var alpha = RawServer.Start(RawServer.Status(500));
        await using var beta = RawServer.Start(RawServer.Ok("{}"));
        await using var server = OutgoingServer.Start(alpha, beta);

        await FailTenTimesAsync(server);
        await server.FailAsync();
        await server.AskAsync(system: "Beta");

        var metrics = await server.Server.Http.GetStringAsync(
            new Uri("/metrics", UriKind.Relative),
            TestContext.Current.CancellationToken
        );
        Assert.Equal(
            ["Alpha 500 10", "Alpha refused 1", "Beta 200 1"],
            Regex
                .Matches(
                    metrics,
                    @"^mcp_upstream_requests_total\{upstream=""(\w+)"",outcome=""(\w+)""\} (\d+)$",
                    RegexOptions.Multiline
                )
                .Select(match =>
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{match.Groups[1]} {match.Groups[2]} {match.Groups[3]}"
                    )
                )
                .Order()
        );
    }

    private static async Task FailTenTimesAsync(OutgoingServer server)
    {
        for (var call = 0; call < 10; call++)
        {
            await server.FailAsync();
        }
    }
}
