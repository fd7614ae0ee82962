using System.ComponentModel;
using System.Globalization;
using System.Text.RegularExpressions;

namespace MinimalMcp.Engine;

/// <summary>A log as a model reads it: the newest lines that were asked for, as text.</summary>
public sealed partial record LogText(
    [property: Description("How many lines these are.")] int Lines,
    [property: Description("Oldest first.")] string Log,
    string? Note
)
{
    // Room for the quotes and backslashes of a log that is JSON itself, below what clients accept.
    private const int MaxCharacters = 40_000,
        MaxLine = 4_000;

    /// <summary>Reads the log of a container without the lines that lack <paramref name="grep"/>.</summary>
    public static async Task<LogText> ReadAsync(
        EngineClient engine,
        string container,
        LogQuery query,
        string? grep,
        CancellationToken ct
    )
    {
        string? Show(string line)
        {
            var plain = Plain(line);
            var isWanted = grep is null || plain.Contains(grep, StringComparison.OrdinalIgnoreCase);
            return isWanted ? Shortened(plain, grep) : null;
        }

        var log = await engine.LogsAsync(container, query with { Show = Show, MaxCharacters = MaxCharacters }, ct);
        var note =
            log.Dropped > 0 ? $"{log.Dropped} older lines did not fit; ask with a smaller tail, or with since."
            : log.Lines.Count == 0 && log.Read > 0 ? $"None of the {log.Read} lines has \"{grep}\"."
            : null;
        return new(log.Lines.Count, string.Join('\n', log.Lines), note);
    }

    /// <summary>
    /// A point in time as people write it: RFC 3339, seconds (or milliseconds) since 1970, <c>now</c>, or how long ago (<c>90s</c>,
    /// <c>1h30m</c>, <c>2d</c>). Null for anything else.
    /// </summary>
    public static DateTimeOffset? ParseTime(string text, DateTimeOffset now)
    {
        if (text == "now")
        {
            return now;
        }

        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds))
        {
            // Seconds until the year 5138; a larger number is milliseconds.
            return seconds < 1e11 ? DateTimeOffset.UnixEpoch.AddSeconds(seconds)
                : seconds < 2e14 ? DateTimeOffset.UnixEpoch.AddMilliseconds(seconds)
                : null;
        }

        if (Ago().Match(text) is { Success: true } ago)
        {
            var total = ago.Groups[1]
                .Captures.Zip(ago.Groups[2].Captures, (count, unit) => double.Parse(
                        count.Value,
                        CultureInfo.InvariantCulture
                    )
                    * unit.Value switch
                    {
                        "s" => 1,
                        "m" => 60,
                        "h" => 3600,
                        "d" => 86_400,
                        _ => 604_800,
                    })
                .Sum();
            return total < 100L * 365 * 86_400 ? now - TimeSpan.FromSeconds(total) : null;
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : null;
    }

    // A very long line shows the part around what was searched for.
    private static string Shortened(string line, string? grep)
    {
        if (line.Length <= MaxLine)
        {
            return line;
        }

        var found = grep is null ? 0 : line.IndexOf(grep, StringComparison.OrdinalIgnoreCase);
        var start = Math.Clamp(found - (MaxLine / 2), 0, line.Length - MaxLine);
        var before = start > 0 ? "[truncated]…" : "";
        var after = start + MaxLine < line.Length ? "…[truncated]" : "";
        return $"{before}{line.AsSpan(start, MaxLine)}{after}";
    }

    // Colours, and other orders to a terminal.
    private static string Plain(string line) =>
        string.Concat(Escape().Replace(line, "").Where(letter => letter == '\t' || !char.IsControl(letter)));

    [GeneratedRegex(@"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[@-Z\\^_])")]
    private static partial Regex Escape();

    [GeneratedRegex(@"\A(?:now-)?(?:(\d{1,9})([smhdw]))+\z")]
    private static partial Regex Ago();
}
