using System.Text;

namespace MinimalMcp.Load;

/// <summary>The report as it reads in a terminal, and on a page that shows Markdown.</summary>
internal static class Markdown
{
    public static string Of(LoadReport report)
    {
        var text = new StringBuilder($"# Load test: {Verdict(report)}\n\n{About(report)}\n");
        foreach (var table in Table.Of(report))
        {
            text.Append($"\n## {table.Title}\n\n{table.Note}\n\n{Rows(table.Head, table.Rows)}");
        }

        return text.ToString();
    }

    public static string Verdict(LoadReport report)
    {
        var (broken, worse) = (
            report.Thresholds.Count(threshold => !threshold.Met),
            report.Differences.Count(row => row.Fails)
        );
        if (report.Passed)
        {
            return report.Thresholds.Count > 0 ? "passed" : "measured";
        }

        string[] reasons =
        [
            broken > 0 ? $"{broken} of {report.Thresholds.Count} thresholds broken" : "",
            worse > 0 ? $"{worse} regressions" : "",
        ];
        return "failed, " + string.Join(" and ", reasons.Where(text => text.Length > 0));
    }

    /// <summary>The lines that end a run that failed.</summary>
    public static IEnumerable<string> Broken(LoadReport report) =>
        report
            .Thresholds.Where(threshold => !threshold.Met)
            .Select(threshold =>
                $"broken: {threshold.Text} ("
                + (threshold.Value is null ? "not measured" : $"{threshold.Name} is {Words.Number(threshold.Value)}")
                + ")"
            )
            .Concat(
                report
                    .Differences.Where(row => row.Fails)
                    .Select(row =>
                        $"regression: {row.Name} {Words.Percent(row.Percent)}, noise {Words.Number(row.NoisePercent)} %"
                    )
            );

    public static string About(LoadReport report) =>
        $"{Words.Time(report.Started)}, {report.Seconds:0} s, {report.Target}. {report.Machine}."
        + (
            report.Counted is { } counted
                ? $" Calls of tools sent by the scenarios: {Words.Number(counted.Sent)}; counted by the server "
                    + $"meanwhile: {Words.Number(counted.Server)}."
                : ""
        );

    public static string Rows(string[] head, IEnumerable<string[]> body)
    {
        string[][] rows =
        [
            head,
            .. body.Select(row =>
                row.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ")).ToArray()
            ),
        ];
        var widths = head.Select((_, i) => rows.Max(row => row[i].Length)).ToArray();
        var text = new StringBuilder();
        for (var i = 0; i < rows.Length; i++)
        {
            text.Append($"| {string.Join(" | ", rows[i].Select((cell, column) => cell.PadRight(widths[column])))} |\n");
            if (i == 0)
            {
                text.Append($"|{string.Join("|", widths.Select(width => new string('-', width + 2)))}|\n");
            }
        }

        return text.ToString();
    }
}
