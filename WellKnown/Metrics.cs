using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using MinimalMcp.Tools;
using ModelContextProtocol.Server;

namespace MinimalMcp.WellKnown;

/// <summary>
/// Serves this server's metrics in Prometheus format. It listens to the meters of the other folders, so that none
/// depends on the output; OpenTelemetry can listen to the same meters.
/// </summary>
internal sealed class Metrics : IDisposable
{
    private static readonly double[] Buckets =
    [
        0.001,
        0.0025,
        0.005,
        0.01,
        0.025,
        0.05,
        0.1,
        0.25,
        0.5,
        1,
        2.5,
        5,
        10,
        30,
    ];

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<(string Name, string Labels), long> _counters = new();
    private readonly ConcurrentDictionary<string, Family> _histograms = new();
    private readonly ConcurrentDictionary<string, string> _help = new();
    private readonly List<(Instrument Instrument, string Labels, long Value)> _observed = [];
    private readonly Lock _observing = new();
    private readonly IServiceProvider _services;
    private readonly StartTime _start;
    private long _connections;

    public Metrics(StartTime start, IMeterFactory meters, IServiceProvider services)
    {
        _services = services;
        _start = start;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            // Meters of another server in the same process have another scope.
            // Names with dots are OpenTelemetry's, for what is exported.
            if (
                (
                    instrument.Meter.Name.StartsWith("MinimalMcp.", StringComparison.Ordinal)
                    && instrument.Meter.Scope == meters
                    && instrument.Name.StartsWith("mcp_", StringComparison.Ordinal)
                )
                || instrument.Name == "kestrel.active_connections"
            )
            {
                _help[instrument.Name] = instrument.Description ?? instrument.Name;
                // The series of an instrument travel with it, so that a measurement finds its own by two labels.
                listener.EnableMeasurementEvents(
                    instrument,
                    instrument is Histogram<double> ? _histograms.GetOrAdd(instrument.Name, _ => new Family()) : null
                );
            }
        };
        _listener.SetMeasurementEventCallback<double>(
            (_, value, tags, family) => Observe((Family)family!, value, tags)
        );
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Count(instrument, value, tags));
        _listener.Start();
    }

    public Task WriteAsync(HttpContext http)
    {
        http.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        return http.Response.WriteAsync(Text());
    }

    private string Text()
    {
        var text = new StringBuilder();
        Gauge("mcp_server_uptime_seconds", "Seconds since the server started.", _start.Uptime.TotalSeconds);
        Gauge(
            "mcp_tools_registered",
            "Tools that can be called now.",
            _services.GetRequiredService<ToolRegistry>().Current.All.Count
        );
        Gauge(
            "mcp_resources_registered",
            "Resources that can be read now.",
            _services.GetServices<McpServerResource>().Count()
        );
        Gauge("process_resident_memory_bytes", "Memory of the process in RAM.", Environment.WorkingSet);
        Head("process_cpu_seconds_total", "Processor time of the process, user and system.", "counter");
        text.Append(
            CultureInfo.InvariantCulture,
            $"process_cpu_seconds_total {Environment.CpuUsage.TotalTime.TotalSeconds}\n"
        );
        Gauge("mcp_http_active_connections", "Open connections.", Volatile.Read(ref _connections));
        Derived(
            "mcp_rpc_requests_total",
            "JSON-RPC requests, by method and transport.",
            "mcp_rpc_request_duration_seconds",
            _ => true
        );
        Derived("mcp_tool_calls_total", "Tool calls, by tool and outcome.", "mcp_tool_duration_seconds", _ => true);
        Derived(
            "mcp_tool_errors_total",
            "Tool calls that did not succeed, by tool and outcome.",
            "mcp_tool_duration_seconds",
            labels => labels.Second is not ("ok" or "preview" or "input required")
        ); // to look or to ask back is no error
        Derived(
            "mcp_upstream_requests_total",
            "Requests to other systems, retries and refused ones too, by system and outcome.",
            "mcp_upstream_duration_seconds",
            _ => true
        );
        foreach (
            var family in _counters
                .GroupBy(counter => counter.Key.Name)
                .OrderBy(family => family.Key, StringComparer.Ordinal)
        )
        {
            Head(family.Key, _help[family.Key], "counter");
            foreach (var (key, value) in family)
            {
                text.Append(CultureInfo.InvariantCulture, $"{key.Name}{{{key.Labels}}} {value}\n");
            }
        }

        foreach (var family in Observed().GroupBy(series => series.Instrument))
        {
            var type = family.Key is ObservableCounter<long> ? "counter" : "gauge";
            Head(family.Key.Name, _help[family.Key.Name], type);
            foreach (var (_, labels, value) in family)
            {
                var name = labels.Length == 0 ? family.Key.Name : $"{family.Key.Name}{{{labels}}}";
                text.Append(CultureInfo.InvariantCulture, $"{name} {value}\n");
            }
        }

        foreach (var (name, family) in _histograms.OrderBy(family => family.Key, StringComparer.Ordinal))
        {
            var help = name switch
            {
                "mcp_tool_duration_seconds" => "How long tool calls took.",
                "mcp_upstream_duration_seconds" => "How long requests to other systems took.",
                _ => _help[name],
            };
            Head(name, help, "histogram");
            foreach (var (labels, histogram) in family.Series)
            {
                histogram.Write(text, name, family.Labels(labels));
            }
        }

        return text.ToString();

        void Head(string name, string help, string type) =>
            text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");

        void Gauge(string name, string help, double value)
        {
            Head(name, help, "gauge");
            text.Append(CultureInfo.InvariantCulture, $"{name} {value}\n");
        }

        // A histogram counts, so what is only counted needs no measurement of its own.
        void Derived(string name, string help, string source, Func<(string First, string Second), bool> included)
        {
            Head(name, help, "counter");
            if (_histograms.TryGetValue(source, out var family))
            {
                foreach (var (labels, histogram) in family.Series.Where(series => included(series.Key)))
                {
                    text.Append(CultureInfo.InvariantCulture, $"{name}{{{family.Labels(labels)}}} {histogram.Count}\n");
                }
            }
        }
    }

    public void Dispose() => _listener.Dispose();

    private static void Observe(Family family, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        family.Names ??= (tags[0].Key, tags[1].Key);
        family
            .Series.GetOrAdd(((string)tags[0].Value!, (string)tags[1].Value!), static _ => new Histogram())
            .Observe(value);
    }

    private void Count(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (instrument.Name == "kestrel.active_connections")
        {
            Interlocked.Add(ref _connections, value);
            return;
        }

        var labels = new StringBuilder();
        foreach (var (name, label) in tags)
        {
            labels.Append(labels.Length > 0 ? "," : "").Append(CultureInfo.InvariantCulture, $"{name}=\"{label}\"");
        }

        if (instrument.IsObservable)
        {
            _observed.Add((instrument, labels.ToString(), value)); // within Observed
            return;
        }

        _counters.AddOrUpdate((instrument.Name, labels.ToString()), value, (_, sum) => sum + value);
    }

    // Instruments that are asked for their values, and call Count.
    private (Instrument Instrument, string Labels, long Value)[] Observed()
    {
        lock (_observing)
        {
            _observed.Clear();
            _listener.RecordObservableInstruments();
            return [.. _observed];
        }
    }

    /// <summary>The histograms of one instrument, by the values of its two labels.</summary>
    private sealed class Family
    {
        public (string First, string Second)? Names { get; set; }

        public ConcurrentDictionary<(string First, string Second), Histogram> Series { get; } = new();

        public string Labels((string First, string Second) values) =>
            $"{Names!.Value.First}=\"{values.First}\",{Names!.Value.Second}=\"{values.Second}\"";
    }

    private sealed class Histogram
    {
        private readonly long[] _counts = new long[Buckets.Length + 1];
        private double _sum;

        public long Count => _counts.Sum();

        public void Observe(double value)
        {
            var bucket = 0;
            while (bucket < Buckets.Length && value > Buckets[bucket])
            {
                bucket++;
            }

            Interlocked.Increment(ref _counts[bucket]);
            double seen;
            do
            {
                seen = Volatile.Read(ref _sum);
            } while (Interlocked.CompareExchange(ref _sum, seen + value, seen) != seen);
        }

        public void Write(StringBuilder text, string name, string labels)
        {
            long below = 0;
            for (var i = 0; i <= Buckets.Length; i++)
            {
                below += Volatile.Read(ref _counts[i]);
                var limit = i == Buckets.Length ? "+Inf" : Buckets[i].ToString(CultureInfo.InvariantCulture);
                text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{labels},le=\"{limit}\"}} {below}\n");
            }

            text.Append(
                CultureInfo.InvariantCulture,
                $"{name}_sum{{{labels}}} {Volatile.Read(ref _sum)}\n{name}_count{{{labels}}} {below}\n"
            );
        }
    }
}
