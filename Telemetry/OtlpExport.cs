using System.Reflection;
using System.Runtime.CompilerServices;
using MinimalMcp.Governance;
using Npgsql;
using OpenTelemetry;
using OpenTelemetry.Context.Propagation;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace MinimalMcp.Telemetry;

/// <summary>
/// Configures OpenTelemetry with the framework's instrumentation and ours. The only code that references it, so that
/// its assemblies load only when export is enabled.
/// </summary>
internal static class OtlpExport
{
    private const string Ours = "MinimalMcp.*";

    // Health checks and scrapes are frequent and not of interest.
    private static readonly string[] Quiet = ["/health", "/metrics"];

    // Of /metrics; OpenTelemetry's own are made for milliseconds.
    private static readonly double[] Seconds =
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

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Add(IHostApplicationBuilder builder, TelemetryOptions options)
    {
        // no baggage: callers could fill it
        Sdk.SetDefaultTextMapPropagator(new TraceContextPropagator());
        var usesPostgres = builder.Configuration["Storage:ConnectionString"] is { Length: > 0 };
        var telemetry = builder.Services.AddOpenTelemetry().ConfigureResource(Describe);
        if (options.Traces)
        {
            telemetry.WithTracing(traces => AddTraces(traces, usesPostgres));
        }

        if (options.Metrics)
        {
            telemetry.WithMetrics(metrics => AddMetrics(metrics, usesPostgres));
        }

        if (options.Logs)
        {
            telemetry.WithLogging(null, logger => logger.IncludeFormattedMessage = true);
        }
        else
        {
            builder.Logging.AddFilter<RedactingLoggerProvider>(_ => false); // UseOtlpExporter turns all three on
        }

        telemetry.UseOtlpExporter();
        Decorate(builder.Services);
    }

    // OpenTelemetry registers its provider with a factory; ours stands around it.
    private static void Decorate(IServiceCollection services)
    {
        var provider = services.Last(service =>
            service.ServiceType == typeof(ILoggerProvider)
            && service.ImplementationFactory?.Method.ReturnType == typeof(OpenTelemetryLoggerProvider)
        );
        services.Remove(provider);
        services.AddSingleton<ILoggerProvider>(built => new RedactingLoggerProvider(
            (ILoggerProvider)provider.ImplementationFactory!(built),
            built.GetRequiredService<Redactor>()
        ));
    }

    // Names of the operator, in OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, win.
    private static void Describe(ResourceBuilder resource) =>
        resource
            .AddService(
                "minimal-mcp",
                serviceVersion: typeof(OtlpExport)
                    .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
                    ?.InformationalVersion
            )
            .AddEnvironmentVariableDetector();

    private static void AddTraces(TracerProviderBuilder traces, bool usesPostgres)
    {
        // Not the source of the MCP SDK: it sees only what takes its path, twice with ours, and puts error messages
        // into spans.
        traces
            .AddSource(Ours)
            .AddAspNetCoreInstrumentation(http =>
                http.Filter = context => !Quiet.Any(path => context.Request.Path.StartsWithSegments(path))
            )
            .AddHttpClientInstrumentation()
            .ConfigureServices(services => services.AddSingleton<RedactingActivityListener>());
        ((IDeferredTracerProviderBuilder)traces).Configure(
            (services, _) => services.GetRequiredService<RedactingActivityListener>()
        );
        if (usesPostgres)
        {
            traces.AddNpgsql();
        }
    }

    private static void AddMetrics(MeterProviderBuilder metrics, bool usesPostgres)
    {
        metrics
            .AddMeter(Ours)
            .AddAspNetCoreInstrumentation()
            .AddHttpClientInstrumentation()
            .AddRuntimeInstrumentation()
            .AddView(instrument =>
                instrument.Name.StartsWith("mcp_", StringComparison.Ordinal) && instrument.Unit == "s"
                    ? new ExplicitBucketHistogramConfiguration { Boundaries = Seconds }
                    : null
            );
        if (usesPostgres)
        {
            metrics.AddNpgsqlInstrumentation();
        }
    }
}
