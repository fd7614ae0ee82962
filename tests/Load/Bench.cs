namespace MinimalMcp.Load;

/// <summary>What one run does, in order.</summary>
internal static class Bench
{
    public static async Task<int> Run(Options options)
    {
        RuntimeSettings.ApplyToGenerator();
        var scenarios = Scenario.Both(options.Tool, options.Arguments);
        var report = new Report();
        report.Machine(options);

        string answerLengths;
        await using (var server = StartServer(options))
        {
            answerLengths = await AnswerLengths(server, scenarios);
            await using var bare = StartBare(answerLengths);
            await bare.FirstAnswer(scenarios[0]);
            report.Calls(await Calls(options, scenarios, [bare, server]));
        }

        if (options.Url is null)
        {
            Func<ServerProcess>[] servers = [() => StartBare(answerLengths), () => StartServer(options)];
            if (options.Spawns > 0)
            {
                report.Starts(await StartTime.Measure(servers, scenarios[0], options.Spawns));
            }

            if (options.Streams > 0)
            {
                report.Streams(await IdleStreams.Measure(servers, scenarios[0], options.Streams), options.Streams);
            }
        }

        var met = report.Thresholds();
        if (options.Markdown is not null)
        {
            await File.WriteAllTextAsync(options.Markdown, report.Text);
        }

        return met || !options.Assert ? 0 : 1;
    }

    private static ServerProcess StartServer(Options options) => options.Url is { } url
        ? ServerProcess.Attach(url, options.Pid)
        : ServerProcess.Start("server", Path.GetFullPath(options.Server), "--Governance:Audit=false"); // what the record costs is measured by --governed

    private static ServerProcess StartBare(string answerLengths) =>
        ServerProcess.Start("bare", typeof(Bench).Assembly.Location, "--bare", answerLengths);

    /// <summary>Taken from the server, for the baseline to send as many bytes.</summary>
    private static async Task<string> AnswerLengths(ServerProcess server, Scenario[] scenarios)
    {
        var lengths = new List<int>();
        foreach (var scenario in scenarios)
        {
            lengths.Add((await server.FirstAnswer(scenario)).Body.Length);
        }

        return string.Join(',', lengths);
    }

    /// <summary>Rounds alternate between the servers, so that a machine that slows down slows both.</summary>
    private static async Task<List<CallRound>> Calls(Options options, Scenario[] scenarios, ServerProcess[] servers)
    {
        var rounds = new List<CallRound>();
        var plan = from round in Enumerable.Range(0, options.Rounds + 1)
                   from scenario in scenarios
                   from server in servers
                   select (round, scenario, server);
        foreach (var (round, scenario, server) in plan)
        {
            var warmUp = round == 0;
            var during = TimeSpan.FromSeconds(warmUp ? options.WarmUp : options.Seconds);
            var cpu = server.Cpu;
            var measured = await KeepConstant.Run(server.EndPoint, scenario.Request(server.EndPoint), options.Connections, during);
            var result = new CallRound(server.Name, scenario.Era, measured, server.Cpu - cpu, server.Rss);
            await Console.Error.WriteLineAsync(
                $"{(warmUp ? "warm-up" : $"round {round}"),-8} {result.Era} {result.Server,-7} {result.Rate,8:N0} req/s, {result.Errors} errors");
            if (!warmUp)
            {
                rounds.Add(result);
            }
        }

        return rounds;
    }
}

/// <summary>One server and one era in one round.</summary>
internal sealed record CallRound(string Server, string Era, Measurement Measured, TimeSpan? Cpu, long? Rss)
{
    public double Rate => Measured.Latencies.Count / Measured.Elapsed.TotalSeconds;
    public double P50 { get; } = Measured.Latencies.Percentile(50).TotalMilliseconds;
    public double P99 { get; } = Measured.Latencies.Percentile(99).TotalMilliseconds;
    public double CpuPerCall => (Cpu?.TotalMicroseconds ?? double.NaN) / Measured.Latencies.Count;
    public long Errors => Measured.Errors;
}
