namespace MinimalMcp.Tools;

/// <summary>The tools that can be called now. They may come and go while the server runs.</summary>
/// <param name="initial">Reading attributes and making schemas takes time: it is done when the tools are first asked for.</param>
public sealed class ToolRegistry(Func<IEnumerable<Tool>> initial)
{
    private readonly Lock _changing = new();
    private volatile ToolSet? _current;

    /// <summary>Raised after the set changed, so that clients can be told.</summary>
    public event Action? Changed;

    public ToolSet Current
    {
        get
        {
            if (_current is { } tools)
            {
                return tools;
            }

            lock (_changing)
            {
                return _current ??= new ToolSet(initial());
            }
        }
    }

    /// <summary>Adds tools. A name that is taken is refused: a tool must never stand in for another one unnoticed.</summary>
    public void Add(params IReadOnlyCollection<Tool> tools)
    {
        lock (_changing)
        {
            var current = Current;
            if (tools.FirstOrDefault(tool => current.Find(tool.Name) is not null) is { } taken)
            {
                throw new InvalidOperationException($"There is a tool named {taken.Name} already.");
            }

            _current = new ToolSet([.. current.Known, .. tools]);
        }

        Changed?.Invoke();
    }

    public bool Remove(params IReadOnlyCollection<string> names)
    {
        lock (_changing)
        {
            var current = Current;
            var left = current.Known.Where(tool => !names.Contains(tool.Name)).ToArray();
            if (left.Length == current.Known.Count)
            {
                return false;
            }

            _current = new ToolSet(left);
        }

        Changed?.Invoke();
        return true;
    }
}
