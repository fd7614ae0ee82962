using System.Text;

namespace MinimalMcp.Hub.Processes;

/// <summary>The last lines that a server wrote. Its size is bounded, and escape codes are removed.</summary>
internal sealed class LogRing(int maxLines = 500, int maxLength = 2000)
{
    private readonly Queue<string> _lines = new();
    private readonly Lock _lock = new();
    private long _count;

    /// <summary>Called for what we notice ourselves.</summary>
    public Action<string>? Noticed { get; init; }

    /// <summary>Adds a line of our own.</summary>
    public void Notice(string line)
    {
        Add(line);
        Noticed?.Invoke(Clean(line, maxLength));
    }

    public void Add(ReadOnlySpan<byte> utf8) =>
        Add(Encoding.UTF8.GetString(utf8[..Math.Min(utf8.Length, maxLength * 2)]));

    public void Add(string line)
    {
        var clean = Clean(line, maxLength);
        if (clean.Length == 0)
        {
            return;
        }

        lock (_lock)
        {
            _lines.Enqueue(clean);
            _count++;
            while (_lines.Count > maxLines)
            {
                _lines.Dequeue();
            }
        }
    }

    public IReadOnlyList<string> Lines()
    {
        lock (_lock)
        {
            return [.. _lines];
        }
    }

    /// <summary>The lines that came after so many, as far as they are kept, and how many there were by then.</summary>
    public (long Count, IReadOnlyList<string> Lines) After(long count)
    {
        lock (_lock)
        {
            // Another process has counted, before a restart of this server.
            var missed = count < 0 || count > _count ? _count : _count - count;
            return (_count, [.. _lines.TakeLast((int)Math.Min(missed, maxLines))]);
        }
    }

    /// <summary>The end of the log, for a sentence about a failure.</summary>
    public string Tail(int lines = 5, int characters = 600)
    {
        var tail = string.Join(" | ", Lines().TakeLast(lines));
        return tail.Length > characters ? "..." + tail[^characters..] : tail;
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
