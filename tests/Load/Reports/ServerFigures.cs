namespace MinimalMcp.Load;

/// <summary>
/// One server under the same calls as bare Kestrel: medians of the rounds, each with its ratio to bare Kestrel in the
/// same round.
/// </summary>
internal sealed record ServerFigures(
    string Server,
    string Call,
    Compared Rate,
    Compared P50,
    Compared P99,
    Compared Cpu,
    Compared Allocated,
    double? Rss,
    long Errors
)
{
    public static ServerFigures Of(string server, string call, CallRound[] own, CallRound[] bare)
    {
        return new(
            server,
            call,
            Both(round => round.Rate),
            Both(round => round.P50),
            Both(round => round.P99),
            Both(round => round.Cpu),
            Both(round => round.Allocated),
            own[^1].Rss,
            own.Sum(round => round.Failed)
        );

        Compared Both(Func<CallRound, double> figure) =>
            new(
                Finite(Median.Of(own.Select(figure))),
                Finite(Median.Of(own.Zip(bare, (o, b) => figure(o) / figure(b))))
            );
    }

    // JSON has no number for what was not measured.
    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}

internal sealed record Compared(double? Value, double? Ratio);
