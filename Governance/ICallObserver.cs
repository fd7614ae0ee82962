namespace MinimalMcp.Governance;

/// <summary>Sees every call that ended. It is on the path of each call: it must be quick, and never throws.</summary>
internal interface ICallObserver
{
    void Ended(in EndedCall call);
}

/// <param name="Tool">The name in the audit log.</param>
/// <param name="Outcome">The outcome in the audit log.</param>
/// <param name="At">When it ended, in milliseconds since 1970 UTC.</param>
internal readonly record struct EndedCall(
    string Tool,
    ToolPolicy Policy,
    ToolCall Call,
    string Outcome,
    long At,
    long DurationUs
);
