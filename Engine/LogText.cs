using System.ComponentModel;
using System.Globalization;
using System.Text.RegularExpressions;

namespace MinimalMcp.Engine;

/// <summary>A log for a model: the newest lines that were asked for, as text.</summary>
internal sealed partial record LogText(
    [property: Description("Number of lines in log.")] int Lines,
    [property: Description("The lines, oldest first.")] string Log,
    [property: Description("What was left out, and how to read it.")] string? Note
)
{
    // Leaves room for the quotes and backslashes of a log that is JSON itself, below what clients accept.
    private const int MaxCharacters = 40_000,
        MaxLine = 4_000;

    // The time before a line is that long: 2026-01-31T08:00:00.123456789Z and a space.
    private const int TimeLength = 31;

    /// <summary>Reads the log of a container.</summary>
    public static async Task<LogText> ReadAsync(
        EngineClient engine,
        string container,
        LogQuery query,
        CancellationToken ct
    )
    {
        query = query with { MaxCharacters = MaxCharacters, MaxLine = MaxLine };
        var log = await engine.LogsAsync(container, query, ct);
        var note =
            log.Dropped > 0 ? await OlderAsync(engine, container, query, log, ct)
            : log.Lines.Count == 0 && log.Read > 0
                ? $"None of the newest {log.Read} lines contains \"{query.Grep}\". Raise tail, or set since or until."
            : null;
        return new(log.Lines.Count, string.Join('\n', log.Lines), note);
    }

    // Where the next part ends. Without times in the log it is read once more, with them.
    private static async Task<string> OlderAsync(
        EngineClient engine,
        string container,
        LogQuery query,
        ContainerLog log,
        CancellationToken ct
    )
    {
        var timed = query.Timestamps
            ? log
            : await engine.LogsAsync(
                container,
                query with
                {
                    Timestamps = true,
                    MaxCharacters = MaxCharacters + (log.Lines.Count * TimeLength),
                },
                ct
            );
        var oldest = timed.Lines[Math.Max(0, timed.Lines.Count - log.Lines.Count)].Split(' ')[0];
        var left = $"{log.Dropped} older lines did not fit.";
        // A tick of .NET has 100 nanoseconds: a line is rather shown twice than never.
        return
            Time().Match(oldest) is { Success: true } match
            && DateTimeOffset.TryParse(match.Groups[1].Value + "Z", CultureInfo.InvariantCulture, out var time)
            ? $"{left} To read them, set until to \"{time.UtcDateTime.AddTicks(1):O}\" and keep the other arguments."
            : $"{left} Set since and until to read a part of the log.";
    }

    [GeneratedRegex(@"\A(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?)\d*Z\z")]
    private static partial Regex Time();
}

/// <summary>Times in arguments of log tools.</summary>
internal static partial class LogTime
{
    /// <summary>For the description of an argument.</summary>
    public const string Formats =
        "as RFC 3339 (2026-01-31T08:00:00Z), seconds since 1970, or how long ago (90s, 15m, 1h30m, 2d).";

    /// <summary>
    /// A point in time as people write it: RFC 3339, seconds or milliseconds since 1970, <c>now</c>, or how long ago
    /// (<c>90s</c>, <c>1h30m</c>, <c>2d</c>). Null for anything else.
    /// </summary>
    public static DateTimeOffset? Parse(string text, DateTimeOffset now)
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

    [GeneratedRegex(@"\A(?:now-)?(?:(\d{1,9})([smhdw]))+\z")]
    private static partial Regex Ago();
}
