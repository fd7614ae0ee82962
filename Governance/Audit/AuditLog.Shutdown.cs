using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>Writes the remaining entries when the server stops.</summary>
internal sealed partial class AuditLog
{
    /// <summary>Writes the queued entries before the server stops.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        // A host may be stopped twice at once. Nobody disposes this before the queue is completed, so it is pressed
        // first.
        if (!Interlocked.Exchange(ref _isStopping, true))
        {
            _pressing.Release();
            _queue.Writer.TryComplete();
        }

        await _writing.WaitAsync(cancellationToken);
    }

    public void Dispose() => _pressing.Dispose();

    // The call has its result, whatever happens to the entry. After the last batch it is written on its own, while the
    // store is still open.
    private async ValueTask QueueAsync(AuditEntry row)
    {
        if (await TryEnqueueAsync(new(row, null)))
        {
            return;
        }

        try
        {
            redactor.Clean(row);
            await store.AppendAuditAsync([row], CancellationToken.None);
        }
        catch (StorageException gone)
        {
            LogLost(logger, gone, row.Tool, row.Outcome, row.CallId);
        }
    }

    // Entries of read-only calls that waited for the store.
    private async Task WriteLeftAsync()
    {
        if (_kept.Count > 0)
        {
            await WriteAsync([]);
            if (_kept.Count > 0)
            {
                LogLeft(logger, _kept.Count + _lost);
            }
        }
    }

    [LoggerMessage(LogLevel.Error, "Audit entry lost at shutdown {Tool} {Outcome} {CorrelationId}")]
    private static partial void LogLost(
        ILogger logger,
        Exception failure,
        string tool,
        string outcome,
        string correlationId
    );

    [LoggerMessage(
        LogLevel.Error,
        "Audit entries of read-only calls lost at shutdown, because the store is unavailable {Lost}"
    )]
    private static partial void LogLeft(ILogger logger, long lost);
}
