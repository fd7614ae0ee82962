using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace MinimalMcp.Load;

/// <summary>
/// What a server's memory grows by for each event stream that is open and silent, and what calls beside them feel of
/// it.
/// </summary>
internal static class IdleStreams
{
    public static readonly string[] Paths = ["/mcp", "/sse"];
    private const int Openers = 64,
        Calls = 1000;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    public static async Task<List<StreamFigures>> Measure(Func<ServerProcess>[] servers, Call call, int count)
    {
        var results = new List<StreamFigures>();
        if (OpenFileLimit() is { } limit && limit < count + 200)
        {
            await Console.Error.WriteLineAsync(
                $"{count} streams need `ulimit -n {count + 200}` or more, here it is {limit}: not measured"
            );
            return results;
        }
        foreach (var (path, start) in from path in Paths from start in servers select (path, start))
        {
            // a fresh one: memory that earlier streams left behind would hide the growth
            await using var server = start();
            await server.FirstAnswer(call);
            var result = await Measure(server, call, path, count);
            await Console.Error.WriteLineAsync(
                $"{server.Name, -7} {result.Open} of {count} streams open at {path}{result.Refusal}"
            );
            results.Add(result);
        }

        return results;
    }

    private static async Task<StreamFigures> Measure(ServerProcess server, Call call, string path, int count)
    {
        var request = server.Target.Request(call);
        await LoadRunner.KeepConstantAsync(request, 4, TimeSpan.FromSeconds(1));
        foreach (var stream in (await Open(server.Target, path, 20)).Streams)
        {
            stream.Dispose();
        }

        var before = await SettledRss(server);

        var (streams, refusal) = await Open(server.Target, path, count);
        try
        {
            var after = await SettledRss(server);
            var latencies = new Histogram();
            using var connection = await HttpConnection.Open(server.Target);
            for (var i = 0; i < Calls; i++)
            {
                var sent = Stopwatch.GetTimestamp();
                if (!request.Accepts(await connection.Call(request.Bytes).AsTask().WaitAsync(Limit)))
                {
                    throw new IOException($"a call beside {count} streams failed");
                }

                latencies.Record(Stopwatch.GetElapsedTime(sent));
            }
            var open = streams.Count(s => s.IsOpen);
            return new(
                server.Name,
                path,
                open,
                refusal,
                open == 0 ? double.NaN : (after - before) / 1024.0 / open,
                latencies.Percentile(99).TotalMilliseconds
            );
        }
        finally
        {
            foreach (var stream in streams)
            {
                stream.Dispose();
            }
        }
    }

    /// <summary>As figures of a report.</summary>
    public static IEnumerable<Figure> Figures(IEnumerable<StreamFigures> measured, int wanted) =>
        measured
            .Where(streams => streams.Open == wanted)
            .SelectMany(streams =>
                new Figure[]
                {
                    new(
                        $"streams.{streams.Path.TrimStart('/')}.{streams.Server}.memory",
                        streams.KiBPerStream * 1024,
                        "B",
                        $"memory of {streams.Server} for each of {wanted:N0} idle streams, GET {streams.Path}"
                    ),
                    new(
                        $"streams.{streams.Path.TrimStart('/')}.{streams.Server}.p99",
                        streams.P99,
                        "ms",
                        $"p99 of calls beside {wanted:N0} idle streams, GET {streams.Path}, {streams.Server}"
                    ),
                }
            );

    private static async Task<(List<HttpConnection> Streams, string? Refusal)> Open(
        Target server,
        string path,
        int count
    )
    {
        var streams = new List<HttpConnection>();
        var request = server.Request(Call.Stream(path));
        string? refusal = null;
        var next = 0;
        await Task.WhenAll(Enumerable.Range(0, Openers).Select(_ => Task.Run(Opener))).WaitAsync(Limit);
        return (streams, refusal);

        async Task Opener()
        {
            for (int i; refusal is null && (i = Interlocked.Increment(ref next)) <= count; )
            {
                var stream = await HttpConnection.Open(server, Source(i));
                var status = await stream.OpenStream(request.Bytes);
                if (status != 200)
                {
                    refusal = $", then {status}";
                    stream.Dispose();
                    return;
                }

                lock (streams)
                {
                    streams.Add(stream);
                }
            }
        }
    }

    /// <summary>Several addresses, because one has fewer ports than two runs of 10,000 use up in a minute.</summary>
    private static IPAddress? Source(int i) => OperatingSystem.IsLinux() ? new([127, 0, 0, (byte)(1 + i % 8)]) : null;

    /// <summary>Waits until the collector has had its time and the figure stands still.</summary>
    public static async Task<long> SettledRss(ServerProcess server)
    {
        var rss = server.Rss!.Value;
        for (int i = 0, still = 0; i < 20 && still < 4; i++)
        {
            await Task.Delay(500);
            var now = server.Rss!.Value;
            still = Math.Abs(now - rss) < rss / 200 ? still + 1 : 0;
            rss = now;
        }
        return rss;
    }

    private static int? OpenFileLimit()
    {
        const string limits = "/proc/self/limits",
            name = "Max open files";
        var line = File.Exists(limits)
            ? File.ReadLines(limits).FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal))
            : null;
        var soft = line?[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        return int.TryParse(soft, CultureInfo.InvariantCulture, out var limit) ? limit : null;
    }
}

internal sealed record StreamFigures(
    string Server,
    string Path,
    int Open,
    string? Refusal,
    double KiBPerStream,
    double P99
);
