using System.Collections.Concurrent;
using MinimalMcp.Governance;

namespace MinimalMcp.Tools;

/// <summary>
/// An immutable snapshot of the tools, in a fixed order. What surfaces derive from it (a tools/list response, an
/// OpenAPI document) is created once and cached with it.
/// </summary>
internal sealed class ToolSet
{
    // The cache of narrowed sets is bounded: the profile comes from the caller's query string.
    private const int MaxNarrowed = 64;

    /// <summary>The highest scope of a tool is mcp:execute.</summary>
    internal const int MaxLevel = 2;

    private readonly ToolProfile _profile = ToolProfile.Everything;
    private readonly ToolSet?[] _shown = new ToolSet?[MaxLevel + 1];
    private readonly Dictionary<string, Tool> _byName;
    private readonly Dictionary<string, Tool> _byAlias = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<object, object> _derived = new();

    public ToolSet(IEnumerable<Tool> tools)
    {
        var sorted = tools.OrderBy(tool => tool.Name, StringComparer.Ordinal).ToArray();
        All = [.. sorted.Where(tool => !tool.IsDenied)];
        _byName = sorted.ToDictionary(tool => tool.Name, StringComparer.Ordinal);
        foreach (var tool in sorted.Where(tool => tool.Aliases.Count > 0))
        {
            foreach (var alias in tool.Aliases.Where(alias => !_byName.ContainsKey(alias)))
            {
                _byAlias.TryAdd(alias, tool);
            }
        }
    }

    private ToolSet(IEnumerable<Tool> tools, ToolProfile profile, string? server)
        : this(tools)
    {
        (_profile, Server) = (profile, server);
    }

    private ToolSet(ToolSet whole, int level)
    {
        (_profile, Server) = (whole._profile, whole.Server);
        All = [.. whole.All.Where(tool => tool.ScopeLevel <= level)];
        _byName = whole._byName;
        _byAlias = whole._byAlias;
    }

    /// <summary>The other server whose tools these are, under its own names; null for all other sets.</summary>
    public string? Server { get; }

    /// <summary>The tools that may be listed.</summary>
    public IReadOnlyList<Tool> All { get; }

    /// <summary>
    /// Finds a tool by name, disabled ones included: the caller learns that it is disabled, and the attempt is audited.
    /// </summary>
    public Tool? Find(string name) => _byName.GetValueOrDefault(name) ?? _byAlias.GetValueOrDefault(name);

    /// <summary>The error for an unknown name, with suggestions.</summary>
    public string NotFound(string name)
    {
        var shown = SanitizedText.Show(name.Length <= 60 ? name : string.Concat(name.AsSpan(0, 60), "…"));
        var near = NameSuggestions.Nearest(name, _byName.Keys);
        return $"Unknown tool '{shown}'. "
            + (
                All.Count == 0 ? "This server has no tools."
                : near.Length > 0 ? $"Did you mean {string.Join(" or ", near)}?"
                : "Known tools: "
                    + $"{string.Join(", ", All.Take(20).Select(tool => tool.Name))}{(All.Count > 20 ? ", …" : "")}."
            );
    }

    internal IReadOnlyCollection<Tool> Known => _byName.Values;

    public ToolSet Narrow(ToolProfile profile)
    {
        if (profile.IsEverything)
        {
            return this;
        }

        var narrowed = () => new ToolSet(_byName.Values.Where(profile.Includes), profile.Within(_profile), Server);
        return _derived.Count > MaxNarrowed ? narrowed() : Derive(profile, narrowed);
    }

    /// <summary>The tools of another server, under its own names.</summary>
    public ToolSet Of(string server) =>
        Derive(("server", server), () =>
            new ToolSet(
                _byName
                    .Values.Where(tool => tool.Family == server)
                    .Select(tool => tool.Own)
                    .OfType<Tool>()
                    .DistinctBy(tool => tool.Name),
                _profile,
                server
            )
        );

    /// <summary>Whether what a family has beside tools is part of the selection.</summary>
    public bool Takes(string family) => _profile.Takes(family);

    /// <summary>
    /// Lists only the tools that a scope of this level allows; the others can still be called, and report the missing
    /// scope instead of being unknown. Derived data of each of these sets is cached as for all sets.
    /// </summary>
    public ToolSet Show(int level) =>
        level >= MaxLevel ? this : _shown[Math.Max(level, -1) + 1] ??= new ToolSet(this, level);

    /// <summary>Creates derived data of this set once, by key.</summary>
    public T Derive<T>(object key, Func<T> make)
        where T : class => (T)_derived.GetOrAdd(key, _ => make());
}
