using MinimalMcp.Auth;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces;

/// <summary>The scopes that the registered tools need: a read-only server requests no more.</summary>
internal sealed class ToolScopes(ToolRegistry registry, ToolProfiles profiles) : IToolScopes
{
    public string All => Of(registry.Current);

    public string Of(HttpContext http) => registry.Current.For(http.Request, profiles) is { } tools ? Of(tools) : All;

    private static string Of(ToolSet tools) =>
        tools.Derive(nameof(ToolScopes), () =>
            string.Join(' ', tools.All.Select(tool => tool.Scope).Append(Scopes.Read).Distinct().OrderBy(Scopes.Level))
        );
}
