using System.Globalization;

namespace MinimalMcp.Load;

/// <summary>
/// What governance costs: the same calls to the server with key, budget and audit and to one without the three, in turns; and how many calls
/// that change something are acknowledged a second, each with its intent and outcome on the disk.
/// </summary>
internal static class Governed
{
    private const string Key = "bench-Tz8Qw4Lm1Rv7Xc5Nb2Kp9Hd3Jf6Gs0Ya";

    public static async Task<int> Run(Options options)
    {
        RuntimeSettings.ApplyToGenerator();
        var dll = Path.GetFullPath(options.Server);
        var folder = Directory.CreateTempSubdirectory("bench").FullName;
        try
        {
            await using var off = ServerProcess.Start("off", dll, "--Governance:Audit=false", $"--Storage:Path={folder}/off.db");
            await using var on = ServerProcess.Start("on", dll, "--Auth:Mode=api-key", $"--Auth:ApiKey={Key}", "--Governance:Levels:LOW=100000000/minute", "--Governance:Levels:HIGH=100000000/minute", $"--Storage:Path={folder}/on.db");
            var read = Scenario.Both(options.Tool, options.Arguments)[0].With($"Authorization: Bearer {Key}\r\n");
            var write = Scenario.Both(options.WriteTool, options.WriteArguments)[0].With($"Authorization: Bearer {Key}\r\n");
            foreach (var server in (ServerProcess[])[off, on])
            {
                await server.FirstAnswer(read);
                await MeasureAsync("warm-up", server, read, options.Connections, options.WarmUp);
            }

            var rates = new List<(double Off, double On, double OffP99, double OnP99)>();
            for (var round = 1; round <= options.Rounds; round++)
            {
                var without = await MeasureAsync($"round {round}", off, read, options.Connections, options.Seconds);
                var with = await MeasureAsync($"round {round}", on, read, options.Connections, options.Seconds);
                rates.Add((without.Rate, with.Rate, without.P99, with.P99));
            }

            var writes = await MeasureAsync("writes", on, write, options.Connections, options.Seconds);
            var rate = Median(rates.Select(r => r.On / r.Off));
            var p99 = Median(rates.Select(r => r.OnP99 / r.OffP99));
            // A customer has room for ten payment methods; what is refused by the tool itself is on record all the same, before and after.
            var written = (writes.Measured.Latencies.Count + writes.Errors) / writes.Measured.Elapsed.TotalSeconds;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"reads with key, budget and audit, as a ratio to none of them: rate {rate:0.00} (asked: 0.75), p99 {p99:0.00} (asked: at most 2)\ncalls of a tool that changes something, each on the disk before and after: {written:N0} a second (asked: 4,000)"));
            return !options.Assert || (rate >= 0.75 && p99 <= 2 && written >= 4000) ? 0 : 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<CallRound> MeasureAsync(string name, ServerProcess server, Scenario scenario, int connections, double seconds)
    {
        var cpu = server.Cpu;
        var measured = await KeepConstant.Run(server.EndPoint, scenario.Request(server.EndPoint), connections, TimeSpan.FromSeconds(seconds));
        var round = new CallRound(server.Name, scenario.Era, measured, server.Cpu - cpu, server.Rss);
        await Console.Error.WriteLineAsync($"{name,-8} {server.Name,-4} {round.Rate,8:N0} req/s, p99 {round.P99:0.00} ms, {round.CpuPerCall:0.0} µs of processor, {round.Errors} errors");
        return round;
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
