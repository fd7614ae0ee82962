using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace MinimalMcp.Load;

/// <summary>As much of an HTTP/1.1 response as a load generator looks at.</summary>
internal readonly record struct HttpResponse(int Status, ReadOnlyMemory<byte> Head, ReadOnlyMemory<byte> Body)
{
    public int Size => Head.Length + Body.Length;

    /// <summary>What failures are counted by: short, and the same for the same refusal.</summary>
    public string Reason => $"HTTP {Status}: {Encoding.UTF8.GetString(Body.Span[..Math.Min(Body.Length, 120)])}";

    public override string ToString() => $"{Status} {Encoding.UTF8.GetString(Body.Span[..Math.Min(Body.Length, 300)])}";

    /// <summary>Null when the server did not send it.</summary>
    public string? Header(string name) =>
        Header(Head.Span, Encoding.ASCII.GetBytes(name + ":")) is { Length: > 0 } value
            ? Encoding.ASCII.GetString(value)
            : null;

    public static bool TryParseHead(ReadOnlySpan<byte> received, out int status, out int bodyStart)
    {
        var end = received.IndexOf("\r\n\r\n"u8);
        bodyStart = end + 4;
        status = 0;
        return end > 12 && Utf8Parser.TryParse(received[9..12], out status, out _);
    }

    /// <summary>False while the response is not complete.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> received, out HttpResponse response)
    {
        response = default;
        if (!TryParseHead(received.Span, out var status, out var bodyStart))
        {
            return false;
        }

        var head = received.Span[..bodyStart];
        var body = received[bodyStart..];
        if (Header(head, "Transfer-Encoding:"u8).EndsWith("chunked"u8))
        {
            if (!TryJoinChunks(body.Span, out var joined))
            {
                return false;
            }

            response = new(status, received[..bodyStart], joined);
            return true;
        }
        if (!Utf8Parser.TryParse(Header(head, "Content-Length:"u8), out int length, out _))
        {
            length = 0;
        }

        if (body.Length < length)
        {
            return false;
        }

        response = new(status, received[..bodyStart], body[..length]);
        return true;
    }

    private static ReadOnlySpan<byte> Header(ReadOnlySpan<byte> head, ReadOnlySpan<byte> name)
    {
        for (int end; (end = head.IndexOf("\r\n"u8)) > 0; head = head[(end + 2)..])
        {
            if (end > name.Length && Ascii.EqualsIgnoreCase(head[..name.Length], name))
            {
                return head[name.Length..end].Trim((byte)' ');
            }
        }

        return default;
    }

    private static bool TryJoinChunks(ReadOnlySpan<byte> chunks, out ReadOnlyMemory<byte> body)
    {
        var joined = new ArrayBufferWriter<byte>();
        body = default;
        while (true)
        {
            var line = chunks.IndexOf("\r\n"u8);
            if (line < 0)
            {
                return false;
            }

            if (!Utf8Parser.TryParse(chunks[..line], out int size, out _, 'x'))
            {
                throw new IOException("a chunk without a size");
            }

            chunks = chunks[(line + 2)..];
            if (size == 0)
            {
                break;
            }

            if (chunks.Length < size + 2)
            {
                return false;
            }

            joined.Write(chunks[..size]);
            chunks = chunks[(size + 2)..];
        }
        body = joined.WrittenMemory;
        return chunks.StartsWith("\r\n"u8) || chunks.IndexOf("\r\n\r\n"u8) >= 0; // no trailers, or all of them
    }
}
