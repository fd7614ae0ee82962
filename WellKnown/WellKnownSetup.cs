using MinimalMcp.Auth;
using MinimalMcp.Configuration;
using MinimalMcp.Tools;

namespace MinimalMcp.WellKnown;

/// <summary>Discovery documents, health and metrics.</summary>
public static class WellKnownSetup
{
    /// <summary>Adds what <see cref="MapWellKnown"/> needs.</summary>
    public static IHostApplicationBuilder AddWellKnown(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<StartTime>();
        builder.Services.AddSingleton<CpuUsage>();
        builder.Services.AddSingleton<Metrics>();
        return builder;
    }

    /// <summary>The documents that machines look for.</summary>
    public static IEndpointConventionBuilder MapWellKnown(this IEndpointRouteBuilder routes)
    {
        // Made now: a counter counts from here on, not from the first question.
        _ = routes.ServiceProvider.GetRequiredService<StartTime>();
        _ = routes.ServiceProvider.GetRequiredService<CpuUsage>();
        var metrics = routes.ServiceProvider.GetRequiredService<Metrics>();
        var group = routes.MapGroup("");
        var open = group.MapGroup("").AllowAnonymous();
        foreach (
            var (path, answer) in (ReadOnlySpan<(string, RequestDelegate)>)
                [
                    ("/.well-known/ai-plugin.json", ProviderUnavailable.Answered(AiPlugin.GetAsync)),
                    ("/ai-plugin.json", ProviderUnavailable.Answered(AiPlugin.GetAsync)),
                    ("/logo.svg", AiPlugin.LogoAsync),
                    ("/llms.txt", LlmsText.GetAsync),
                    ("/health", Health.GetAsync),
                    ("/health/live", Health.LiveAsync),
                    ("/health/ready", Health.ReadyAsync),
                ]
        )
        {
            open.MapGet(path, answer);
        }

        OAuthDocuments.Map(open);

        // A document that is not there is told as that: a host that got 401 instead would think that it has to sign in
        // to read it.
        open.MapGet("/.well-known/{**document}", (RequestDelegate)OAuthDocuments.NotThereAsync);
        group.MapGet("/status", (RequestDelegate)Health.StatusAsync).RequireAuthorization(AuthPolicies.Caller);
        group.MapGet("/metrics", (RequestDelegate)metrics.WriteAsync).RequireAuthorization(AuthPolicies.Caller);

        return group.AllowHead();
    }
}
