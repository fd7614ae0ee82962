using System.Text.Json;
using MinimalMcp.Auth.Tokens;

namespace MinimalMcp.Auth.Provider;

/// <summary>Reads the roles and groups of a token, wherever its provider puts them.</summary>
/// <param name="own">This server's names at the provider: roles of other applications do not count.</param>
internal sealed class RoleClaims(ProviderOptions options, IEnumerable<string> own)
{
    private readonly string[] _set = [.. ProviderOptions.List(options.RolesClaim)];

    // Entra and Okta use roles, Auth0 permissions, Okta and Authentik groups. Keycloak separates realm roles from those
    // of each client.
    private readonly string[][] _known =
    [
        ["roles"],
        ["permissions"],
        ["groups"],
        ["realm_access", "roles"],
        .. own.Select(client => (string[])["resource_access", client, "roles"]),
    ];

    public IEnumerable<string> Of(VerifiedToken token) =>
        _set.Length > 0
            ? _set.SelectMany(path => At(token.Payload, path))
            : _known.SelectMany(path => At(token.Payload, path.AsSpan()));

    private static IEnumerable<string> At(JsonElement element, ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            if (element.ValueKind is not JsonValueKind.Object || !element.TryGetProperty(name, out element))
            {
                return [];
            }
        }

        return VerifiedToken.Texts(element);
    }

    // Names may contain dots (https://example.com/roles, a client called my.app), so every matching split is tried.
    private static IEnumerable<string> At(JsonElement element, string path) =>
        element.ValueKind is not JsonValueKind.Object ? []
        : element.TryGetProperty(path, out var claim) ? VerifiedToken.Texts(claim)
        : element
            .EnumerateObject()
            .Where(member =>
                path.Length > member.Name.Length
                && path[member.Name.Length] == '.'
                && path.StartsWith(member.Name, StringComparison.Ordinal)
            )
            .SelectMany(member => At(member.Value, path[(member.Name.Length + 1)..]));
}
