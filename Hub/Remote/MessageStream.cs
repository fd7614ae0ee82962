using MinimalMcp.Outgoing;

namespace MinimalMcp.Hub.Remote;

/// <summary>
/// The body of a response, bounded. Of an event stream each event has the limit, because the stream itself has no end;
/// and the end of one that lasts as long as the connection is handled by <paramref name="ended"/>.
/// </summary>
/// <param name="limit">When the body is closed, whether or not somebody reads it.</param>
/// <param name="tooLarge">Called before the limit's exception is thrown.</param>
/// <param name="ended">
/// Gives the stream that goes on in its place, or null. Called with what ended it, which is null for an orderly end.
/// </param>
internal sealed class MessageStream(
    Stream body,
    int maxBytes,
    bool isEvents,
    Action<UpstreamRefusedException> tooLarge,
    TimeSpan limit,
    Func<Exception?, CancellationToken, Task<Stream?>>? ended = null
) : ReadingStream
{
    private readonly Timer? _limit =
        limit == Timeout.InfiniteTimeSpan
            ? null
            : new(static open => ((Stream)open!).Dispose(), body, limit, Timeout.InfiniteTimeSpan);

    private Stream _body = body;
    private long _size;
    private bool _isLineEmpty = true,
        _isAfterReturn;
    private int _separators;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (_separators > 0 && buffer.Length > 0)
            {
                // The rest of an event that broke off must not begin the next one.
                _separators--;
                buffer.Span[0] = (byte)'\n';
                Count(buffer.Span[..1]);
                return 1;
            }

            Exception? failure = null;
            try
            {
                if (await _body.ReadAsync(buffer, cancellationToken) is var count && (count > 0 || buffer.IsEmpty))
                {
                    Count(buffer.Span[..count]);
                    return count;
                }
            }
            catch (Exception broken)
                when (ended is not null
                    && broken is HttpRequestException or IOException and not UpstreamRefusedException
                )
            {
                failure = broken;
            }

            if (ended is null || await ended(failure, cancellationToken) is not { } next)
            {
                return 0;
            }

            await _body.DisposeAsync();
            _body = next;
            _separators = 2;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _limit?.Dispose();
            _body.Dispose();
        }

        base.Dispose(disposing);
    }

    // An event ends with an empty line; lines end with CR, LF or both (HTML, "Server-sent events").
    private void Count(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var end = isEvents ? bytes.IndexOfAny((byte)'\n', (byte)'\r') : -1;
            var length = end < 0 ? bytes.Length : end + 1;
            if ((_size += length) > maxBytes)
            {
                var refused = new UpstreamRefusedException(
                    $"it sent a message of more than {maxBytes} bytes (Hub:MaxMessageBytes)"
                );
                tooLarge(refused);
                throw refused;
            }

            if (end < 0)
            {
                (_isLineEmpty, _isAfterReturn) = (false, false);
                return;
            }

            if (end == 0 && _isAfterReturn && bytes[0] == '\n')
            {
                _isAfterReturn = false; // the second half of one line's end
            }
            else
            {
                if (end == 0 && _isLineEmpty)
                {
                    _size = 0;
                }

                (_isLineEmpty, _isAfterReturn) = (true, bytes[end] == '\r');
            }

            bytes = bytes[length..];
        }
    }
}
