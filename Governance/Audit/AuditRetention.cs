using Microsoft.Extensions.Options;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>Deletes expired audit entries, whole days at a time, once a day.</summary>
internal sealed partial class AuditRetention(
    Store store,
    IOptions<GovernanceOptions> options,
    TimeProvider time,
    ILogger<AuditRetention> logger
)
{
    private DateTime _cut;

    /// <summary>Called by the writer of the entries, so that nothing else writes meanwhile.</summary>
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

    [LoggerMessage(LogLevel.Error, "Deletion of expired audit entries failed and will be retried tomorrow")]
    private static partial void LogNotCut(ILogger logger, Exception failure);
}
