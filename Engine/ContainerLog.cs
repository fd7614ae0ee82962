using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace MinimalMcp.Engine;

/// <summary>Which lines of a log.</summary>
internal sealed record LogQuery
{
    public bool Stdout { get; init; } = true;

    public bool Stderr { get; init; } = true;

    /// <summary>The newest so many lines, of both streams together; null for all.</summary>
    public int? Tail { get; init; }

    public bool Timestamps { get; init; }

    public DateTimeOffset? Since { get; init; }

    public DateTimeOffset? Until { get; init; }

    /// <summary>Of the lines of <see cref="Tail"/> only those with this text, in any case.</summary>
    public string? Grep { get; init; }

    /// <summary>Of a line; longer ones are truncated and marked.</summary>
    public int MaxLine { get; init; } = 64 << 10;

    /// <summary>When there is more, the oldest lines are left out.</summary>
    public int MaxCharacters { get; init; } = 1 << 20;

    /// <summary>
    /// The query of the request. Docker takes the newest lines first, and of those the ones before <c>until</c>: with
    /// an end the lines are counted here.
    /// </summary>
    public override string ToString() =>
        $"stdout={(Stdout ? 1 : 0)}&stderr={(Stderr ? 1 : 0)}"
        + $"&tail={(Until is null ? Tail?.ToString(CultureInfo.InvariantCulture) : null) ?? "all"}"
        + (Timestamps ? "&timestamps=1" : "")
        + (Since is { } since ? $"&since={UnixTime(since)}" : "")
        // To the end of the tick, which is 100 ns: the time of a line includes the line.
        + (Until is { } until ? $"&until={UnixTime(until)[..^2]}99" : "");

    /// <summary>Seconds since 1970 with nanoseconds: whole seconds would repeat lines.</summary>
    internal static string UnixTime(DateTimeOffset time)
    {
        var ticks = (time - DateTimeOffset.UnixEpoch).Ticks;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{ticks / TimeSpan.TicksPerSecond}.{ticks % TimeSpan.TicksPerSecond:0000000}00"
        );
    }
}

/// <summary>
/// What a container printed. Without a terminal Docker sends frames: the stream (1 or 2), three zeros, the length,
/// and bytes. A frame may end within a line or a character, so each stream is put together on its own. With a
/// terminal there are no frames, and one stream.
/// </summary>
/// <param name="Lines">The newest matching lines, in the order in which they were completed.</param>
/// <param name="Dropped">How many older matching lines did not fit.</param>
/// <param name="Read">How many lines were read.</param>
internal sealed partial record ContainerLog(IReadOnlyList<string> Lines, int Dropped, int Read)
{
    private const int FrameHeader = 8;

    public override string ToString() => string.Concat(Lines.Select(line => line + "\n"));

    internal static async Task<ContainerLog> ReadAsync(
        Stream stream,
        bool terminal,
        LogQuery query,
        CancellationToken ct
    )
    {
        var newest = new NewestLines(query);
        var (stdout, stderr) = (new LineReader(query, newest), new LineReader(query, newest));
        var buffer = new byte[16 << 10];
        for (int count; terminal && (count = await stream.ReadAsync(buffer, ct)) > 0; )
        {
            stdout.Add(buffer.AsSpan(0, count));
        }

        var header = buffer.AsMemory(0, FrameHeader);
        while (!terminal && await stream.ReadAtLeastAsync(header, FrameHeader, false, ct) is var read and > 0)
        {
            // 0 is what was typed, 3 what Docker itself reports.
            if (read < FrameHeader || buffer[0] > 3 || buffer[1] != 0 || buffer[2] != 0 || buffer[3] != 0)
            {
                throw new EngineException(System.Net.HttpStatusCode.OK, "the log does not have Docker's format");
            }

            var reader = buffer[0] is 2 or 3 ? stderr : stdout;
            // Piece by piece: the length is whatever the other side claims, and may be four gigabytes.
            for (var left = BinaryPrimitives.ReadUInt32BigEndian(buffer.AsSpan(4)); left > 0; )
            {
                var count = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, (uint)buffer.Length)), ct);
                if (count == 0)
                {
                    break;
                }

