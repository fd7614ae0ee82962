using System.Buffers;
using System.IO.Pipelines;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// What the server says to a session beside its answers. The SDK's server takes one stream for its whole life; a client may lose its
/// connection and open another. So the server gets this, which passes each event on to the response that is open at the moment, and
/// drops it when none is, as the protocol allows.
/// </summary>
internal sealed class SessionEvents : Stream
{
    private readonly ArrayBufferWriter<byte> _event = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private Response? _response;

    /// <summary>Opens the stream; false when it is open already. Events go to the writer until <see cref="DetachAsync"/>.</summary>
    public bool TryAttach(PipeWriter writer, CancellationToken ended) => Interlocked.CompareExchange(ref _response, new(writer, ended), null) is null;

    /// <summary>When this returns nothing is written any more: the response may be finished.</summary>
    public async Task DetachAsync()
    {
        await _writing.WaitAsync();
        _response = null;
        _writing.Release();
    }

    /// <summary>Writes one whole event or comment.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> text)
    {
        await _writing.WaitAsync();
        try
        {
            if (Volatile.Read(ref _response) is { } open)
            {
                await open.Writer.WriteAsync(text, open.Ended);
            }
        }
        catch (OperationCanceledException)
        {
            // The client has left.
        }
        finally
        {
            _writing.Release();
        }
    }

    // The SDK writes an event in pieces and then flushes; a comment must not come in between.
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _event.Write(buffer.Span);
        return default;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_event.WrittenCount > 0)
        {
            await SendAsync(_event.WrittenMemory);
            _event.ResetWrittenCount();
        }
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(byte[] buffer, int offset, int count) => _event.Write(buffer.AsSpan(offset, count));

    public override void Flush() => FlushAsync(CancellationToken.None).GetAwaiter().GetResult();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private sealed record Response(PipeWriter Writer, CancellationToken Ended);
}
