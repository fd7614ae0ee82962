using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MinimalMcp.Tests.Telemetry;

/// <summary>
/// What a receiver got by OTLP, under the names that Prometheus gives it ("OpenTelemetry: Prometheus and OpenMetrics
/// Compatibility"), to be scraped: the Prometheus of Debian has no OTLP receiver of its own. The values are made up.
/// </summary>
internal sealed partial class TranslatedMetrics : IAsyncDisposable
{
    private static readonly Dictionary<string, string> Units = new() { ["s"] = "seconds", ["By"] = "bytes" };

    private readonly WebApplication _app;
    private int _scrapes;

    private TranslatedMetrics(WebApplication app) => _app = app;

    public Uri Url => new(_app.Urls.Single());

    public static async Task<TranslatedMetrics> StartAsync(OtlpReceiver receiver)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var metrics = new TranslatedMetrics(builder.Build());
        metrics._app.MapGet("/metrics", http => metrics.WriteAsync(http, receiver));
        await metrics._app.StartAsync(TestContext.Current.CancellationToken);
        return metrics;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private Task WriteAsync(HttpContext http, OtlpReceiver receiver)
    {
        var value = Interlocked.Increment(ref _scrapes);
        var lines = new HashSet<string>(StringComparer.Ordinal) { "target_info{} 1" };
        foreach (var metric in receiver.Metrics)
        {
            foreach (var series in metric.Series)
            {
                Add(lines, metric, Labels(series), value);
            }
        }

        http.Response.ContentType = "text/plain; version=0.0.4";
        return http.Response.WriteAsync(string.Join('\n', lines) + "\n");
    }

    private static void Add(HashSet<string> lines, OtlpMetric metric, string labels, int value)
    {
        var name = Name(metric);
        if (metric.Type is not OtlpMetricType.Histogram)
        {
            lines.Add($"{name}{{{labels}}} {value}");
            return;
        }

        foreach (var limit in (string[])["1", "5", "+Inf"])
        {
            lines.Add($"{name}_bucket{{{labels}{(labels.Length > 0 ? "," : "")}le=\"{limit}\"}} {value}");
        }

        lines.Add($"{name}_sum{{{labels}}} {value}");
        lines.Add($"{name}_count{{{labels}}} {value}");
    }

    // The unit, and of counters the word total, are appended where the name has them not yet.
    private static string Name(OtlpMetric metric)
    {
        var name = new StringBuilder(Other().Replace(metric.Name, "_"));
        if (Units.TryGetValue(metric.Unit, out var unit) && !metric.Name.Split('.', '_').Contains(unit))
        {
            name.Append(CultureInfo.InvariantCulture, $"_{unit}");
        }

        return metric.Type is OtlpMetricType.Counter && !metric.Name.EndsWith("total", StringComparison.Ordinal)
            ? $"{name}_total"
            : $"{name}";
    }

    private static string Labels(IReadOnlyDictionary<string, string> series) =>
        string.Join(',', series.Select(label => $"{Other().Replace(label.Key, "_")}=\"{label.Value}\""));

    [GeneratedRegex("[^a-zA-Z0-9_]")]
    private static partial Regex Other();
}
