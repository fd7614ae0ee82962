using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace MinimalMcp.Load;

/// <summary>
/// What the hub adds to a call: the same call to a tool of a server, directly and through the hub by turns, at a rate
/// and as fast as it goes; and whether calls of one server run at the same time.
/// </summary>
internal static class HubCost
{
    private const int Rate = 500,
        AtOnce = 20; // connections to one server (CONNECTION_POOL_SIZE)

    private static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(200);

    public static async Task<int> RunAsync(Options options)
    {
        RuntimeSettings.ApplyToGenerator();
        await using var own = new OwnServers(options);
        var slow = own.Keep(await SlowUpstream.StartAsync(Slow));
        var upstream = own.Plain(name: "upstream");
        var slowUpstream = own.Plain(name: "slow upstream", settings: $"--Shop:Url={slow.Url}");
        var hub = own.Plain(name: "hub", settings: "--Hub:CommandsWithoutAuth=true");
        var call = Call.Tool(Call.Legacy, options.Tool, options.Arguments);
        foreach (var server in (ServerProcess[])[upstream, slowUpstream, hub])
        {
            await server.FirstAnswer(Call.List(Call.Legacy));
        }

        var stdio = own.Keep(await StdioClient.StartAsync(own.Stdio()));
        await RegisterAsync(hub, "http", new { url = upstream.Target.Url + "mcp", transport_type = "streamable_http" });
        await RegisterAsync(hub, "stdio", new { command = "dotnet", args = own.Stdio() });
        await RegisterAsync(
            hub,
            "slow-http",
            new { url = slowUpstream.Target.Url + "mcp", transport_type = "streamable_http" }
        );
        await RegisterAsync(hub, "slow-stdio", new { command = "dotnet", args = own.Stdio($"--Shop:Url={slow.Url}") });

        var text = new StringBuilder(
            $"At {Rate} calls a second, medians of {Rounds(options)} rounds by turns; aim: at most 1 ms more at the "
                + "median, 5 ms at the 99th percentile.\n\n"
                + "| upstream | directly: median, p99 | through the hub: median, p99 | added: median, p99 "
                + "| hub's CPU per call | at saturation: directly, through the hub | ratio |\n"
                + "|---|---|---|---|---|---|---|\n"
        );
        var request = upstream.Target.Request(call);
        text.AppendLine(await RowAsync("Streamable HTTP", context => context.SendAsync(request), "http"));
        text.AppendLine(await RowAsync("stdio", _ => stdio.CallAsync(options.Tool, options.Arguments), "stdio"));
        foreach (var name in (string[])["slow-http", "slow-stdio"])
        {
            var took = await AtOnceAsync(
                hub.Target.Request(Call.Tool(Call.Legacy, $"{name}_{options.Tool}", options.Arguments))
            );
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"\n{AtOnce} calls of {Slow.TotalMilliseconds:0} ms at once, {name}: {took.TotalMilliseconds:0} ms "
                    + $"(one after the other: {(AtOnce * Slow).TotalMilliseconds:0} ms)"
            );
        }

        Console.WriteLine(text);
        if (options.Markdown is { } file)
        {
            await File.WriteAllTextAsync(file, text.ToString());
        }

        return 0;

