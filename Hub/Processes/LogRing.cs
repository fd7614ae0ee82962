using System.Buffers;
using System.Text;

namespace MinimalMcp.Hub.Processes;

/// <summary>
/// The last lines that a server wrote. Its size is bounded, and escape codes are removed. A line is kept as bytes in
/// the place of the oldest one, because a server that writes millions of them must not make this one collect garbage.
/// </summary>
internal sealed class LogRing(int maxLines = 500, int maxLength = 2000)
{
    private readonly byte[][] _lines = new byte[maxLines][];
    private readonly int[] _lengths = new int[maxLines];
    private readonly Lock _lock = new();
    private long _added;

    /// <summary>Called for what we notice ourselves.</summary>
    public Action<string>? Noticed { get; init; }

    /// <summary>Adds a line of our own.</summary>
    public void Notice(string line)
    {
        Add(Encoding.UTF8.GetBytes(line));
        Noticed?.Invoke(Clean(line, maxLength));
    }

    /// <summary>Adds a line, of which the beginning is enough.</summary>
    public void Add(ReadOnlySequence<byte> utf8)
    {
        var line = utf8.Slice(0, Math.Min(utf8.Length, maxLength * 2));
        Add(line.IsSingleSegment ? line.FirstSpan : line.ToArray());
    }

    public void Add(ReadOnlySpan<byte> utf8)
    {
        var line = utf8[..Math.Min(utf8.Length, maxLength * 2)].TrimEnd(" \t\r\n"u8);
        if (line.IsEmpty)
        {
            return;
        }

        lock (_lock)
        {
            var place = (int)(_added++ % maxLines);
            if (_lines[place] is not { } kept || kept.Length < line.Length)
            {
                _lines[place] = kept = GC.AllocateUninitializedArray<byte>((line.Length | 127) + 1);
            }

            line.CopyTo(kept);
            _lengths[place] = line.Length;
        }
    }

    public IReadOnlyList<string> Lines() => Lines(maxLines);

    /// <summary>The lines that came after so many, as far as they are kept, and how many there were by then.</summary>
    public (long Count, IReadOnlyList<string> Lines) After(long count)
    {
        lock (_lock)
        {
            // Another process has counted, before a restart of this server.
            var missed = count < 0 || count > _added ? _added : _added - count;
            return (_added, Lines((int)Math.Min(missed, maxLines)));
        }
    }

    /// <summary>The end of the log, for a sentence about a failure.</summary>
    public string Tail(int lines = 5, int characters = 600)
    {
        var tail = string.Join(" | ", Lines(lines));
        return tail.Length > characters ? "..." + tail[^characters..] : tail;
    }

    private List<string> Lines(int count)
    {
        var lines = new List<string>();
        lock (_lock)
        {
            for (var i = Math.Max(0, _added - Math.Min(count, maxLines)); i < _added; i++)
            {
                var place = (int)(i % maxLines);
                var clean = Clean(Encoding.UTF8.GetString(_lines[place], 0, _lengths[place]), maxLength);
                if (clean.Length > 0)
                {
                    lines.Add(clean);
                }
            }
        }

        return lines;
    }

    // Colours and cursor movements (ECMA-48: ESC [ ... letter, ESC ] ... BEL), and other control characters.
    private static string Clean(string line, int maxLength)
    {
        var clean = new StringBuilder(Math.Min(line.Length, maxLength));
        for (var i = 0; i < line.Length && clean.Length < maxLength; i++)
        {
            if (line[i] == '\e')
            {
                i = EndOfEscape(line, i);
            }
            else if (line[i] == '\t')
            {
                clean.Append(' ');
            }
            else if (!char.IsControl(line[i]) && !char.IsSurrogate(line[i]))
            {
                clean.Append(line[i]);
            }
        }

        return clean.ToString().TrimEnd();
    }

    private static int EndOfEscape(string line, int i)
    {
        if (i + 1 >= line.Length)
        {
            return i;
        }

        var isCommand = line[i + 1] == ']';
        for (i += line[i + 1] is '[' or ']' ? 2 : 1; i < line.Length; i++)
        {
            if (isCommand ? line[i] is '\a' : line[i] is >= '@' and <= '~')
            {
                break;
            }
        }

        return i;
    }
}
