using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MinimalMcp.Tests.Telemetry;

/// <summary>
/// Receives OTLP over HTTP with protobuf, as a collector does (https://opentelemetry.io/docs/specs/otlp/#otlphttp), and
/// refuses everything else. The numbers of fields are those of opentelemetry-proto 1.x.
/// </summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;

    private OtlpReceiver(WebApplication app) => _app = app;

    public string Url => _app.Urls.Single();

    public ConcurrentQueue<OtlpSpan> Spans { get; } = new();

    public ConcurrentQueue<OtlpMetric> Metrics { get; } = new();

    public ConcurrentQueue<OtlpLog> Logs { get; } = new();

    /// <summary>What came and was not OTLP.</summary>
    public ConcurrentQueue<string> Refused { get; } = new();

    /// <summary>All bytes that came, for what must not be among them.</summary>
    public ConcurrentQueue<byte[]> Bodies { get; } = new();

    public static async Task<OtlpReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var receiver = new OtlpReceiver(builder.Build());
        receiver._app.Run(receiver.ReceiveAsync);
        await receiver._app.StartAsync(TestContext.Current.CancellationToken);
        return receiver;
    }

    /// <summary>The first span that is meant, as soon as it is there.</summary>
    public Task<OtlpSpan> SpanAsync(Func<OtlpSpan, bool> meant) => FirstAsync(Spans, meant);

    public Task<OtlpMetric> MetricAsync(Func<OtlpMetric, bool> meant) => FirstAsync(Metrics, meant);

    public Task<OtlpLog> LogAsync(Func<OtlpLog, bool> meant) => FirstAsync(Logs, meant);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task<T> FirstAsync<T>(ConcurrentQueue<T> received, Func<T, bool> meant)
        where T : class
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            if (received.FirstOrDefault(meant) is { } found)
            {
                return found;
            }

            Assert.False(
                limit.IsCancellationRequested,
                $"It did not come. These did:\n{string.Join('\n', received)}\nRefused: {string.Join('\n', Refused)}"
            );
            await Task.Delay(10, CancellationToken.None); // between two looks; it goes on when it is there
        }
    }

    private async Task ReceiveAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        try
        {
            if (http.Request.Method != "POST" || http.Request.ContentType != "application/x-protobuf")
            {
                throw new InvalidDataException($"{http.Request.Method} of {http.Request.ContentType}");
            }

            var message = new ProtobufFields(body.ToArray());
            switch (http.Request.Path)
            {
                case "/v1/traces":
                    Add(message, 2, OtlpSpan.Read, Spans);
                    break;
                case "/v1/metrics":
                    Add(message, 2, OtlpMetric.Read, Metrics);
                    break;
                case "/v1/logs":
                    Add(message, 2, OtlpLog.Read, Logs);
                    break;
                default:
                    throw new InvalidDataException(http.Request.Path);
            }

            Bodies.Enqueue(body.ToArray());
            http.Response.ContentType = "application/x-protobuf"; // an empty message: all of it was taken
        }
        catch (InvalidDataException wrong)
        {
            Refused.Enqueue(wrong.Message);
            http.Response.StatusCode = 400;
        }
    }

    // The three requests have one shape: resources, in them scopes, in them records.
    private static void Add<T>(
        ProtobufFields request,
        int field,
        Func<ProtobufFields, string, IReadOnlyDictionary<string, string>, T> read,
        ConcurrentQueue<T> received
    )
    {
        foreach (var resource in request.Messages(1))
        {
            var attributes = Attributes(resource.Message(1), 1);
            foreach (var scope in resource.Messages(2))
            {
                foreach (var record in scope.Messages(field))
                {
                    received.Enqueue(read(record, scope.Message(1)?.Text(1) ?? "", attributes));
                }
            }
        }
    }

    /// <summary>Each value as text; of a list, its fields.</summary>
    public static IReadOnlyDictionary<string, string> Attributes(ProtobufFields? message, int field) =>
        (message?.Messages(field) ?? []).ToDictionary(
            pair => pair.Text(1),
            pair => pair.Message(2) is { } value ? Value(value) : ""
        );

    public static string Value(ProtobufFields value) =>
        value.Has(1) ? value.Text(1)
        : value.Has(2) ? (value.Number(2) == 1 ? "true" : "false")
        : value.Has(3) ? $"{(long)value.Number(3)}"
        : value.Has(4) ? $"{BitConverter.UInt64BitsToDouble(value.Number(4))}"
        : value.Has(5) ? string.Join(' ', value.Message(5)!.Messages(1).Select(Value))
        : "";
}

internal sealed record OtlpSpan(
    string Trace,
    string Id,
    string Parent,
    string Name,
    int Kind,
    int Status,
    string StatusText,
    string Scope,
    IReadOnlyDictionary<string, string> Attributes,
    IReadOnlyDictionary<string, string> Resource,
    IReadOnlyList<(string Trace, string Id)> Links
)
{
    public const int Internal = 1,
        Server = 2,
        Client = 3,
        Error = 2;

    public string? this[string attribute] => Attributes.GetValueOrDefault(attribute);

    public static OtlpSpan Read(ProtobufFields span, string scope, IReadOnlyDictionary<string, string> resource) =>
        new(
            span.Id(1),
            span.Id(2),
            span.Id(4),
            span.Text(5),
            (int)span.Number(6),
            (int)(span.Message(15)?.Number(3) ?? 0),
            span.Message(15)?.Text(2) ?? "",
            scope,
            OtlpReceiver.Attributes(span, 9),
            resource,
            [.. span.Messages(13).Select(link => (link.Id(1), link.Id(2)))]
        );

    public override string ToString() =>
        $"{Trace[..4]} {Parent} > {Id} {Name} "
        + $"{string.Join(' ', Attributes.Select(pair => $"{pair.Key}={pair.Value}"))}";
}

/// <summary>A sum that only grows is a counter; any other sum is shown as a gauge.</summary>
internal enum OtlpMetricType
{
    Gauge,
    Counter,
    Histogram,
}

/// <summary>One series of a metric.</summary>
internal sealed record OtlpMetric(
    string Name,
    string Unit,
    string Scope,
    OtlpMetricType Type,
    IReadOnlyList<IReadOnlyDictionary<string, string>> Series
)
{
    public static OtlpMetric Read(ProtobufFields metric, string scope, IReadOnlyDictionary<string, string> resource)
    {
        var histogram = metric.Message(9);
        var points = histogram ?? metric.Message(7) ?? metric.Message(5);
        return new(
            metric.Text(1),
            metric.Text(3),
            scope,
            histogram is not null ? OtlpMetricType.Histogram
                : metric.Message(7)?.Number(3) == 1 ? OtlpMetricType.Counter
                : OtlpMetricType.Gauge,
            [.. (points?.Messages(1) ?? []).Select(point => OtlpReceiver.Attributes(point, histogram is null ? 7 : 9))]
        );
    }

    public override string ToString() =>
        $"{Name} "
        + string.Join(
            " | ",
            Series.Select(series => string.Join(' ', series.Select(pair => $"{pair.Key}={pair.Value}")))
        );
}

internal sealed record OtlpLog(string Body, string Trace, IReadOnlyDictionary<string, string> Attributes)
{
    public static OtlpLog Read(ProtobufFields log, string scope, IReadOnlyDictionary<string, string> resource) =>
        new(log.Message(5) is { } body ? OtlpReceiver.Value(body) : "", log.Id(9), OtlpReceiver.Attributes(log, 6));
}
