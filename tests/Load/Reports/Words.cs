using System.Globalization;

namespace MinimalMcp.Load;

/// <summary>Numbers as people read them, the same in every form of the report.</summary>
internal static class Words
{
    public static string Number(double? value) =>
        value switch
        {
            null => "-",
            { } number when !double.IsFinite(number) => "-",
            { } number when Math.Abs(number) >= 100 || number == Math.Floor(number) => number.ToString(
                "N0",
                CultureInfo.InvariantCulture
            ),
            { } number => number.ToString(
                Math.Abs(number) switch
                {
                    >= 10 => "N1",
                    >= 0.1 => "N2",
                    _ => "N3",
                },
                CultureInfo.InvariantCulture
            ),
        };

    public static string With(double? value, string unit) =>
        (value, unit) switch
        {
            ({ } bytes, "B") when Math.Abs(bytes) >= 1 << 20 => $"{Number(bytes / (1 << 20))} MiB",
            ({ } bytes, "B") when Math.Abs(bytes) >= 10 * 1024 => $"{Number(bytes / 1024)} KiB",
            (_, "us") => $"{Number(value)} µs",
            (_, "") => Number(value),
            (_, "x") => $"{Number(value)} ×",
            _ => $"{Number(value)} {unit}",
        };

    public static string With(Figure figure) =>
        With(figure.Value, figure.Unit) + (figure.Low is { } low ? $" ({Number(low)} to {Number(figure.High)})" : "");

    public static string Percent(double? percent) =>
        percent is { } value ? value.ToString("+0.0;-0.0;0.0", CultureInfo.InvariantCulture) + " %" : "-";

    public static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
}
