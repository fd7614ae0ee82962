using MinimalMcp.Tools;

namespace MinimalMcp.Hub;

/// <summary>Whether a server may have a name: it becomes a profile, beside our families and profiles.</summary>
internal sealed class ServerNames(
    ToolProfiles profiles,
    ToolRegistry tools,
    IEnumerable<UnconfiguredFamily> unconfigured
)
{
    public string? Problem(string name)
    {
        var isOurs =
            profiles.IsNamed(name)
            || unconfigured.Any(family => Same(family.Family))
            || tools.Current.Known.Any(tool => tool.Own is null && Same(tool.Family));
        return isOurs
            ? $"The name '{name}' is that of a tool family or profile of this server (/mcp/{name}). Give the MCP "
                + "server another name."
            : null;

        bool Same(string family) => family.Equals(name, StringComparison.OrdinalIgnoreCase);
    }
}
