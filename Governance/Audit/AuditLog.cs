using System.Threading.Channels;
using Microsoft.Extensions.Options;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>
/// The audit log of every call attempt. Entries are written in batches. A call that changes something waits until its
/// entry is durable; other calls do not wait, and their entries are kept in memory while the store is unavailable.
/// </summary>
internal sealed partial class AuditLog(
    Store store,
    Redactor redactor,
    AuditRetention retention,
    IOptions<GovernanceOptions> options,
    ILogger<AuditLog> logger
) : IHostedService, IDisposable
{
    private const int MaxBatch = 256;
    private const int MaxKept = 10_000;

    // How long entries without a waiting call gather: many share one flush, and a batch stays small enough not to delay
    // calls.
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(5);

    private readonly Channel<Entry> _queue = Channel.CreateBounded<Entry>(
        new BoundedChannelOptions(MaxKept) { SingleReader = true }
    );
    private readonly SemaphoreSlim _pressing = new(0);
    private readonly List<AuditEntry> _kept = [];
    private Task _writing = Task.CompletedTask;
    private bool _isStopping;
    private long _lost;

    public bool IsOn { get; } = options.Value.Audit;

    /// <summary>
    /// Returns when the entry is durable. Throws <see cref="StorageException"/> when it cannot be written.
    /// </summary>
    public async ValueTask WriteAsync(AuditEntry row)
    {
        if (IsOn)
        {
            using var span = store.StartSpan(nameof(Store.AppendAuditAsync)); // the caller waits for it
            var entry = new Entry(row, new(TaskCreationOptions.RunContinuationsAsynchronously));
            await (
                await TryEnqueueAsync(entry)
                    ? entry.Written!.Task
                    : throw new StorageException("The server is shutting down and accepts no audit entries.")
            );
        }
    }

    /// <summary>
    /// Queues the entry. It is written soon, or when the store is back. A caller that is faster than the store waits.
    /// </summary>
    public ValueTask WriteSoonAsync(AuditEntry row) =>
        !IsOn || _queue.Writer.TryWrite(new(row, null)) ? default : QueueAsync(row);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _writing = Task.Run(WriteAllAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    private async ValueTask<bool> TryEnqueueAsync(Entry entry)
    {
        while (await _queue.Writer.WaitToWriteAsync())
        {
            if (_queue.Writer.TryWrite(entry))
            {
                if (entry.Written is not null)
                {
                    _pressing.Release();
                }

                return true;
            }
        }

        return false;
    }

    private async Task WriteAllAsync()
    {
        var batch = new List<Entry>(MaxBatch);
        // ends when the queue is completed and empty
        while (await _queue.Reader.WaitToReadAsync(CancellationToken.None))
        {
            await GatherAsync();
            while (batch.Count < MaxBatch && _queue.Reader.TryRead(out var entry))
            {
                batch.Add(entry);
            }

            await WriteAsync(batch);
            batch.Clear();
            await retention.CutAsync();
        }

        await WriteLeftAsync();
    }

    private async ValueTask GatherAsync()
    {
        if (_queue.Reader.Count < MaxBatch)
        {
            await _pressing.WaitAsync(Gathering);
        }

        while (_pressing.Wait(0)) { } // those who press are in the queue
    }

    private async Task WriteAsync(List<Entry> batch)
    {
        try
        {
            batch.ForEach(entry => redactor.Clean(entry.Row));
            await store.AppendAuditAsync([.. _kept, .. batch.Select(entry => entry.Row)], CancellationToken.None);
            if (_kept.Count > 0)
            {
                LogBack(logger, _kept.Count, _lost);
                _kept.Clear();
                _lost = 0;
            }

            batch.ForEach(entry => entry.Written?.TrySetResult());
        }
        catch (Exception gone)
        {
            if (_kept.Count == 0)
            {
                LogGone(logger, gone);
            }

            // Entries that were queued meanwhile would fail in the same way.
            while (_queue.Reader.TryRead(out var entry))
            {
                redactor.Clean(entry.Row);
                batch.Add(entry);
            }

            foreach (var entry in batch)
            {
                if (
                    entry.Written?.TrySetException(gone as StorageException ?? new StorageException(gone.Message, gone))
                    is true
                )
                {
                    continue;
                }

                if (_kept.Count < MaxKept)
                {
                    _kept.Add(entry.Row);
                }
                else
                {
                    Interlocked.Increment(ref _lost);
                }
            }
        }
    }

    [LoggerMessage(
        LogLevel.Error,
        "Audit log write failed. Calls that change data are refused; entries of other calls are kept in memory."
    )]
    private static partial void LogGone(ILogger logger, Exception failure);

    [LoggerMessage(LogLevel.Warning, "Audit log writes resumed {Kept} {Lost}")]
    private static partial void LogBack(ILogger logger, int kept, long lost);

    private sealed record Entry(AuditEntry Row, TaskCompletionSource? Written);
}
