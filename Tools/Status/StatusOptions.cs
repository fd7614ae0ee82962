using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MinimalMcp.Tools.Status;

/// <summary>The door of the family.</summary>
internal static class StatusSetup
{
    /// <summary>Timeout of each system; all are asked at the same time.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Adds the tool when there is an upstream system. It is the last family to be added, so that all others have
    /// brought their health checks.
    /// </summary>
    public static IServiceCollection AddStatus(this IServiceCollection services, IConfiguration configuration) =>
        services.Any(service => service.ServiceType == typeof(HealthCheckService))
            ? services
                .AddSingleton<StatusTools>()
                .PostConfigure<HealthCheckServiceOptions>(options =>
                {
                    foreach (var check in options.Registrations)
                    {
                        check.Timeout = Patience;
                    }
                })
            : services;
}
