using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Outgoing;

/// <summary>How long, how much, and what an operator or a family can say about it.</summary>
public sealed class LimitTests
{
    [Fact]
    public async Task The_deadline_ends_a_call_that_hangs_and_an_answer_that_nobody_reads()
    {
        var time = new ManualTime();
        await using var alpha = RawServer.Start(peer => peer.HangAsync());
        await using var server = OutgoingServer.Start(alpha, time);

        var call = server.FailAsync();
        await Wait.Until(() => alpha.Requests.Count == 1);
        time.Fire();
        Assert.Contains("Alpha did not answer completely within 30 seconds.", await call);

        alpha.Answer = async peer =>
        {
            await peer.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
            await peer.HangAsync();
        };
        Assert.Equal(200, (await server.AskAsync(tool: "forget")).Status);
        Assert.Equal(1, alpha.Open);
        time.Fire();
        await Wait.Until(() => alpha.Open == 0);
    }

    [Fact]
    public async Task A_call_that_waits_in_vain_for_its_turn_says_that_nothing_was_sent()
    {
        var time = new ManualTime();
        await using var alpha = RawServer.Start(peer => peer.HangAsync());
        await using var server = OutgoingServer.Start(
            alpha,
            services => services.AddSingleton<TimeProvider>(time),
            ("Outgoing:MaxInFlight", "1"),
            ("Outgoing:MaxWaiting", "1")
        );

        var calls = Enumerable.Range(0, 3).Select(_ => server.FailAsync("POST")).ToList();
        calls.Remove(await Task.WhenAny(calls)); // refused: the other two have their places
        await Wait.Until(() => alpha.Requests.Count == 1);
        time.Fire();

        var sentences = await Task.WhenAll(calls);
        Assert.Single(sentences, sentence =>
            sentence.Contains("busy with other requests for 30 seconds; nothing was sent", StringComparison.Ordinal)
        );
        Assert.Single(sentences, sentence => sentence.Contains("did not answer completely", StringComparison.Ordinal));
        Assert.Single(alpha.Requests);
    }

    [Fact]
    public async Task A_caller_who_leaves_takes_the_connection_along()
    {
        await using var alpha = RawServer.Start(peer => peer.HangAsync());
        await using var server = OutgoingServer.Start(alpha);

        using var leave = new CancellationTokenSource();
        var call = server.Server.Http.PostAsync(
            new Uri("/tools/ask", UriKind.Relative),
            TestServer.Json(new { }),
            leave.Token
        );
        await Wait.Until(() => alpha.Requests.Count == 1);
        await leave.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await Wait.Until(() => alpha.Open == 0);
    }

    [Fact]
    public async Task A_system_can_have_limits_of_its_own()
    {
        await using var alpha = RawServer.Start(RawServer.Ok($"\"{new string('a', 2000)}\""));
        await using var server = OutgoingServer.Start(
            alpha,
            ("Outgoing:MaxResponseBytesOf:alpha", "1024"),
            ("Outgoing:Deadlines:beta", "00:00:00.5")
        );

        Assert.Contains("larger than 1024 bytes", await server.FailAsync());
        Assert.Equal(200, (await server.AskAsync(system: "Beta")).Status);
        alpha.Answer = peer => peer.HangAsync();
        Assert.Contains("within 0.5 seconds", await server.FailAsync(system: "Beta"));
    }

    [Fact]
    public async Task A_family_that_brings_its_own_handler_gets_the_limits_all_the_same()
    {
        await using var alpha = RawServer.Start(RawServer.Status(302, "Location: /again\r\nSet-Cookie: a=b\r\n"));
        await using var server = OutgoingServer.Start(alpha, services =>
            services.AddHttpClient("AlphaClient").ConfigurePrimaryHttpMessageHandler(() => new HttpClientHandler())
        );

        await server.FailAsync();
        await server.FailAsync();

        Assert.Equal(2, alpha.Requests.Count);
        Assert.DoesNotContain(alpha.Requests, head => head.Contains("Cookie", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_system_that_is_not_there_is_told_with_its_setting()
    {
        var gone = RawServer.Start("");
        await gone.DisposeAsync();
        await using var server = OutgoingServer.Start(gone);

        Assert.Contains("Alpha cannot be reached; nothing was sent. Check Alpha:Url.", await server.FailAsync());
        Assert.Equal(2, server.Log.Count(line => line.Contains(" ConnectionError ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_system_without_a_certificate_is_told_and_nothing_is_sent()
    {
        await using var alpha = RawServer.Start(RawServer.Ok("{}"));
        alpha.Early = "HTTP/1.1 400 This is not TLS\r\n\r\n";
        await using var server = OutgoingServer.Start(alpha, services =>
            services.AddHttpClient("AlphaClient", client =>
                client.BaseAddress = new(alpha.Url.Replace("http:", "https:", StringComparison.Ordinal))
            )
        );

        Assert.Contains(
            "Alpha cannot be reached: the TLS connection failed and nothing was sent. It may speak plain HTTP there",
            await server.FailAsync("POST")
        );
        Assert.Empty(alpha.Requests);
    }

    [Fact]
    public async Task Settings_that_are_wrong_are_named_and_nothing_starts()
    {
        var (exitCode, _, errors) = await ServerProcess.RunAsync([
            "--Outgoing:Deadline=00:00:00",
            "--Outgoing:Deadlines:alpha=1.00:00:00",
            "--Outgoing:MaxResponseBytes=1",
            "--Outgoing:MaxResponseBytesOf:alpha=1",
            "--Outgoing:MaxInFlight=0",
            "--Outgoing:MaxWaiting=-1",
        ]);

        Assert.Equal(1, exitCode);
        Assert.All(
            (string[])
                [
                    "Deadline must be",
                    "Deadlines:alpha must be",
                    "MaxResponseBytes must be",
                    "MaxResponseBytesOf:alpha must be",
                    "MaxInFlight must be",
                    "MaxWaiting must be",
                    "6 settings are wrong",
                ],
            part => Assert.Contains(part, errors)
        );
    }
}
