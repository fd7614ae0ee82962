namespace MinimalMcp.Tools;

/// <summary>
/// A selection of tools. Clients limit the number of tools (30 operations per GPT Action, 128 functions per request),
/// and least privilege is useful by itself.
/// </summary>
internal sealed class ToolProfile
{
    public static readonly ToolProfile Everything = new();

    /// <summary>Families by folder name, for example shop; empty selects all.</summary>
    public string[] Families { get; init; } = [];

    /// <summary>Tools by name; empty selects all of the families.</summary>
    public string[] Tools { get; init; } = [];

    /// <summary>Only read-only tools.</summary>
    public bool ReadOnly { get; init; }

    public bool IsEverything => Families.Length == 0 && Tools.Length == 0 && !ReadOnly;

    public bool Includes(Tool tool) =>
        (Families.Length == 0 || Families.Contains(tool.Family, StringComparer.OrdinalIgnoreCase))
        && (Tools.Length == 0 || Tools.Contains(tool.Name, StringComparer.Ordinal))
        && (!ReadOnly || tool.IsReadOnly);

    /// <summary>Whether prompts and resources of a family are selected; a selection by tool names has none.</summary>
    public bool Takes(string family) =>
        Families.Length == 0 ? Tools.Length == 0 : Families.Contains(family, StringComparer.OrdinalIgnoreCase);

    /// <summary>This selection of what another one left, as far as <see cref="Takes"/> needs it.</summary>
    public ToolProfile Within(ToolProfile other) =>
        other.IsEverything ? this
        : Families.Length == 0 && Tools.Length == 0 ? other
        : new()
        {
            Families =
            [
                .. Families.Length == 0 ? other.Families : Families.Where(other.Takes).DefaultIfEmpty("(none)"),
            ],
            Tools = Tools,
        };

    // Equal selections are equal profiles, so that a narrowed set is cached once.
    public override bool Equals(object? obj) => obj is ToolProfile profile && Key == profile.Key;

    public override int GetHashCode() => Key.GetHashCode(StringComparison.Ordinal);

    private string Key =>
        string.Join(
            '|',
            string.Join(',', Families.Select(family => family.ToLowerInvariant()).Order()),
            string.Join(',', Tools.Order()),
            ReadOnly
        );
}

/// <summary>The profiles of the section <c>Profiles</c>; every family is a profile too, and so is "readonly".</summary>
internal sealed class ToolProfiles(IConfiguration configuration, ToolRegistry registry, JoinedServers servers)
{
    private readonly Dictionary<string, ToolProfile> _named = configuration
        .GetSection("Profiles")
        .GetChildren()
        .ToDictionary(
            section => section.Key,
            section => section.Get<ToolProfile>() ?? ToolProfile.Everything,
            StringComparer.OrdinalIgnoreCase
        );

    /// <summary>Whether it is in the settings, or <c>readonly</c>.</summary>
    public bool IsNamed(string name) =>
        _named.ContainsKey(name) || name.Equals("readonly", StringComparison.OrdinalIgnoreCase);

    /// <summary>The other server that <c>/mcp/{name}</c> serves; null when the name is that of a profile.</summary>
    public string? Server(string name) =>
        IsNamed(name) ? null
        : servers.Find(name) is not null
        || registry.Current.Known.Any(tool => tool.Own is not null && tool.Family == name)
            ? name
        : null;

    /// <summary>The profile with this name, or null.</summary>
    public ToolProfile? Find(string name)
    {
        if (_named.TryGetValue(name, out var named))
        {
            return named;
        }

        return name.Equals("readonly", StringComparison.OrdinalIgnoreCase) ? new ToolProfile { ReadOnly = true }
            : registry.Current.All.Any(tool => tool.Family.Equals(name, StringComparison.OrdinalIgnoreCase))
                ? OfFamily(name)
            : servers.Find(name) is not null ? new ToolProfile { Families = [name] }
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
            .Concat(servers.Current.Select(server => server.Name))
            .Append("readonly")
            .Distinct(StringComparer.OrdinalIgnoreCase);
}
