using MinimalMcp.Governance;

namespace MinimalMcp.Monitoring;

/// <summary>What happens here, for the console: sessions, activity and figures.</summary>
public static class MonitoringSetup
{
    /// <summary>Adds what <see cref="MapMonitoring"/> and the console's pages read.</summary>
    public static IHostApplicationBuilder AddMonitoring(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<RecentCallers>();
        builder.Services.AddSingleton<CallRecorder>();
        builder.Services.AddSingleton<ICallObserver>(services => services.GetRequiredService<CallRecorder>());
        builder.Services.AddSingleton<ChatGptClients>();
        builder.Services.AddSingleton<SessionList>();
        builder.Services.AddSingleton<ActivityLog>();
        builder.Services.AddSingleton<ActivityFeed>();
        builder.Services.AddHostedService<SignInEvents>();
        builder.Services.AddSingleton<UsageWriter>();
        builder.Services.AddHostedService(services => services.GetRequiredService<UsageWriter>());
        builder.Services.AddSingleton<MetricsSummary>();
        return builder;
    }

    /// <summary>
    /// Maps <c>/sessions</c>, <c>/activity</c> and <c>/metrics/summary</c> below the pattern, for callers with the
    /// scope mcp:admin and operators who are signed in.
    /// </summary>
    public static IEndpointConventionBuilder MapMonitoring(
        this IEndpointRouteBuilder routes,
        string pattern = "/api/v1"
    ) => MonitoringRoutes.Map(routes, pattern);
}
