using System.Collections.Concurrent;
using MinimalMcp.Governance;

namespace MinimalMcp.Tools;

/// <summary>
/// The tools as they were at one moment, in a fixed order. It never changes, so what surfaces derive from it (a tools/list answer, an
/// OpenAPI document) is made once and kept with it.
/// </summary>
public sealed class ToolSet
{
    // Narrowed sets are kept, but not without bound: the profile comes from the caller's query string.
    private const int MaxNarrowed = 64;

    /// <summary>No tool needs a scope above mcp:execute.</summary>
    internal const int MaxLevel = 2;

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

    private ToolSet(ToolSet whole, int level)
    {
        All = [.. whole.All.Where(tool => tool.ScopeLevel <= level)];
        _byName = whole._byName;
        _byAlias = whole._byAlias;
    }

    /// <summary>What may be listed.</summary>
    public IReadOnlyList<Tool> All { get; }

    /// <summary>A tool by its name, also one that is switched off: whoever calls it is told so, and the attempt is recorded.</summary>
    public Tool? Find(string name) => _byName.GetValueOrDefault(name) ?? _byAlias.GetValueOrDefault(name);

    /// <summary>Why a name was not found, for the model that made it up.</summary>
    public string NotFound(string name)
    {
        var shown = VisibleText.Show(name.Length <= 60 ? name : string.Concat(name.AsSpan(0, 60), "…"), out _);
        var near = Spelling.Nearest(name, _byName.Keys);
        return $"Unknown tool '{shown}'. "
            + (
                All.Count == 0 ? "This server has no tools."
                : near.Length > 0 ? $"Did you mean {string.Join(" or ", near)}?"
                : $"Known tools: {string.Join(", ", All.Take(20).Select(tool => tool.Name))}{(All.Count > 20 ? ", …" : "")}."
            );
    }

    internal IReadOnlyCollection<Tool> Known => _byName.Values;

    public ToolSet Narrow(ToolProfile profile)
    {
        if (profile.IsEverything)
        {
            return this;
        }

        return _derived.Count > MaxNarrowed
            ? new ToolSet(_byName.Values.Where(profile.Includes))
            : Derive(profile, () => new ToolSet(_byName.Values.Where(profile.Includes)));
    }

    /// <summary>
    /// The same tools to call, and fewer to list: those that a scope of this level is enough for. Whoever calls another one is told which scope is missing, and not that there
    /// is no such tool. What is made of each of these sets is kept with it, as with all sets.
    /// </summary>
    public ToolSet Show(int level) =>
        level >= MaxLevel ? this : _shown[Math.Max(level, -1) + 1] ??= new ToolSet(this, level);

    /// <summary>Makes something of this set once. The key says what it is.</summary>
    public T Derive<T>(object key, Func<T> make)
        where T : class => (T)_derived.GetOrAdd(key, _ => make());
}
