using Microsoft.Extensions.Options;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>How long the record is kept: once a day the rows of whole days go.</summary>
public sealed partial class AuditRetention(
    Store store,
    IOptions<GovernanceOptions> options,
    TimeProvider time,
    ILogger<AuditRetention> logger
)
{
    private DateTime _cut;

    /// <summary>Called by whoever writes the rows, so that nothing else writes meanwhile.</summary>
    public async ValueTask CutAsync()
    {
        var today = time.GetUtcNow().Date;
        if (options.Value.AuditDays == 0 || today <= _cut)
        {
            return;
        }

        _cut = today;
        try
        {
            await store.CutAuditAsync(
                new DateTimeOffset(today, TimeSpan.Zero).AddDays(-options.Value.AuditDays).ToUnixTimeMilliseconds(),
                CancellationToken.None
            );
        }
        catch (StorageException gone)
        {
            LogNotCut(logger, gone);
        }
    }

    [LoggerMessage(LogLevel.Error, "Old rows of the audit could not be removed; that is tried again tomorrow.")]
    private static partial void LogNotCut(ILogger logger, Exception failure);
}
