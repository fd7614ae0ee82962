using System.Buffers;
using System.IO.Pipelines;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// What the server says to a session beside its answers. The SDK's server takes one stream for its whole life; a
/// client may lose its connection and open another. So the server gets this, which passes each event on to the response
/// that is open at the moment, and drops it when none is, as the protocol allows.
/// </summary>
internal sealed class SessionEvents : Stream
{
    private readonly ArrayBufferWriter<byte> _event = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Response? _response;

    /// <summary>Completes when the SDK's server has taken this stream.</summary>
    public Task Opened => _opened.Task;

    /// <summary>
    /// Sends events to the writer until it is detached. It takes the place of one that is open: that one's client may
    /// have died unnoticed.
    /// </summary>
    public Response Attach(PipeWriter writer, CancellationToken ended)
    {
        var response = new Response(writer, CancellationTokenSource.CreateLinkedTokenSource(ended));
        Interlocked.Exchange(ref _response, response)?.Replace();
        return response;
    }

    /// <summary>When this returns nothing is written any more: the response may be finished.</summary>
    public async Task DetachAsync(Response response)
    {
        Interlocked.CompareExchange(ref _response, null, response);
        await _writing.WaitAsync();
        _writing.Release();
        response.Dispose();
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
            // The client has left, or opened another stream.
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

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        _opened.TrySetResult();
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

    internal sealed class Response(PipeWriter writer, CancellationTokenSource source) : IDisposable
    {
        public PipeWriter Writer => writer;

        /// <summary>Its client left, or another one took its place.</summary>
        public CancellationToken Ended { get; } = source.Token;

        public void Replace()
        {
            try
            {
                source.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It ended in this moment.
            }
        }

        public void Dispose() => source.Dispose();
    }
}
