using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>
/// Verifies the whole chain of the audit log while the server runs: one run at a time, since it reads all.
/// </summary>
internal sealed class AuditVerifier(Store store)
{
    private int _isRunning;

    /// <summary>Null while another verification runs.</summary>
    public async Task<AuditVerification?> VerifyAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _isRunning, 1) == 1)
        {
            return null;
        }

        try
        {
            // The rows are read and hashed without waiting in between: not on the thread of a request.
            return await Task.Run(() => store.VerifyAuditAsync(cancellationToken), cancellationToken);
        }
        finally
        {
            Volatile.Write(ref _isRunning, 0);
        }
    }

    /// <summary>The result as a sentence.</summary>
    public static string InWords(AuditVerification verdict) =>
        verdict switch
        {
            { Problem: { } problem } => $"The audit log is damaged: {problem}. Entries before it are intact. Restore a "
                + "backup, and find out who can write to the store.",
            { Rows: 0 } => "The audit log is empty.",
            _ => $"The audit log is intact: {verdict.Rows} entries, the last is {verdict.Seq} with the hash "
                + $"{verdict.Hash}. Keep this hash elsewhere: it shows later whether the whole log was rewritten.",
        };
}
