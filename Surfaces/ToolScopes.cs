using MinimalMcp.Auth;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces;

/// <summary>The scopes that the tools need: a server that only reads asks nobody for more.</summary>
internal sealed class ToolScopes(ToolRegistry registry) : IToolScopes
{
    public string All
    {
        get
        {
            var tools = registry.Current;
            return tools.Derive(nameof(ToolScopes), () => string.Join(' ', tools.All.Select(tool => tool.Scope).Append(Scopes.Read).Distinct().OrderBy(Scopes.Level)));
        }
    }
}
