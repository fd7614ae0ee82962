using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using MinimalMcp.Configuration;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>Budgets, confirmation and the audit log, for every call on every surface.</summary>
public static class GovernanceSetup
{
    /// <summary>
    /// Adds governance: whether a call may run, and the audit log. <see cref="GovernedFunction"/> has the order of the
    /// steps.
    /// </summary>
    public static IHostApplicationBuilder AddGovernance(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSettings<GovernanceOptions>("Governance");
        builder.Services.AddSingleton<KnownSettings>();
        builder.Services.AddSingleton<SettingsInForce>();
        builder.Services.AddSingleton<IValidateOptions<GovernanceOptions>, UnknownSettings>();
        builder.Services.AddSingleton<ToolPolicies>();
        builder.Services.AddSingleton<CallLog>();
        builder.Services.AddSingleton<Redactor>();
        builder.Services.AddSingleton<ISubjectMigration, SubjectMigration>();
        builder.Services.AddSingleton<Budgets>();
        builder.Services.AddSingleton<Confirmations>();
        builder.Services.AddSingleton<Approvals>();
        builder.Services.AddHostedService<ApprovalMetrics>();
        builder.Services.AddSingleton<AuditRetention>();
        builder.Services.AddSingleton<AuditVerifier>();
        builder.Services.AddSingleton<AuditLog>();
        builder.Services.AddHostedService(services => services.GetRequiredService<AuditLog>());
        builder.Services.AddSingleton<EventLog>();
        builder.Services.AddHostedService(services => services.GetRequiredService<EventLog>());
        builder.Services.AddSingleton<GovernanceServices>();
        return builder;
    }

    /// <summary>
    /// For a program that serves nothing but this server: its logs are free of the settings' secrets and of hidden
    /// characters, and go to a file as well when <c>Logging:File:Path</c> names one.
    /// </summary>
    public static IHostApplicationBuilder CleanLogs(this IHostApplicationBuilder builder)
    {
        RedactingConsoleFormatter.Around(builder.Services);
        builder.Services.AddSettings<LogFileOptions>("Logging:File");
        if (builder.Configuration["Logging:File:Path"] is { Length: > 0 })
        {
            builder.Services.AddSingleton<ILoggerProvider, LogFile>();
        }

        builder.Services.PostConfigure<SimpleConsoleFormatterOptions>(console =>
        {
            console.ColorBehavior = LoggerColorBehavior.Disabled; // colors are escape sequences
            console.UseUtcTimestamp = true;
            console.TimestampFormat ??= "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
        });
        return builder;
    }
}
