using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MinimalMcp.Tools;

/// <summary>A rented buffer for UTF-8 JSON, and its writer.</summary>
internal sealed class JsonBuffer : IBufferWriter<byte>, IDisposable
{
    // Responses are application/json and never part of a page, so quotes need no \u0022 escape: models read (and pay
    // for) every character.
    private static readonly JsonWriterOptions Options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    [ThreadStatic]
    private static Utf8JsonWriter? _writer;

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(2048);
    private int _written;

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _written);

    /// <summary>This thread's writer for the buffer: use it, flush it, and do not await in between.</summary>
    public Utf8JsonWriter StartWriting()
    {
        if (_writer is null)
        {
            return _writer = new Utf8JsonWriter(this, Options);
        }

        _writer.Reset(this);
        return _writer;
    }

    public void Clear() => _written = 0;

    public void Advance(int count) => _written += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsMemory(_written);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsSpan(_written);
    }

    public void Dispose()
    {
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = [];
            _written = 0;
        }
    }

    private void Reserve(int sizeHint)
    {
        if (_bytes.Length - _written >= Math.Max(sizeHint, 1))
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_bytes.Length * 2, _written + sizeHint));
        _bytes.AsSpan(0, _written).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }
}
