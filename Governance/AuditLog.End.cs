using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>What becomes of rows when the server ends.</summary>
public sealed partial class AuditLog
{
    /// <summary>Writes what is queued before the server ends.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_queue.Writer.TryComplete())
        {
            _pressing.Release();
        }

        await _writing.WaitAsync(cancellationToken);
    }

    public void Dispose() => _pressing.Dispose();

    // The call is over and its answer stands, whatever becomes of the row: after the last batch it is written by itself, while the store is still there.
    private async ValueTask QueueAsync(AuditRow row)
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

    // Rows of calls that only read, which waited for the store.
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

    [LoggerMessage(
        LogLevel.Error,
        "The server ends, and a call of {Tool} ({Outcome}) is not on record; its correlation id is {CorrelationId}"
    )]
    private static partial void LogLost(
        ILogger logger,
        Exception failure,
        string tool,
        string outcome,
        string correlationId
    );

    [LoggerMessage(
        LogLevel.Error,
        "The server ends while the audit cannot be written; {Lost} rows of calls that only read are lost."
    )]
    private static partial void LogLeft(ILogger logger, long lost);
}