                reader.Add(buffer.AsSpan(0, count));
                left -= (uint)count;
            }
        }

        stdout.End();
        stderr.End();
        return new([.. newest.Lines], newest.Dropped, newest.Read);
    }

    // Colours, and other commands to a terminal.
    private static string Plain(string line) =>
        string.Concat(Escape().Replace(line, "").Where(letter => letter == '\t' || !char.IsControl(letter)));

    [GeneratedRegex(@"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[@-Z\\^_])")]
    private static partial Regex Escape();

    /// <summary>Keeps the newest lines that match, as many as fit.</summary>
    private sealed class NewestLines(LogQuery query)
    {
        private readonly Queue<(int Number, string Text)> _lines = [];
        private int _characters;

        public IEnumerable<string> Lines => _lines.Select(line => line.Text);

        public int Dropped { get; private set; }

        public int Read { get; private set; }

        /// <param name="line">Null when it does not match.</param>
        public void Add(string? line)
        {
            Read++;
            if (line is not null)
            {
                _lines.Enqueue((Read, line));
                _characters += line.Length + 1;
            }

            while (_lines.TryPeek(out var oldest) && oldest.Number <= Read - query.Tail)
            {
                Drop(); // not among the newest that were asked for
            }

            for (; _characters > query.MaxCharacters && _lines.Count > 1; Dropped++)
            {
                Drop();
            }
        }

        private void Drop() => _characters -= _lines.Dequeue().Text.Length + 1;
    }

    /// <summary>
    /// One stream: bytes become characters, characters become lines. Of a very long line only a part is held, the one
    /// around the searched text.
    /// </summary>
    private sealed class LineReader(LogQuery query, NewestLines newest)
    {
        private const string Truncated = "[truncated]";

        private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
        private readonly StringBuilder _line = new();
        private readonly char[] _decoded = new char[(16 << 10) + 4];

        // How much of a line is held while it is read: enough for the part that is shown, and for colours in it.
        private readonly int _held = Math.Max(64 << 10, 2 * query.MaxLine);
        private string _time = "";
        private bool _begun,
            _found,
            _lostStart,
            _lostEnd;

        public void Add(ReadOnlySpan<byte> bytes, bool flush = false)
        {
            var letters = _decoded.AsSpan(0, _decoder.GetChars(bytes, _decoded, flush));
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
            if (_begun)
            {
                Complete();
            }
        }

        private void Append(ReadOnlySpan<char> letters)
        {
            _begun |= letters.Length > 0;
            while (letters.Length > 0)
            {
                var room = _held - _line.Length;
                if (room == 0 && !MakeRoom())
                {
                    _lostEnd = true;
                    return;
                }

                room = _held - _line.Length;
                _line.Append(letters[..Math.Min(letters.Length, room)]);
                letters = letters[Math.Min(letters.Length, room)..];
            }
        }

        // Lets the start of a line go in which the searched text has not come yet.
        private bool MakeRoom()
        {
            TakeTime();
            _found = _found || query.Grep is null || Matches(Plain(_line.ToString()));
            if (_found)
            {
                return _line.Length < _held; // taking the time has made some
            }

            _line.Remove(0, _line.Length - Math.Max(query.MaxLine / 2, query.Grep!.Length));
            _lostStart = true;
            return true;
        }

        private void Complete()
        {
            TakeTime();
            var text = Plain(_line.ToString());
            newest.Add(query.Grep is null || Matches(text) ? _time + Shortened(text) : null);
            _line.Clear();
            _time = "";
            _begun = _found = _lostStart = _lostEnd = false;
        }

        // The time before a line is not searched.
        private void TakeTime()
        {
            if (!query.Timestamps || _time.Length > 0)
            {
                return;
            }

            var start = _line.ToString(0, Math.Min(_line.Length, 40));
            var length = start.IndexOf(' ', StringComparison.Ordinal) + 1;
            _time = start[..length];
            _line.Remove(0, length);
        }

        private bool Matches(string text) => text.Contains(query.Grep!, StringComparison.OrdinalIgnoreCase);

        private string Shortened(string text)
        {
            var length = Math.Min(text.Length, query.MaxLine);
            var found = query.Grep is null ? 0 : text.IndexOf(query.Grep, StringComparison.OrdinalIgnoreCase);
            var start = Math.Clamp(found - (query.MaxLine / 2), 0, text.Length - length);
            var before = start > 0 || _lostStart ? Truncated + "…" : "";
            var after = start + length < text.Length || _lostEnd ? "…" + Truncated : "";
            return before.Length + after.Length == 0 ? text : $"{before}{text.AsSpan(start, length)}{after}";
        }
    }
}
