using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace MinimalMcp.Load;

/// <summary>All scenarios at once, against a server with key, budget and record, or against the one at a URL.</summary>
internal static partial class Mix
{
    /// <summary>Gives the thresholds that the scenarios brought along.</summary>
    public static async Task<string[]> MeasureAsync(Options options, LoadReport report, Progress progress)
    {
        await using var own = new OwnServers(options);
        var server = options.Url is { } url ? ServerProcess.Attach(new(url, options.Key), options.Pid) : own.Governed();
        await server.FirstAnswer(Call.List(Call.Legacy));
        var tools = await ToolsAsync(server.Target);
        Target? slow = null;
        if (options.Url is null && tools.Contains("search_products"))
        {
            var upstream = own.Keep(await SlowUpstream.StartAsync(TimeSpan.FromMilliseconds(options.SlowMilliseconds)));
            var behind = own.Governed($"--Shop:Url={upstream.Url}");
            await behind.FirstAnswer(Call.List(Call.Legacy));
            slow = behind.Target;
        }

        var test = new LoadTest(options, server.Target, slow, tools);
        var scenarios = test.Scenarios();
        if (scenarios.Length == 0)
        {
            throw new InvalidOperationException(
                $"No scenario fits {server.Target.Url}: "
                    + $"{string.Join("; ", test.LeftOut.Select(left => left.Why).Distinct())}."
            );
        }

        string[] thresholds =
        [
            .. scenarios.SelectMany(scenario =>
                scenario.Thresholds.Select(threshold => $"{scenario.Name}.{threshold}")
            ),
        ];
        // what is misspelt is said before minutes of work
        Array.ForEach(thresholds, threshold => Threshold.Parse(threshold));
        progress.Line(
            $"{scenarios.Length} scenarios at once against {server.Target.Url}, {options.Seconds:0.##} s: "
                + $"{string.Join(", ", scenarios.Select(scenario => scenario.Name))}"
        );
        var before = await CountedAsync(server.Target);
        var runs = await LoadRunner.RunAsync(scenarios, progress);
        report.Scenarios.AddRange(runs.Select(ScenarioFigures.Of));
        report.LeftOut.AddRange(test.LeftOut);
        if (before is { } first && await CountedAsync(server.Target) is { } last)
        {
            report.Counted = new(
                runs.Sum(run =>
                    run.Scenario.CallsIn(run.Stats) + (run.WarmedUp is { } warmUp ? run.Scenario.CallsIn(warmUp) : 0)
                ),
                last - first
            );
        }

        return thresholds;
    }

    public static async Task<string[]> ToolsAsync(Target target)
    {
        using var connection = await HttpConnection.Open(target);
        var answer = await connection.Call(target.Request(Call.List(Call.Legacy)).Bytes);
        using var message = JsonDocument.Parse(answer.Body);
        return
        [
            .. message
                .RootElement.GetProperty("result")
                .GetProperty("tools")
                .EnumerateArray()
                .Select(tool => tool.GetProperty("name").GetString()!),
        ];
    }

    /// <summary>The calls of tools that the server has counted; null when it does not show them.</summary>
    private static async Task<double?> CountedAsync(Target target)
    {
        using var connection = await HttpConnection.Open(target);
        var answer = await connection.Call(target.Request(Call.Get("/metrics")).Bytes);
        return
            answer.Status == 200
            && Encoding.UTF8.GetString(answer.Body.Span) is var text
            && text.Contains("# TYPE mcp_tool_calls_total", StringComparison.Ordinal)
            ? Counters().Matches(text).Sum(match => double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))
            : null;
    }

    [GeneratedRegex(@"^mcp_tool_calls_total\{[^}]*\} (\S+)$", RegexOptions.Multiline)]
    private static partial Regex Counters();
}
