using System.Text.Json;
using MinimalMcp.Auth.Tokens;

namespace MinimalMcp.Auth.Provider;

/// <summary>The roles and groups that a token names, wherever its provider puts them.</summary>
/// <param name="own">What this server is called there: of the roles of other applications none counts here.</param>
internal sealed class RoleClaims(ProviderOptions options, IEnumerable<string> own)
{
    private readonly string[] _set = [.. ProviderOptions.List(options.RolesClaim)];

    // Entra and Okta say roles, Auth0 permissions, Okta and Authentik groups. Keycloak keeps those of the realm apart
    // from those of each client.
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

    // Names have dots of their own (https://example.com/roles, a client called my.app), so each that fits is tried.
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
