using System.Threading.Channels;
using Microsoft.Extensions.Options;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>
/// The record of every attempt. Rows gather while the batch before them is being written. What changes the world waits until its row is
/// durable; the rest does not, and is kept for later while the store is gone.
/// </summary>
public sealed partial class AuditLog(
    Store store,
    Redactor redactor,
    AuditRetention retention,
    IOptions<GovernanceOptions> options,
    ILogger<AuditLog> logger
) : IHostedService, IDisposable
{
    private const int MaxBatch = 256;
    private const int MaxKept = 10_000;

    // How long rows gather that nobody waits for: many share one flush to the disk, and a batch is not so large that calls wait for its processor.
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(5);

    private readonly Channel<Entry> _queue = Channel.CreateBounded<Entry>(
        new BoundedChannelOptions(MaxKept) { SingleReader = true }
    );
    private readonly SemaphoreSlim _pressing = new(0);
    private readonly List<AuditRow> _kept = [];
    private Task _writing = Task.CompletedTask;
    private long _lost;

    public bool IsOn { get; } = options.Value.Audit;

    /// <summary>Returns when the row is durable. Throws <see cref="StorageException"/> when it cannot be.</summary>
    public async ValueTask WriteAsync(AuditRow row)
    {
        if (IsOn)
        {
            using var span = store.StartSpan(nameof(Store.AppendAuditAsync)); // the caller waits for it
            var entry = new Entry(row, new(TaskCreationOptions.RunContinuationsAsynchronously));
            await (
                await TryEnqueueAsync(entry)
                    ? entry.Written!.Task
                    : throw new StorageException("The server ends, and takes no more records.")
            );
        }
    }

    /// <summary>Hands the row over. It is written soon; when the store is gone, as soon as it is back. Who calls faster than rows are written waits.</summary>
    public ValueTask WriteSoonAsync(AuditRow row) =>
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
        while (await _queue.Reader.WaitToReadAsync(CancellationToken.None)) // ends when the queue is completed and empty
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

        while (_pressing.Wait(0)) { } // whoever presses is in the queue
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

            // Whoever queued meanwhile would only wait for the same answer.
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
        "The audit cannot be written now. Calls that change something are refused; the record of the others is kept in memory."
    )]
    private static partial void LogGone(ILogger logger, Exception failure);

    [LoggerMessage(
        LogLevel.Warning,
        "The audit can be written again; {Kept} rows were kept meanwhile and {Lost} were lost."
    )]
    private static partial void LogBack(ILogger logger, int kept, long lost);

    private sealed record Entry(AuditRow Row, TaskCompletionSource? Written);
}
