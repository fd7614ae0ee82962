using System.Globalization;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Vikunja;

/// <summary>A date as a model may say it, as Vikunja wants it: with a zone, or it would be another hour.</summary>
internal static class DueDate
{
    private static readonly string[] WithZone =
    [
        "yyyy-MM-ddTHH:mm:ssK",
        "yyyy-MM-ddTHH:mm:ss.FFFFFFFK",
        "yyyy-MM-ddTHH:mmK",
        "yyyy-MM-dd HH:mm:ssK",
        "yyyy-MM-dd HH:mmK",
    ];

    /// <param name="zone">For a day, and for a time without a zone. A day ends at its last second: a task due today is not late in the morning.</param>
    public static string Read(string said, TimeZoneInfo zone)
    {
        // Nothing was due in the seventies: a small number is no time.
        if (
            double.TryParse(said.Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number is >= 1e8 and < 2e14
        )
        {
            var unix = DateTime.UnixEpoch.AddMilliseconds(number < 1e11 ? number * 1000 : number);
            return Written(unix, said, zone);
        }

        if (
            DateOnly.TryParseExact(
                said.Trim(),
                "yyyy-MM-dd",
                CultureInfo.InvariantCulture,
                DateTimeStyles.None,
                out var day
            )
        )
        {
            return Written(day.ToDateTime(new TimeOnly(23, 59, 59)), said, zone);
        }

        return !DateTime.TryParseExact(
            said.Trim(),
            WithZone,
            CultureInfo.InvariantCulture,
            DateTimeStyles.RoundtripKind,
            out var time
        )
            ? throw new McpException(
                $"'{said}' is not a date. Write it with a zone, for example 2026-02-01T12:00:00+01:00, or as a day, for example 2026-02-01 (its end in {zone.Id})."
            )
            : Written(time, said, zone);
    }

    private static string Written(DateTime time, string said, TimeZoneInfo zone)
    {
        if (time.Kind is DateTimeKind.Unspecified && zone.IsInvalidTime(time))
        {
            throw new McpException(
                $"'{said}' does not exist in {zone.Id}: the clocks skip that hour. Say another time, or one with a zone."
            );
        }

        var utc =
            time.Kind is DateTimeKind.Unspecified ? TimeZoneInfo.ConvertTimeToUtc(time, zone) : time.ToUniversalTime();
        return utc.Year is < 1970 or > 9000
            ? throw new McpException($"'{said}' is not a date of a task. Write the year with four digits.")
            : utc.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
    }
}
