using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace MinimalMcp.Load;

/// <summary>The closed model: a fixed number of copies, each of which sends its next call when it has the last one's answer.</summary>
internal static class KeepConstant
{
    public static async Task<Measurement> Run(IPEndPoint server, byte[] request, int copies, TimeSpan during)
    {
        var latencies = new Histogram();
        long errors = 0, start = Stopwatch.GetTimestamp(), end = start + (long)(during.TotalSeconds * Stopwatch.Frequency);

        await Task.WhenAll(Enumerable.Range(0, copies).Select(_ => Task.Run(Copy))).WaitAsync(during + TimeSpan.FromSeconds(10));
        var elapsed = Stopwatch.GetElapsedTime(start);
        return new(latencies, errors, elapsed);

        async Task Copy()
        {
            for (var now = Stopwatch.GetTimestamp(); now < end;)
            {
                using var connection = await HttpConnection.Open(server);
                try
                {
                    for (now = Stopwatch.GetTimestamp(); now < end;)
                    {
                        var sent = now;
                        var response = await connection.Call(request);
                        now = Stopwatch.GetTimestamp();
                        if (response.IsResult)
                        {
                            latencies.Record(Stopwatch.GetElapsedTime(sent, now));
                        }
                        else
                        {
                            Interlocked.Increment(ref errors);
                        }
                    }
                }
                catch (Exception e) when (e is IOException or SocketException)
                {
                    Interlocked.Increment(ref errors);
                    now = Stopwatch.GetTimestamp();
                }
            }
        }
    }
}

internal sealed record Measurement(Histogram Latencies, long Errors, TimeSpan Elapsed);
