namespace MinimalMcp.Outgoing;

/// <summary>
/// The response body as the family reads it: size-limited, ended by the timeout, with readable failures.
/// </summary>
internal sealed class ResponseStream(Stream wire, long limit, ResilientRequest exchange, CancellationToken stop)
    : ReadingStream
{
    private long _read;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stop);
            var count = await wire.ReadAsync(buffer, either.Token);
            _read += count;
            if (_read > limit)
            {
                throw exchange.TooLarge();
            }

            if (count == 0 && buffer.Length > 0)
            {
                exchange.End(null);
            }

            return count;
        }
        catch (Exception failure)
        {
            await wire.DisposeAsync(); // not only when the family does: the connection cannot be reused
            var told = exchange.Explain(failure, answered: true);
            exchange.End(told);
            if (ReferenceEquals(told, failure))
            {
                throw;
            }

            throw told;
        }
    }

    /// <summary>The request timed out or was cancelled.</summary>
    public void Abort()
    {
        wire.Dispose();
        exchange.End(exchange.Explain(new OperationCanceledException(), answered: true));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            wire.Dispose();
            exchange.End(null); // the family does not need the rest
        }

        base.Dispose(disposing);
    }
}
