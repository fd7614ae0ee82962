namespace MinimalMcp.Tools;

/// <summary>The registered tools. They may change while the server runs.</summary>
/// <param name="initial">
/// Creates the tools on first use, since reading attributes and building schemas takes time.
/// </param>
internal sealed class ToolRegistry(Func<IEnumerable<Tool>> initial)
{
    private readonly Lock _changing = new();
    private volatile ToolSet? _current;

    /// <summary>Raised after the set changed, to notify clients.</summary>
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

    /// <summary>Adds tools. A duplicate name is refused: a tool must never silently replace another.</summary>
    public void Add(params IReadOnlyCollection<Tool> tools)
    {
        lock (_changing)
        {
            var current = Current;
            if (tools.FirstOrDefault(tool => current.Find(tool.Name) is not null) is { } taken)
            {
                throw new InvalidOperationException(
                    $"A tool named {taken.Name} is already registered. Choose " + "another name."
                );
            }

            _current = new ToolSet([.. current.Known, .. tools]);
        }

        Changed?.Invoke();
    }

    /// <summary>
    /// Replaces tools by others in one step, as when another server's list changes. Clients are notified when the set
    /// differs.
    /// </summary>
    public void Replace(IReadOnlyCollection<Tool> before, IReadOnlyCollection<Tool> after)
    {
        lock (_changing)
        {
            var current = Current;
            Tool[] left = [.. current.Known.Except(before)];
            if (after.FirstOrDefault(tool => left.Any(other => other.Name == tool.Name)) is { } taken)
            {
                throw new InvalidOperationException($"A tool named {taken.Name} is already registered.");
            }

            if (current.Known.ToHashSet().SetEquals([.. left, .. after]))
            {
                return;
            }

            _current = new ToolSet([.. left, .. after]);
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
