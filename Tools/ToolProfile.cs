namespace MinimalMcp.Tools;

/// <summary>
/// A part of the tools. Hosts cap how many they take (30 operations per GPT Action, 128 functions per request), and least privilege
/// is worth having on its own.
/// </summary>
public sealed class ToolProfile
{
    public static readonly ToolProfile Everything = new();

    /// <summary>Families by folder name, for example shop; empty means all.</summary>
    public string[] Families { get; init; } = [];

    /// <summary>Tools by name; empty means all of the families.</summary>
    public string[] Tools { get; init; } = [];

    /// <summary>Only tools that change nothing.</summary>
    public bool ReadOnly { get; init; }

    public bool IsEverything => Families.Length == 0 && Tools.Length == 0 && !ReadOnly;

    public bool Includes(Tool tool) =>
        (Families.Length == 0 || Families.Contains(tool.Family, StringComparer.OrdinalIgnoreCase))
        && (Tools.Length == 0 || Tools.Contains(tool.Name, StringComparer.Ordinal))
        && (!ReadOnly || tool.IsReadOnly);

    // Two profiles that select by the same words are the same, so that a set is narrowed once for both.
    public override bool Equals(object? obj) => obj is ToolProfile profile && Key == profile.Key;

    public override int GetHashCode() => Key.GetHashCode(StringComparison.Ordinal);

    private string Key =>
        $"{string.Join(',', Families.Select(family => family.ToLowerInvariant()).Order())}|{string.Join(',', Tools.Order())}|{ReadOnly}";
}

/// <summary>The profiles that the operator named under <c>Profiles</c> in the configuration; every family is one by itself, and so is "readonly".</summary>
public sealed class ToolProfiles(IConfiguration configuration, ToolRegistry registry)
{
    private readonly Dictionary<string, ToolProfile> _named = configuration
        .GetSection("Profiles")
        .GetChildren()
        .ToDictionary(
            section => section.Key,
            section => section.Get<ToolProfile>() ?? ToolProfile.Everything,
            StringComparer.OrdinalIgnoreCase
        );

    /// <summary>The profile of that name, or null when there is none.</summary>
    public ToolProfile? Find(string name)
    {
        if (_named.TryGetValue(name, out var named))
        {
            return named;
        }

        return name.Equals("readonly", StringComparison.OrdinalIgnoreCase) ? new ToolProfile { ReadOnly = true }
            : registry.Current.All.Any(tool => tool.Family.Equals(name, StringComparison.OrdinalIgnoreCase))
                ? OfFamily(name)
            : null;
    }

    // All of a family, or those that a large one marks: hosts take no more.
    private ToolProfile OfFamily(string family) =>
        new()
        {
            Families = [family],
            Tools =
            [
                .. registry
                    .Current.All.Where(tool =>
                        tool.IsInProfile && tool.Family.Equals(family, StringComparison.OrdinalIgnoreCase)
                    )
                    .Select(tool => tool.Name),
            ],
        };

    public IEnumerable<string> Names =>
        _named
            .Keys.Concat(registry.Current.All.Select(tool => tool.Family))
            .Append("readonly")
            .Distinct(StringComparer.OrdinalIgnoreCase);
}
