using MinimalMcp.Tools;

namespace MinimalMcp.WellKnown;

public static class WellKnownSetup
{
    public static IHostApplicationBuilder AddWellKnown(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<StartTime>();
        builder.Services.AddSingleton<Metrics>();
        return builder;
    }

    /// <summary>The documents that machines look for. OAuth's are not among them while authentication is off: they would make a host ask for a login.</summary>
    public static IEndpointConventionBuilder MapWellKnown(this IEndpointRouteBuilder routes)
    {
        // Made now: a counter counts from here on, not from the first question.
        _ = routes.ServiceProvider.GetRequiredService<StartTime>();
        var metrics = routes.ServiceProvider.GetRequiredService<Metrics>();
        var group = routes.MapGroup("");
        foreach (var (path, answer) in (ReadOnlySpan<(string, RequestDelegate)>)
        [
            ("/.well-known/ai-plugin.json", AiPlugin.GetAsync),
            ("/ai-plugin.json", AiPlugin.GetAsync),
            ("/logo.svg", AiPlugin.LogoAsync),
            ("/health", Health.GetAsync),
            ("/health/live", Health.LiveAsync),
            ("/health/ready", Health.ReadyAsync),
            ("/status", Health.StatusAsync),
            ("/metrics", metrics.WriteAsync),
        ])
        {
            group.MapGet(path, answer);
        }

        return group;
    }
}
