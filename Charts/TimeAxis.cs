using System.Globalization;
using System.Text.RegularExpressions;

namespace MinimalMcp.Charts;

/// <summary>A window of time and its resolution, read from what people and models write.</summary>
/// <param name="Note">What was changed about it, for whoever asked; or null.</param>
internal sealed partial record TimeAxis(DateTimeOffset From, DateTimeOffset To, TimeSpan Step, string? Note = null)
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(3660);

    // Steps that people use: labels and samples then stand at round times.
    private static readonly int[] Seconds =
    [
        1,
        5,
        10,
        15,
        30,
        60,
        120,
        300,
        600,
        900,
        1800,
        3600,
        7200,
        10800,
        21600,
        43200,
        86400,
        172800,
        604800,
        1209600,
        2592000,
    ];

    private static readonly string[] Formats =
    [
        "yyyy-MM-dd",
        "yyyy-MM-dd'T'HH:mmK",
        "yyyy-MM-dd'T'HH:mm:ssK",
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
    ];

    public int Points => (int)((To - From) / Step) + 1;

    /// <summary>
    /// Reads the window. Chooses a step when none is given, and a coarser one when the given one makes more points than
    /// allowed.
    /// </summary>
    /// <exception cref="FormatException">The message says what to write instead.</exception>
    public static TimeAxis Parse(
        string from,
        string to,
        string? step,
        DateTimeOffset now,
        int maxPoints,
        TimeSpan finest
    )
    {
        var (start, end) = (ParseTime(from, now), ParseTime(to, now, isEnd: true));
        if (start >= end)
        {
            throw new FormatException(
                $"The window is empty: it starts at {Show(start)} and ends at {Show(end)}. "
                    + "The start must be the earlier one; a span such as 1h counts back from now."
            );
        }

        if (end - start > Longest)
        {
            throw new FormatException(
                "The window is longer than ten years. Move start and end closer together, and ask once for each part."
            );
        }

        var least = (end - start) / (maxPoints - 1);
        if (string.IsNullOrWhiteSpace(step))
        {
            return new(start, end, RoundUp(least > finest ? least : finest));
        }

        var given = ParseDuration(step);
        return given >= least
            ? new(start, end, given)
            : new(
                start,
                end,
                RoundUp(least),
                $"The step was raised from {Show(given)} to {Show(RoundUp(least))}, because this window would have "
                    + $"more than {maxPoints} points. Ask for a shorter window to see more detail."
            );
    }

    /// <summary>
    /// A time: now, a span back from now (15m, 7d, now-1h30m), today, yesterday, a day of Grafana's (now/d, now-1d/d),
    /// RFC 3339, or seconds or milliseconds since 1970.
    /// </summary>
    /// <param name="isEnd">A day as an end means the end of that day, as in Grafana.</param>
    /// <exception cref="FormatException">The message says what to write instead.</exception>
    public static DateTimeOffset ParseTime(string text, DateTimeOffset now, bool isEnd = false)
    {
        var word = text.Trim();
        if (word.Equals("now", StringComparison.OrdinalIgnoreCase))
        {
            return now;
        }

        if (double.TryParse(word, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
        {
            // Nothing was measured in the seventies: a small number is a span without its unit.
            return number < 1e8
                    ? throw new FormatException(
                        $"\"{Shorten(word)}\" is not a time: say the unit of a span, for example {Shorten(word)}m."
                    )
                : number < 1e11 ? Unix(number * 1000)
                : number < 2e14 ? Unix(number)
                : throw NoTime(word);
        }

        if (Day(word, now) is { } day)
        {
            return isEnd ? day.AddDays(1) : day;
        }

        if (Back().Match(word) is { Success: true } back)
        {
            var span = ParseDuration(back.Groups[1].Value);
            return span <= Longest
                ? now - span
                : throw new FormatException($"\"{Shorten(word)}\" is further back than ten years.");
        }

        return
            DateTimeOffset.TryParseExact(
                MoreDigits().Replace(word, "$1"),
                Formats,
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                out var time
            ) && time.Year is >= 1970 and < 9000
            ? time
            : throw NoTime(word);
    }

    // The beginning of a day, in UTC.
    private static DateTimeOffset? Day(string word, DateTimeOffset now)
    {
        var today = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero);
        return word.ToLowerInvariant() switch
        {
            "today" => today,
            "yesterday" => today.AddDays(-1),
            _ => DayOf().Match(word) is { Success: true } rounded
                ? today.AddDays(-int.Parse("0" + rounded.Groups[1].Value, CultureInfo.InvariantCulture))
                : null,
        };
    }

    private static FormatException NoTime(string word) =>
        new(
            $"\"{Shorten(word)}\" is not a time. Write now, a span back from now (15m, 7d, now-1h30m), yesterday, "
                + "now/d, RFC 3339 (2026-01-31T12:00:00Z) or seconds since 1970."
                + (
                    Rounded().IsMatch(word) ? " Only days can be rounded to: now/d is today, now-7d/d a week ago."
                    : word.Contains('M', StringComparison.Ordinal) ? " A month is written 30d, a minute 1m."
                    : ""
                )
        );

    /// <summary>A span: 30s, 5m, 1h30m, 7d, 2w, or seconds.</summary>
    public static TimeSpan ParseDuration(string text)
    {
        var word = text.Trim();
        var seconds = 0.0;
        if (Span().Match(word) is { Success: true } span)
        {
            foreach (var (amount, unit) in span.Groups[1].Captures.Zip(span.Groups[2].Captures))
            {
                seconds += double.Parse(amount.ValueSpan, CultureInfo.InvariantCulture) * SecondsOf(unit.Value, word);
            }
        }
        else if (!double.TryParse(word, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out seconds))
        {
            throw NoSpan(word);
        }

        return seconds >= 0.001 && seconds <= Longest.TotalSeconds
            ? TimeSpan.FromMilliseconds(Math.Round(seconds * 1000))
            : throw new FormatException(
                $"\"{Shorten(word)}\" is not a span that can be used: "
                    + "it must be longer than zero and at most ten years."
            );
    }

    // 1H and 7D mean what 1h and 7d do. A capital M is a month in Grafana and a typing error elsewhere.
    private static double SecondsOf(string unit, string word) =>
        unit == "M" || unit == "Ms" || unit == "mS" || unit == "MS"
            ? throw NoSpan(word)
            : unit.ToLowerInvariant() switch
            {
                "ms" => 0.001,
                "s" => 1,
                "m" => 60,
                "h" => 3600,
                "d" => 86400,
                "w" => 7 * 86400,
                _ => 365 * 86400,
            };

    private static FormatException NoSpan(string word) =>
        new(
            $"\"{Shorten(word)}\" is not a span of time. Write for example 30s, 5m, 1h30m, 7d or 2w."
                + (word.Contains('M', StringComparison.Ordinal) ? " A month is written 30d, a minute 1m." : "")
        );

    /// <summary>The first step that people use and that is not shorter.</summary>
    public static TimeSpan RoundUp(TimeSpan step)
    {
        var round = Array.Find(Seconds, seconds => TimeSpan.FromSeconds(seconds) >= step);
        return round > 0 ? TimeSpan.FromSeconds(round) : TimeSpan.FromDays(30 * Math.Ceiling(step.TotalDays / 30));
    }

    public static string Show(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFF'Z'", CultureInfo.InvariantCulture);

    public static string Show(TimeSpan span) =>
        span.TotalDays >= 1 && span.Ticks % TimeSpan.TicksPerDay == 0 ? $"{span.Days}d"
        : span.TotalHours >= 1 && span.Ticks % TimeSpan.TicksPerHour == 0 ? $"{(int)span.TotalHours}h"
        : span.TotalMinutes >= 1 && span.Ticks % TimeSpan.TicksPerMinute == 0 ? $"{(int)span.TotalMinutes}m"
        : string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.###}s");

    private static DateTimeOffset Unix(double milliseconds) =>
        DateTimeOffset.UnixEpoch.AddMilliseconds(Math.Round(milliseconds));

    private static string Shorten(string text) => text.Length <= 60 ? text : string.Concat(text.AsSpan(0, 60), "…");

    [GeneratedRegex(@"^(?:now\s*)?-?\s*((?:\d+(?:\.\d+)?(?:ms|[smhdwy]))+)(?:\s+ago)?$", RegexOptions.IgnoreCase)]
    private static partial Regex Back();

    [GeneratedRegex(@"^(?:(\d{1,12}(?:\.\d{1,9})?)(ms|[smhdwy]))+$", RegexOptions.IgnoreCase)]
    private static partial Regex Span();

    [GeneratedRegex(@"^now(?:\s*-\s*(\d{1,4})d)?/d$", RegexOptions.IgnoreCase)]
    private static partial Regex DayOf();

    [GeneratedRegex("/[a-zA-Z]{1,2}$")]
    private static partial Regex Rounded();

    [GeneratedRegex(@"(\.\d{7})\d+")]
    private static partial Regex MoreDigits();
}
