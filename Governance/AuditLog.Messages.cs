namespace MinimalMcp.Governance;

/// <summary>What the operator is told of the record.</summary>
public sealed partial class AuditLog
{
    [LoggerMessage(LogLevel.Error, "The audit cannot be written now. Calls that change something are refused; the record of the others is kept in memory.")]
    private static partial void LogGone(ILogger logger, Exception failure);

    [LoggerMessage(LogLevel.Warning, "The audit can be written again; {Kept} rows were kept meanwhile and {Lost} were lost.")]
    private static partial void LogBack(ILogger logger, int kept, long lost);

    [LoggerMessage(LogLevel.Error, "The server ends, and a call of {Tool} ({Outcome}) is not on record; its correlation id is {CorrelationId}")]
    private static partial void LogLost(ILogger logger, Exception failure, string tool, string outcome, string correlationId);

    [LoggerMessage(LogLevel.Error, "The server ends while the audit cannot be written; {Lost} rows of calls that only read are lost.")]
    private static partial void LogLeft(ILogger logger, long lost);
}
