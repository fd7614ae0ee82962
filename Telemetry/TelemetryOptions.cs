namespace MinimalMcp.Telemetry;

/// <summary>
/// The <c>OTEL_*</c> variables (OpenTelemetry specification, "Environment Variable Specification"). Those that are not
/// read here are read by OpenTelemetry itself.
/// </summary>
internal sealed class TelemetryOptions
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private static readonly string[] Signals = ["TRACES", "METRICS", "LOGS"];

    private readonly List<string> _problems = [];

    public TelemetryOptions(IConfiguration configuration)
    {
        var disabled = OneOf(configuration, "OTEL_SDK_DISABLED", "true", "false") == "true";
        RequireAddress(configuration, Endpoint);
        OneOf(configuration, "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf");
        var on = Signals.Select(signal => IsAskedFor(configuration, signal)).ToArray();
        (Traces, Metrics, Logs) = disabled || _problems.Count > 0 ? (false, false, false) : (on[0], on[1], on[2]);
    }

    public bool Traces { get; }

    public bool Metrics { get; }

    public bool Logs { get; }

    public bool IsOn => Traces || Metrics || Logs;

    public IReadOnlyList<string> Problems => _problems;

    private bool IsAskedFor(IConfiguration configuration, string signal)
    {
        var own = $"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT";
        RequireAddress(configuration, own);
        OneOf(configuration, $"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "grpc", "http/protobuf");
        return OneOf(configuration, $"OTEL_{signal}_EXPORTER", "otlp", "none") switch
        {
            "otlp" => true,
            "none" => false,
            _ => Value(configuration, Endpoint) is not null || Value(configuration, own) is not null,
        };
    }

    // An empty variable counts as unset.
    private static string? Value(IConfiguration configuration, string name) =>
        configuration[name] is { Length: > 0 } value ? value.Trim() : null;

    private string? OneOf(IConfiguration configuration, string name, params ReadOnlySpan<string> values)
    {
        var value = Value(configuration, name);
        foreach (var known in values)
        {
            if (string.Equals(value, known, StringComparison.OrdinalIgnoreCase))
            {
                return known;
            }
        }

        if (value is not null)
        {
            _problems.Add($"{name} must be {string.Join(" or ", values!)}; it is '{value}'. Correct it, or remove it.");
        }

        return null;
    }

    private void RequireAddress(IConfiguration configuration, string name)
    {
        if (
            Value(configuration, name) is { } value
            && !(Uri.TryCreate(value, UriKind.Absolute, out var address) && address.Scheme is "http" or "https")
        )
        {
            // Without the value: a URL may contain a password.
            _problems.Add($"{name} must be a URL such as http://localhost:4317. Correct or remove it.");
        }
    }
}
