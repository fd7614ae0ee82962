namespace MinimalMcp.Governance;

/// <summary>Suggests known names for a misspelt one.</summary>
internal static class NameSuggestions
{
    public static string[] Nearest(string wrong, IEnumerable<string> known, int count = 3) =>
        wrong.Length > 100
            ? []
            :
            [
                .. known
                    .Select(name => (name, distance: Distance(wrong, name)))
                    .Where(near =>
                        near.distance <= Math.Max(2, near.name.Length / 3)
                        || near.name.Contains(wrong, StringComparison.OrdinalIgnoreCase)
                        || wrong.Contains(near.name, StringComparison.OrdinalIgnoreCase)
                    )
                    .OrderBy(near => near.distance)
                    .Take(count)
                    .Select(near => near.name),
            ];

    // The Levenshtein distance, ignoring case.
    internal static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted =
                    diagonal + (char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
