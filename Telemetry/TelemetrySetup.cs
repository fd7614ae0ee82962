using Microsoft.Extensions.Options;

namespace MinimalMcp.Telemetry;

/// <summary>Export of traces, metrics and logs.</summary>
public static class TelemetrySetup
{
    /// <summary>
    /// Exports traces, metrics and logs by OTLP when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> or another OpenTelemetry
    /// variable is set. Otherwise no OpenTelemetry assembly is loaded.
    /// </summary>
    public static IHostApplicationBuilder AddTelemetry(this IHostApplicationBuilder builder)
    {
        var options = new TelemetryOptions(builder.Configuration);
        builder.Services.AddOptions<TelemetryOptions>().ValidateOnStart();
        builder.Services.AddSingleton<IOptionsFactory<TelemetryOptions>>(new Given(options));
        if (options.IsOn)
        {
            OtlpExport.Add(builder, options);
        }

        return builder;
    }

    // The options are read from environment names without a section, before services are registered.
    private sealed class Given(TelemetryOptions options) : IOptionsFactory<TelemetryOptions>
    {
        public TelemetryOptions Create(string name) =>
            options.Problems is { Count: > 0 } problems
                ? throw new OptionsValidationException(name, typeof(TelemetryOptions), problems)
                : options;
    }
}
