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
        group.MapGet("/.well-known/ai-plugin.json", AiPlugin.Get);
        group.MapGet("/ai-plugin.json", AiPlugin.Get);
        group.MapGet("/logo.svg", AiPlugin.Logo);
        group.MapGet("/health", Health.Get);
        group.MapGet("/health/live", Health.Live);
        group.MapGet("/health/ready", Health.Ready);
        group.MapGet("/status", Health.Status);
        group.MapGet("/metrics", () => Results.Text(metrics.Text(), "text/plain; version=0.0.4; charset=utf-8"));
        return group;
    }
}
