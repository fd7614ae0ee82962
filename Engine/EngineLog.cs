using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace MinimalMcp.Engine;

/// <summary>Which lines of a log.</summary>
public sealed record LogQuery
{
    public bool Stdout { get; init; } = true;

    public bool Stderr { get; init; } = true;

    /// <summary>The newest so many lines, of both streams together; null for all.</summary>
    public int? Tail { get; init; }

    public bool Timestamps { get; init; }

    public DateTimeOffset? Since { get; init; }

    public DateTimeOffset? Until { get; init; }

    /// <summary>What is kept of a line, decided while the log is read; null for nothing.</summary>
    public Func<string, string?> Show { get; init; } = line => line;

    /// <summary>When there is more, the oldest lines go.</summary>
    public int MaxCharacters { get; init; } = 1 << 20;

    /// <summary>The query of the request.</summary>
    public override string ToString() =>
        $"stdout={(Stdout ? 1 : 0)}&stderr={(Stderr ? 1 : 0)}"
        + $"&tail={Tail?.ToString(CultureInfo.InvariantCulture) ?? "all"}"
        + (Timestamps ? "&timestamps=1" : "")
        + Time("since", Since)
        + Time("until", Until);

    // Seconds with nanoseconds after the point: whole ones would repeat lines of the same second.
    private static string Time(string name, DateTimeOffset? time) =>
        time?.ToUnixTimeMilliseconds() is { } at
            ? string.Create(CultureInfo.InvariantCulture, $"&{name}={at / 1000}.{at % 1000:000}000000")
            : "";
}

/// <summary>
/// What a container printed. Without a terminal Docker sends frames: the stream (1 or 2), three zeros, the length,
/// and bytes. A frame may end within a line or a letter, so that each stream is put together on its own. With a
/// terminal there are no frames, and one stream.
/// </summary>
/// <param name="Lines">The newest that were kept, in the order in which they were completed.</param>
/// <param name="Dropped">How many older ones did not fit.</param>
/// <param name="Read">How many lines were looked at.</param>
public sealed record EngineLog(IReadOnlyList<string> Lines, int Dropped, int Read)
{
    private const int FrameHeader = 8;

    /// <summary>Of a line; the rest is counted and not held.</summary>
    private const int MaxLine = 64 << 10;

    public override string ToString() => string.Concat(Lines.Select(line => line + "\n"));

    internal static async Task<EngineLog> ReadAsync(Stream stream, bool terminal, LogQuery query, CancellationToken ct)
    {
        var kept = new Kept(query);
        var (stdout, stderr) = (new Text(kept), new Text(kept));
        var buffer = new byte[16 << 10];
        for (int count; terminal && (count = await stream.ReadAsync(buffer, ct)) > 0; )
        {
            stdout.Add(buffer.AsSpan(0, count));
        }

        var header = buffer.AsMemory(0, FrameHeader);
        while (!terminal && await stream.ReadAtLeastAsync(header, FrameHeader, false, ct) is var read and > 0)
        {
            // 0 is what was typed, 3 what Docker itself has to say.
            if (read < FrameHeader || buffer[0] > 3 || buffer[1] != 0 || buffer[2] != 0 || buffer[3] != 0)
            {
                throw new EngineException(System.Net.HttpStatusCode.OK, "a log that is not in the engine's form");
            }

            var text = buffer[0] is 2 or 3 ? stderr : stdout;
            // Piece by piece: the length is whatever the other side claims, and may be four gigabytes.
            for (var left = BinaryPrimitives.ReadUInt32BigEndian(buffer.AsSpan(4)); left > 0; )
            {
                var count = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, (uint)buffer.Length)), ct);
                if (count == 0)
                {
                    break;
                }

                text.Add(buffer.AsSpan(0, count));
                left -= (uint)count;
            }
        }

        stdout.End();
        stderr.End();
        return new([.. kept.Lines], kept.Dropped, kept.Read);
    }

    /// <summary>The newest lines, as many as fit.</summary>
    private sealed class Kept(LogQuery query)
    {
        private int _characters;

        public Queue<string> Lines { get; } = [];

        public int Dropped { get; private set; }

        public int Read { get; private set; }

        public void Add(string line)
        {
            Read++;
            if (query.Show(line) is not { } shown)
            {
                return;
            }

            Lines.Enqueue(shown);
            for (_characters += shown.Length + 1; _characters > query.MaxCharacters && Lines.Count > 1; Dropped++)
            {
                _characters -= Lines.Dequeue().Length + 1;
            }
        }
    }

    /// <summary>One stream: bytes become letters, letters become lines.</summary>
    private sealed class Text(Kept kept)
    {
        private readonly Decoder _letters = Encoding.UTF8.GetDecoder();
        private readonly StringBuilder _line = new();
        private readonly char[] _decoded = new char[(16 << 10) + 4];

        public void Add(ReadOnlySpan<byte> bytes, bool flush = false)
        {
            var letters = _decoded.AsSpan(0, _letters.GetChars(bytes, _decoded, flush));
            for (int end; (end = letters.IndexOf('\n')) >= 0; letters = letters[(end + 1)..])
            {
                Append(letters[..end]);
                Complete();
            }

            Append(letters);
        }

        public void End()
        {
            Add([], flush: true);
            if (_line.Length > 0)
            {
                Complete();
            }
        }

        private void Append(ReadOnlySpan<char> letters) =>
            _line.Append(letters[..Math.Min(letters.Length, Math.Max(0, MaxLine - _line.Length))]);

        private void Complete()
        {
            // A terminal ends its lines with \r\n.
            kept.Add((_line.Length > 0 && _line[^1] == '\r' ? _line.Remove(_line.Length - 1, 1) : _line).ToString());
            _line.Clear();
        }
    }
}
