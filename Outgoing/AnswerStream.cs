namespace MinimalMcp.Outgoing;

/// <summary>
/// The body of an answer as the family reads it: counted, ended by the deadline, and with its failures in words.
/// </summary>
internal sealed class AnswerStream(Stream wire, long limit, Exchange exchange, CancellationToken stop) : Stream
{
    private long _read;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

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
            await wire.DisposeAsync(); // not only when the family does: the connection is of no more use
            var told = exchange.Explain(failure, answered: true);
            exchange.End(told);
            if (ReferenceEquals(told, failure))
            {
                throw;
            }

            throw told;
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>The time is up, or the caller left.</summary>
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
            exchange.End(null); // a family that does not want the rest is content
        }

        base.Dispose(disposing);
    }
}
