namespace MinimalMcp.Governance;

/// <summary>What the steps of a governed call share.</summary>
public sealed record Gate(
    CallLog Log,
    AuditLog Audit,
    Budgets Budgets,
    Confirmations Confirmations,
    Approvals Approvals,
    Redactor Redactor,
    TimeProvider Time
);
