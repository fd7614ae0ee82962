using System.Globalization;

namespace MinimalMcp.Charts;

/// <summary>The vertical axis: from where to where, with round numbers between, and how a number is written.</summary>
internal sealed class ValueAxis
{
    private static readonly (double Factor, string Prefix)[] Decimal =
    [
        (1e18, "E"),
        (1e15, "P"),
        (1e12, "T"),
        (1e9, "G"),
        (1e6, "M"),
        (1e3, "k"),
        (1, ""),
    ];

    private static readonly (double Factor, string Prefix)[] Binary =
    [
        (Math.Pow(2, 60), "Ei"),
        (Math.Pow(2, 50), "Pi"),
        (Math.Pow(2, 40), "Ti"),
        (1 << 30, "Gi"),
        (1 << 20, "Mi"),
        (1 << 10, "Ki"),
        (1, ""),
    ];

    private readonly string _unit;
    private readonly double _step;

    /// <param name="values">Finite ones.</param>
    public ValueAxis(IReadOnlyCollection<double> values, string unit)
    {
        _unit = unit;
        var (low, high) = values.Count == 0 ? (0.0, 1.0) : (values.Min(), values.Max());
        if (low == high)
        {
            // A flat line runs through the middle, or along the ground.
            (low, high) = low == 0 ? (0, 1) : (low - (Math.Abs(low) / 2), high + (Math.Abs(low) / 2));
        }
        else if (low > 0 && low < high * 0.4)
        {
            low = 0; // near enough to show how large the values are, and not only how they differ
        }

        var (factor, _) = Prefix(Math.Max(Math.Abs(low), Math.Abs(high)));
        _step = Nice((high - low) / 5 / factor) * factor;
        (Low, High) = (Math.Floor(low / _step) * _step, Math.Ceiling(high / _step) * _step);
    }

    public double Low { get; }

    public double High { get; }

    public IEnumerable<double> Ticks()
    {
        var count = (int)Math.Min(12, Math.Round((High - Low) / _step));
        return Enumerable.Range(0, count + 1).Select(i => Low + (i * _step));
    }

    /// <summary>A number with its unit: 1.5 GiB, 20 ms, 3e-9.</summary>
    public string Show(double value, bool exact = false)
    {
        var size = Math.Max(Math.Abs(Low), Math.Abs(High));
        var (factor, prefix) = Prefix(exact && value != 0 ? Math.Abs(value) : size);
        var suffix = (prefix.Length > 0 || _unit.Length > 0) && _unit != "%" ? $" {prefix}{_unit}" : _unit;
        var (scaled, step) = (value / factor, _step / factor);
        if (Math.Abs(scaled) >= 1e6 || (scaled != 0 && Math.Abs(exact ? scaled : step) < 1e-4))
        {
            return scaled.ToString("0.##e0", CultureInfo.InvariantCulture) + suffix;
        }

        var digits = exact
            ? 3 - (int)Math.Clamp(Math.Floor(Math.Log10(Math.Max(Math.Abs(scaled), 1e-4))), -4, 3)
            : (int)Math.Clamp(Math.Ceiling(-Math.Log10(step)), 0, 6);
        return Math.Round(scaled, Math.Min(digits, 15))
                .ToString("0." + new string('#', digits), CultureInfo.InvariantCulture) + suffix;
    }

    private (double Factor, string Prefix) Prefix(double size)
    {
        if (_unit == "%" || size >= 1e21) // beyond the last prefix an exponent says it
        {
            return (1, "");
        }

        if (_unit == "s")
        {
            return size >= 1 || size == 0 ? (1, "")
                : size >= 1e-3 ? (1e-3, "m")
                : size >= 1e-6 ? (1e-6, "µ")
                : (1e-9, "n"); // nobody reads kiloseconds
        }

        return
            Array.Find(_unit.StartsWith('B') ? Binary : Decimal, prefix => size >= prefix.Factor)
                is { Factor: > 0 } found
            ? found
            : (1, "");
    }

    private static double Nice(double step)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(step)));
        return (step / power) switch
            {
                <= 1 => 1,
                <= 2 => 2,
                <= 5 => 5,
                _ => 10,
            } * power;
    }
}
