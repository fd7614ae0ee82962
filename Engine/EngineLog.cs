using System.Buffers.Binary;
using System.Text;

namespace MinimalMcp.Engine;

public enum LogSource
{
    Stdout,
    Stderr,
}

public sealed record LogLine(LogSource Stream, string Text);

/// <summary>
/// What a container printed. Without a terminal the engine sends frames: the stream (1 or 2), three zeros, the length, and bytes. A frame may
/// end within a line or a letter, so that each stream is put together on its own. With a terminal there are no frames, and one stream.
/// </summary>
/// <param name="Lines">The newest, in the order in which they were completed.</param>
/// <param name="Dropped">How many older ones did not fit.</param>
public sealed record EngineLog(IReadOnlyList<LogLine> Lines, int Dropped)
{
    private const int FrameHeader = 8;

    public override string ToString() => string.Concat(Lines.Select(line => line.Text + "\n"));

    internal static async Task<EngineLog> ReadAsync(Stream stream, bool terminal, int maxCharacters, CancellationToken cancellation)
    {
        var kept = new Kept(maxCharacters);
        var (stdout, stderr) = (new Text(LogSource.Stdout, kept), new Text(LogSource.Stderr, kept));
        var buffer = new byte[16 << 10];
        if (terminal)
        {
            for (int count; (count = await stream.ReadAsync(buffer, cancellation)) > 0;)
            {
                stdout.Add(buffer.AsSpan(0, count));
            }
        }

        while (!terminal && await stream.ReadAtLeastAsync(buffer.AsMemory(0, FrameHeader), FrameHeader, throwOnEndOfStream: false, cancellation) is var read && read > 0)
        {
            // 0 is what was typed, 3 what the engine itself has to say.
            if (read < FrameHeader || buffer[0] > 3 || buffer[1] != 0 || buffer[2] != 0 || buffer[3] != 0)
            {
                throw new EngineException(System.Net.HttpStatusCode.OK, "a log that is not in the engine's form");
            }

            var text = buffer[0] is 2 or 3 ? stderr : stdout;
            // Piece by piece: the length is what somebody says, and may be four gigabytes.
            for (var left = BinaryPrimitives.ReadUInt32BigEndian(buffer.AsSpan(4)); left > 0;)
            {
                var count = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, (uint)buffer.Length)), cancellation);
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
        return new([.. kept.Lines], kept.Dropped);
    }

    /// <summary>The newest lines, as many as fit.</summary>
    private sealed class Kept(int maxCharacters)
    {
        private int _characters;

        public int MaxCharacters => maxCharacters;

        public Queue<LogLine> Lines { get; } = [];

        public int Dropped { get; private set; }

        public void Add(LogLine line)
        {
            Lines.Enqueue(line);
            for (_characters += line.Text.Length + 1; _characters > maxCharacters && Lines.Count > 1; Dropped++)
            {
                _characters -= Lines.Dequeue().Text.Length + 1;
            }
        }
    }

    /// <summary>One stream: bytes become letters, letters become lines.</summary>
    private sealed class Text(LogSource stream, Kept kept)
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

        // A line without an end is cut.
        private void Append(ReadOnlySpan<char> letters) => _line.Append(letters[..Math.Min(letters.Length, Math.Max(0, kept.MaxCharacters - _line.Length))]);

        private void Complete()
        {
            // A terminal ends its lines with \r\n.
            kept.Add(new(stream, (_line.Length > 0 && _line[^1] == '\r' ? _line.Remove(_line.Length - 1, 1) : _line).ToString()));
            _line.Clear();
        }
    }
}
