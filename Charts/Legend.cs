namespace MinimalMcp.Charts;

internal static class Legend
{
    /// <summary>A short name for each series: what tells it from the others.</summary>
    public static string[] Names(IReadOnlyList<IReadOnlyDictionary<string, string>> series)
    {
        var shared =
            series.Count < 2
                ? []
                : series[0]
                    .Where(label => series.All(other => other.GetValueOrDefault(label.Key) == label.Value))
                    .Select(label => label.Key)
                    .ToHashSet();
        return [.. series.Select(labels => Name(labels, shared))];
    }

    private static string Name(IReadOnlyDictionary<string, string> labels, HashSet<string> shared)
    {
        var own = labels
            .Where(label => !shared.Contains(label.Key) && label.Key != "__name__")
            .OrderBy(label => label.Key, StringComparer.Ordinal)
            .ToArray();
        var name = shared.Contains("__name__") ? "" : labels.GetValueOrDefault("__name__", "");
        var rest =
            own.Length == 1 && name.Length == 0
                ? own[0].Value
                : string.Join(", ", own.Select(label => $"{label.Key}={label.Value}"));
        return (name.Length, rest.Length) switch
        {
            (0, 0) => labels.GetValueOrDefault("__name__", "value"),
            (0, _) => rest,
            (_, 0) => name,
            _ => $"{name} {{{rest}}}",
        };
    }
}