        async Task<string> RowAsync(string what, Func<ScenarioContext, ValueTask<Response>> direct, string name)
        {
            var joined = hub.Target.Request(Call.Tool(Call.Legacy, $"{name}_{options.Tool}", options.Arguments));
            return await MeasureAsync(what, direct, context => context.SendAsync(joined), hub, options);
        }
    }

    private static int Rounds(Options options) => options.Rounds ?? 5;

    private static async Task<string> MeasureAsync(
        string what,
        Func<ScenarioContext, ValueTask<Response>> direct,
        Func<ScenarioContext, ValueTask<Response>> joined,
        ServerProcess hub,
        Options options
    )
    {
        var during = TimeSpan.FromSeconds(Math.Max(0.3, options.Seconds / 10));
        var inject = Simulation.Inject(Rate, TimeSpan.FromSeconds(1), during);
        var constant = Simulation.KeepConstant(options.Connections, during);
        List<(double P50, double P99, double Rate)> directly = [],
            through = [];
        List<double> cpu = [];
        // What is hot is compiled twice, the second time with what the runtime has seen.
        var warmUp = Simulation.KeepConstant(options.Connections, TimeSpan.FromSeconds(options.WarmUp ?? 8));
        await StatsAsync(direct, warmUp);
        await StatsAsync(joined, warmUp);
        for (var round = 0; round <= Rounds(options); round++)
        {
            var one = await RoundAsync(direct, inject, constant);
            var (before, other) = (hub.Cpu!.Value, await RoundAsync(joined, inject, constant));
            var calls = other.Calls;
            if (round > 0)
            {
                directly.Add((one.P50, one.P99, one.Rate));
                through.Add((other.P50, other.P99, other.Rate));
                cpu.Add((hub.Cpu!.Value - before).TotalMicroseconds / calls);
            }
        }

        var (a, b) = (MedianOf(directly), MedianOf(through));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {what} | {a.P50:0.00}, {a.P99:0.00} ms | {b.P50:0.00}, {b.P99:0.00} ms "
                + $"| {b.P50 - a.P50:0.00}, {b.P99 - a.P99:0.00} ms | {Median.Of(cpu):0} us "
                + $"| {a.Rate:0}/s, {b.Rate:0}/s | {b.Rate / a.Rate:0.00} |"
        );
    }

    private static (double P50, double P99, double Rate) MedianOf(List<(double P50, double P99, double Rate)> rounds) =>
        (
            Median.Of(rounds.Select(round => round.P50)),
            Median.Of(rounds.Select(round => round.P99)),
            Median.Of(rounds.Select(round => round.Rate))
        );

    private static async Task<(double P50, double P99, double Rate, long Calls)> RoundAsync(
        Func<ScenarioContext, ValueTask<Response>> run,
        LoadSimulation inject,
        LoadSimulation constant
    )
    {
        var paced = await StatsAsync(run, inject);
        var fast = await StatsAsync(run, constant);
        return (
            paced.Latencies.Percentile(50).TotalMilliseconds,
            paced.Latencies.Percentile(99).TotalMilliseconds,
            fast.Ok / constant.During.TotalSeconds,
            paced.Ok + fast.Ok
        );
    }

    private static async Task<Stats> StatsAsync(
        Func<ScenarioContext, ValueTask<Response>> run,
        LoadSimulation simulation
    )
    {
        var scenario = Scenario.Create("call", run).WithLoadSimulations(simulation);
        var stats = (await LoadRunner.RunAsync([scenario]))[0].Stats;
        return stats.Fail == 0
            ? stats
            : throw new IOException($"{stats.Fail} calls failed: {string.Join("; ", stats.Failures.Keys)}");
    }

    private static async Task<TimeSpan> AtOnceAsync(Request request)
    {
        using var connections = new Connections();
        for (var i = 0; i < AtOnce; i++)
        {
            connections.Add(await HttpConnection.Open(request.Target));
        }

        await Task.WhenAll(connections.Select(connection => CallAsync(connection, request))); // opens what stays open
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(connections.Select(connection => CallAsync(connection, request)));
        return Stopwatch.GetElapsedTime(started);
    }

    private static async Task CallAsync(HttpConnection connection, Request request)
    {
        var answer = await connection.Call(request.Bytes);
        if (!request.Accepts(answer))
        {
            throw new IOException(answer.Reason);
        }
    }

    private static async Task RegisterAsync(ServerProcess hub, string name, object definition)
    {
        using var http = new HttpClient { BaseAddress = hub.Target.Url };
        var body = JsonSerializer.SerializeToNode(definition)!.AsObject();
        (body["name"], body["risk"]) = (name, "LOW");
        using var made = await http.PostAsJsonAsync(new Uri("api/v1/servers", UriKind.Relative), body);
        var text = await made.Content.ReadAsStringAsync();
        if (!made.IsSuccessStatusCode)
        {
            throw new IOException(text);
        }

        var server = new Uri($"api/v1/servers/{JsonElement.Parse(text).GetProperty("id")}", UriKind.Relative);
        for (var waited = Stopwatch.StartNew(); ; await Task.Delay(20))
        {
            var shown = JsonElement.Parse(await http.GetStringAsync(server));
            if (shown.GetProperty("status").ValueEquals("active"))
            {
                return;
            }

            if (shown.GetProperty("status").ValueEquals("error") || waited.Elapsed > TimeSpan.FromMinutes(1))
            {
                throw new IOException($"The server {name} did not start: {shown}");
            }
        }
    }

    private sealed class Connections : List<HttpConnection>, IDisposable
    {
        public void Dispose() => ForEach(connection => connection.Dispose());
    }
}
