using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace MinimalMcp.Load;

/// <summary>What one run does, in order: measure, judge, compare, write.</summary>
internal static class LoadTestRun
{
    public static async Task<int> RunAsync(Options options)
    {
        RuntimeSettings.ApplyToGenerator();
        // what is misspelt is said before minutes of work
        var own = options.Threshold.Select(Threshold.Parse).ToArray();
        await using var container = options.Image is { } image
            ? await Container.StartAsync(image, options.Network)
            : null;
        options = container is null
            ? options
            : options with
            {
                Url = container.Url,
                Key = Container.Key,
                Writes = true,
            };

        options = await OwnServers.FitAsync(options);
        var clock = Stopwatch.StartNew();
        var report = new LoadReport
        {
            Started = TimeProvider.System.GetUtcNow(),
            Machine = string.Create(
                CultureInfo.InvariantCulture,
                $"{Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, "
                    + $"{RuntimeInformation.FrameworkDescription}"
            ),
            Target = options.Image ?? options.Url?.ToString() ?? "a server started for this",
        };
        var defaults = await MeasureAsync(options, report, Progress.Console);
        report.Seconds = clock.Elapsed.TotalSeconds;

        report.Thresholds.AddRange(
            (options.NoDefaults ? own : own.Concat(defaults.Select(Threshold.Parse))).SelectMany(threshold =>
                threshold.Judge(report)
            )
        );
        if (options.Compare is { } earlier)
        {
            await Comparison.AddAsync(report, earlier, options.Regression);
        }

        var text = Markdown.Of(report);
        Console.WriteLine(text);
        await WriteAsync(options, report, text);
        return report.Passed || (options is { Bench: true, Assert: false }) ? 0 : 1;
    }

    private static async Task<List<string>> MeasureAsync(Options options, LoadReport report, Progress progress)
    {
        if (options.Bench)
        {
            return
            [
                .. options.Governed
                    ? await Bench.GovernedAsync(options, report, progress)
                    : await Bench.MeasureAsync(options, report, progress),
            ];
        }

        var targets = new List<string>();
        if (options.Has("scenarios"))
        {
            targets.AddRange(await Mix.MeasureAsync(options, report, progress));
        }

        foreach (var part in (string[])["ratios", "tools"])
        {
            if (!options.Has(part))
            {
                report.LeftOut.Add(new(part, "not among --parts"));
            }
            else if (options.Url is not null)
            {
                report.LeftOut.Add(
                    new(part, "it compares processes that are started here, and this server runs elsewhere")
                );
            }
            else if (part == "ratios")
            {
                await Ratios.MeasureAsync(options, report, progress);
                targets.AddRange(Targets.Ratios);
            }
            else
            {
                await ToolCounts.MeasureAsync(options, report, progress, 10, 1000);
                targets.AddRange(Targets.Tools);
            }
        }

        return targets;
    }

    private static async Task WriteAsync(Options options, LoadReport report, string markdown)
    {
        if (options.Bench)
        {
            if (options.Markdown is { } file)
            {
                await File.WriteAllTextAsync(file, markdown);
            }

            return;
        }

        Directory.CreateDirectory(options.Out);
        await File.WriteAllTextAsync(Path.Combine(options.Out, "report.md"), markdown);
        await File.WriteAllTextAsync(Path.Combine(options.Out, "report.json"), JsonReport.Of(report));
        await File.WriteAllTextAsync(Path.Combine(options.Out, "report.html"), HtmlReport.Of(report));
        Console.WriteLine(
            $"The report is in {options.Out}: report.html, report.md and "
                + $"report.json.\n\n{string.Join('\n', Markdown.Broken(report).Append(Markdown.Verdict(report)))}"
        );
    }
}
