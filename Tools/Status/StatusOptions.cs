using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MinimalMcp.Tools.Status;

public static class StatusSetup
{
    /// <summary>For each system; all are asked at the same time.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Listed only when there is a system to speak of. The last family to be added, so that all others have said so.</summary>
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
