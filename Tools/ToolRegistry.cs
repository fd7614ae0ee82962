namespace MinimalMcp.Tools;

/// <summary>The tools that can be called now. They may come and go while the server runs.</summary>
public sealed class ToolRegistry
{
    private readonly Lock _changing = new();
    private volatile ToolSet _current;

    public ToolRegistry(IEnumerable<Tool> tools) => _current = new ToolSet(tools);

    /// <summary>Raised after the set changed, so that clients can be told.</summary>
    public event Action? Changed;

    public ToolSet Current => _current;

    /// <summary>Adds tools. A name that is taken is refused: a tool must never stand in for another one unnoticed.</summary>
    public void Add(params IReadOnlyCollection<Tool> tools)
    {
        lock (_changing)
        {
            if (tools.FirstOrDefault(tool => _current.Find(tool.Name) is not null) is { } taken)
            {
                throw new InvalidOperationException($"There is a tool named {taken.Name} already.");
            }

            _current = new ToolSet([.. _current.All, .. tools]);
        }

        Changed?.Invoke();
    }

    public bool Remove(params IReadOnlyCollection<string> names)
    {
        lock (_changing)
        {
            var left = _current.All.Where(tool => !names.Contains(tool.Name)).ToArray();
            if (left.Length == _current.All.Count)
            {
                return false;
            }

            _current = new ToolSet(left);
        }

        Changed?.Invoke();
        return true;
    }
}
