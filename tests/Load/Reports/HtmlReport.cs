using System.Net;
using System.Text;

namespace MinimalMcp.Load;

/// <summary>
/// The report as one HTML file without anything from elsewhere: it opens from a disk, in an archive, and prints.
/// </summary>
internal static class HtmlReport
{
    private const string Style = """
        :root{color-scheme:light dark;--page:#fff;--ink:#1f2328;--quiet:#59636e;--rule:#d5dae0;--good:#15703c;
          --bad:#b3261e;--badpage:#fdecea}
        @media screen and (prefers-color-scheme:dark){:root{--page:#0f1318;--ink:#e6edf3;--quiet:#9aa4af;
          --rule:#39424c;--good:#56c884;--bad:#ff8b80;--badpage:#3a1715}}
        body{margin:0 auto;padding:1.5rem;max-width:84rem;background:var(--page);color:var(--ink);
          font:15px/1.45 system-ui,sans-serif}
        h1{font-size:1.6rem;margin:0}h1 .pass{color:var(--good)}h1 .fail{color:var(--bad)}h2{font-size:1.15rem;
          margin:2rem 0 .2rem}h3{font-size:1rem;margin:1.2rem 0 .2rem}
        p{margin:.2rem 0 .6rem;color:var(--quiet);max-width:75rem}.scroll{overflow-x:auto}
        table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.87rem}
          th,td{padding:.22rem .7rem .22rem 0;text-align:left;border-bottom:1px solid var(--rule);vertical-align:top}
        th{color:var(--quiet);font-weight:600}td.number,th.number{text-align:right;white-space:nowrap}
          tr.bad td{background:var(--badpage)}tr.bad td:first-child{color:var(--bad);font-weight:600}
        .charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(18rem,1fr));gap:.5rem 1.2rem}svg{width:100%;
          height:auto}
        @media print{body{padding:0;font-size:11px}.scenario,tr{break-inside:avoid}
          .charts{grid-template-columns:repeat(3,1fr)}.scroll{overflow:visible}table{font-size:9px}
          th,td{padding-right:.4rem}}
        """;

    // The nines stand equally far apart.
    private static readonly Axis Percentile = new(
        "percentile",
        Log: true,
        [(1.0, "0"), (2.0, "50"), (10.0, "90"), (100.0, "99"), (1000.0, "99.9"), (10_000.0, "99.99")]
    );

    public static string Of(LoadReport report)
    {
        var page = new StringBuilder(
            $"""
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Load test: {Text(Markdown.Verdict(report))}</title><style>{Style}{Chart.Style}</style></head><body>
            <h1>Load test: <span class="{(report.Passed ? "pass" : "fail")}">{Text(
                Markdown.Verdict(report)
            )}</span></h1><p>{Text(Markdown.About(report))}</p>

            """
        );
        foreach (var table in Table.Of(report))
        {
            page.Append($"<h2>{Text(table.Title)}</h2><p>{Text(table.Note)}</p>\n");
            Append(page, table);
            if (table.Title == "Scenarios")
            {
                page.Append(
                    "<h2>Over time, and by percentile</h2><p>The load rises during the first fifth of the time.</p>\n"
                );
                foreach (var scenario in report.Scenarios)
                {
                    page.Append(
                        $"<section class=\"scenario\"><h3>{Text(scenario.Name)}</h3><div "
                            + $"class=\"charts\">{string.Concat(Charts(scenario))}</div></section>\n"
                    );
                }
            }
        }

        return page.Append("</body></html>\n").ToString();
    }

    private static IEnumerable<string> Charts(ScenarioFigures scenario)
    {
        var seconds = new Axis("seconds");
        List<Line> rates = [new("ok", [.. scenario.Series.Select(point => (point.At, point.Rate))])];
        if (scenario.Failed > 0)
        {
            rates.Add(new("failed", [.. scenario.Series.Select(point => (point.At, point.Failed))]));
        }

        // A second without an answer has no latency.
        var answered = scenario.Series.Where(point => point.Rate > 0).ToArray();
        yield return Chart.Svg("Rate", seconds, new("calls a second"), rates);
        yield return Chart.Svg(
            "Latency",
            seconds,
            new("ms"),
            [
                new("p50", [.. answered.Select(point => (point.At, point.P50))]),
                new("p99", [.. answered.Select(point => (point.At, point.P99))]),
            ]
        );
        yield return Chart.Svg(
            "Latency by percentile",
            Percentile with
            {
                Ticks = [.. Percentile.Ticks!.Where(tick => tick.At <= 2 * Nines(scenario) || tick.At <= 10)],
            },
            new("ms, logarithmic", Log: true),
            [
                new(
                    "latency",
                    [
                        .. scenario
                            .Percentiles.Where(point => point.Percent < 100)
                            .Select(point => (100 / (100 - point.Percent), point.Milliseconds)),
                    ]
                ),
            ]
        );
    }

    private static double Nines(ScenarioFigures scenario) =>
        scenario
            .Percentiles.Where(point => point.Percent < 100)
            .Select(point => 100 / (100 - point.Percent))
            .DefaultIfEmpty(10)
            .Max();

    private static void Append(StringBuilder page, Table table)
    {
        // A column of numbers is one to the last row.
        var numbers = table
            .Head.Select(
                (_, column) =>
                    table.Rows.All(row =>
                        row[column].Length == 0
                        || row[column] is "-"
                        || char.IsAsciiDigit(row[column].TrimStart('+', '-', '±', ' ').FirstOrDefault('x'))
                    ) && table.Rows.Any(row => row[column].Length > 0)
            )
            .ToArray();
        page.Append(
            "<div " + $"class=\"scroll\"><table><thead><tr>{Cells("th", table.Head, numbers)}</tr></thead><tbody>\n"
        );
        for (var i = 0; i < table.Rows.Count; i++)
        {
            page.Append(
                $"<tr{(table.Marks.Contains(i) ? " class=\"bad\"" : "")}>{Cells("td", table.Rows[i], numbers)}</tr>\n"
            );
        }

        page.Append("</tbody></table></div>\n");
    }

    private static string Cells(string tag, IEnumerable<string> cells, bool[] numbers) =>
        string.Concat(cells.Select((cell, column) => Cell(tag, cell, numbers[column])));

    private static string Cell(string tag, string text, bool number) =>
        $"<{tag}{(number ? " class=\"number\"" : "")}>{Text(text)}</{tag}>";

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
