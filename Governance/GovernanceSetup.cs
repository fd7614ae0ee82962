using Microsoft.Extensions.Logging.Console;
using MinimalMcp.Configuration;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

public static class GovernanceSetup
{
    /// <summary>May this call happen, and the record that it did. The order of the steps stands in <see cref="GovernedFunction"/>.</summary>
    public static IHostApplicationBuilder AddGovernance(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSettings<GovernanceOptions>("Governance");
        builder.Services.AddSingleton<Policies>();
        builder.Services.AddSingleton<CallLog>();
        builder.Services.AddSingleton<Redactor>();
        builder.Logging.AddConsoleFormatter<CleanConsole, ConsoleFormatterOptions>();
        builder.Services.Configure<ConsoleLoggerOptions>(console => console.FormatterName = CleanConsole.FormatterName);
        builder.Services.AddSingleton<ISubjectNames, SubjectNames>();
        builder.Services.AddSingleton<Budgets>();
        builder.Services.AddSingleton<Confirmations>();
        builder.Services.AddSingleton<Approvals>();
        builder.Services.AddSingleton<AuditRetention>();
        builder.Services.AddSingleton<AuditLog>();
        builder.Services.AddHostedService(services => services.GetRequiredService<AuditLog>());
        builder.Services.AddSingleton<Gate>();
        return builder;
    }
}
