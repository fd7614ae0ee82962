namespace MinimalMcp.Governance;

/// <summary>The services that the steps of a governed call share.</summary>
internal sealed record GovernanceServices(
    CallLog Log,
    AuditLog Audit,
    Budgets Budgets,
    Confirmations Confirmations,
    Approvals Approvals,
    Redactor Redactor,
    TimeProvider Time,
    ICallObserver? Calls = null
);
