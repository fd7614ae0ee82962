namespace MinimalMcp.Governance;

public static class GovernanceSetup
{
    /// <summary>May this call happen, and the record that it did. The order of the steps stands in <see cref="GovernedFunction"/>.</summary>
    public static IHostApplicationBuilder AddGovernance(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<CallLog>();
        return builder;
    }
}
