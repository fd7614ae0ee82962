using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MinimalMcp.Hub.Remote;

namespace MinimalMcp.Hub.SignIn;

/// <summary>Where to sign in at a server, and as which client.</summary>
internal sealed record AuthorizationServer(
    string Resource,
    string Issuer,
    Uri Authorize,
    Uri Token,
    Uri? Register,
    bool NamesItself,
    IReadOnlyList<string> Methods,
    string? Scope
);

/// <summary>
/// Finds the authorization server of an MCP server (MCP, "Authorization"; RFC 9728, RFC 8414), and registers there
/// (RFC 7591).
/// </summary>
internal sealed partial class OAuthDiscovery(OAuthRequests requests)
{
    public async Task<AuthorizationServer> FindAsync(ServerDefinition server, CancellationToken cancellationToken)
    {
        var address = server.Address!;
        var challenge = await requests.ChallengeAsync(address, cancellationToken);
        var resource = await ResourceAsync(address, challenge, cancellationToken);
        // Servers of 2025-03-26 have no such document: they are their own authorization server.
        var issuer = resource is { } document
            ? Texts(document, "authorization_servers").FirstOrDefault()
                ?? throw new UpstreamRefusedException("The server's metadata name no authorization server.")
            : address.GetLeftPart(UriPartial.Authority);
        var scopes = server.AuthConfig.GetValueOrDefault("scope")
            ?? (challenge is null ? null : Parameter(challenge, "scope"))
            ?? (resource is { } known ? Join(Texts(known, "scopes_supported")) : null);
        var metadata = await MetadataAsync(issuer, scopes, address, cancellationToken);
        return resource is { } named ? metadata with { Resource = Text(named, "resource")! } : metadata;
    }

    /// <summary>The client of auth_config, or one that is registered now.</summary>
    public async Task<OAuthClient> ClientAsync(
        ServerDefinition server,
        AuthorizationServer at,
        string redirectUri,
        CancellationToken cancellationToken
    )
    {
        if (server.AuthConfig.GetValueOrDefault("client_id") is { Length: > 0 } id)
        {
            var secret = server.AuthConfig.GetValueOrDefault("client_secret");
            return new(id, secret, secret is null ? "none" : Method(at, "client_secret_basic", "client_secret_post"));
        }

        if (at.Register is null)
        {
            throw new UpstreamRefusedException(
                $"{at.Issuer} lets no client register itself. Register one there with the redirect URI {redirectUri}, "
                    + "and set auth_config.client_id (and client_secret, when it has one)."
            );
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, at.Register);
        request.Content = JsonContent.Create(
            new JsonObject
            {
                ["client_name"] = "MinimalMcp",
                ["redirect_uris"] = new JsonArray(redirectUri),
                ["grant_types"] = new JsonArray("authorization_code", "refresh_token"),
                ["response_types"] = new JsonArray("code"),
                ["token_endpoint_auth_method"] = Method(at, "none", "client_secret_basic", "client_secret_post"),
                ["application_type"] = new Uri(redirectUri).IsLoopback ? "native" : "web",
            },
            RecordJson.Default.JsonObject
        );
        var (status, body) = await requests.SendAsync(request, server.Address!, cancellationToken);
        return
            body is { } client
            && status is HttpStatusCode.Created or HttpStatusCode.OK
            && Text(client, "client_id") is { Length: > 0 } registered
            ? new(registered, Text(client, "client_secret"), Text(client, "token_endpoint_auth_method") ?? "none")
            : throw new UpstreamRefusedException(
                $"{at.Issuer} did not register us ({(int)status}). Register a client there with the redirect URI "
                    + $"{redirectUri}, and set auth_config.client_id (and client_secret, when it has one)."
            );
    }

    public static string? Text(JsonElement document, string name) =>
        document.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String
            ? value.GetString()
            : null;

    private async Task<JsonElement?> ResourceAsync(Uri address, string? challenge, CancellationToken cancellationToken)
    {
        var path = address.AbsolutePath.TrimEnd('/');
        var named = challenge is null ? null : Parameter(challenge, "resource_metadata");
        const string WellKnown = "/.well-known/oauth-protected-resource";
        Uri[] places =
            named is not null && Uri.TryCreate(named, UriKind.Absolute, out var url)
                ? [url]
                : [new(address, WellKnown + path), new(address, WellKnown)];
        foreach (var place in places.Distinct())
        {
            if (await requests.GetAsync(place, address, cancellationToken) is { } document)
            {
                // RFC 9728 section 3.3: else its tokens would be of another resource.
                return Text(document, "resource") is { } resource && IsOf(resource, address)
                    ? document
                    : throw new UpstreamRefusedException(
                        "The server's metadata are of another resource than its address. Set url to the resource that "
                            + "they name."
                    );
            }
        }

        return null;
    }

    private static bool IsOf(string resource, Uri address) =>
        Uri.TryCreate(resource, UriKind.Absolute, out var named)
        && named.GetLeftPart(UriPartial.Authority) == address.GetLeftPart(UriPartial.Authority)
        && (address.AbsolutePath.TrimEnd('/') + "/").StartsWith(
            named.AbsolutePath.TrimEnd('/') + "/",
            StringComparison.Ordinal
        );

    private async Task<AuthorizationServer> MetadataAsync(
        string issuer,
        string? scopes,
        Uri server,
        CancellationToken cancellationToken
    )
    {
        if (!Uri.TryCreate(issuer, UriKind.Absolute, out var url))
        {
            throw new UpstreamRefusedException("The server's metadata name an authorization server without a URL.");
        }

        var path = url.AbsolutePath.TrimEnd('/');
        Uri[] places =
        [
            new(url, "/.well-known/oauth-authorization-server" + path),
            new(url, "/.well-known/openid-configuration" + path),
            new(url, path + "/.well-known/openid-configuration"),
        ];
        foreach (var place in places.Distinct())
        {
            if (await requests.GetAsync(place, server, cancellationToken) is { } document)
            {
                return Read(document, issuer, scopes, server.AbsoluteUri);
            }
        }

        throw new UpstreamRefusedException($"{issuer} has no metadata of an authorization server.");
    }

    private static AuthorizationServer Read(JsonElement document, string issuer, string? scopes, string resource)
    {
        // RFC 8414 section 3.3, against mix-up.
        if (Text(document, "issuer")?.TrimEnd('/') != issuer.TrimEnd('/'))
        {
            throw new UpstreamRefusedException($"The metadata of {issuer} are of another issuer.");
        }

        if (!Texts(document, "code_challenge_methods_supported").Contains("S256"))
        {
            throw new UpstreamRefusedException($"{issuer} does not support PKCE with S256, which MCP demands.");
        }

        var offline = Texts(document, "scopes_supported").Contains("offline_access");
        return new(
            resource,
            Text(document, "issuer")!,
            Endpoint(document, "authorization_endpoint", issuer)!,
            Endpoint(document, "token_endpoint", issuer)!,
            Text(document, "registration_endpoint") is null
                ? null
                : Endpoint(document, "registration_endpoint", issuer),
            document.TryGetProperty("authorization_response_iss_parameter_supported", out var names)
                && names.ValueKind is JsonValueKind.True,
            [.. Texts(document, "token_endpoint_auth_methods_supported")],
            // With it OpenID providers give a refresh token.
            offline && scopes?.Split(' ').Contains("offline_access") != true
                ? $"{scopes} offline_access".Trim()
                : scopes
        );
    }

    private static Uri Endpoint(JsonElement document, string name, string issuer) =>
        Uri.TryCreate(Text(document, name), UriKind.Absolute, out var url) && url.Scheme is "https" or "http"
            ? url
            : throw new UpstreamRefusedException($"The metadata of {issuer} have no usable {name}.");

    private static string Method(AuthorizationServer at, params string[] known) =>
        known.FirstOrDefault(at.Methods.Contains) ?? (at.Methods.Count == 0 ? "client_secret_basic" : known[0]);

    private static IEnumerable<string> Texts(JsonElement document, string name) =>
        document.TryGetProperty(name, out var list) && list.ValueKind is JsonValueKind.Array
            ? list.EnumerateArray()
                .Where(entry => entry.ValueKind is JsonValueKind.String)
                .Take(100)
                .Select(entry => entry.GetString()!)
            : [];

    private static string? Join(IEnumerable<string> scopes) =>
        string.Join(' ', scopes) is { Length: > 0 } joined ? joined : null;

    private static string? Parameter(string challenge, string name) =>
        Parameters()
            .Matches(challenge)
            .FirstOrDefault(match => match.Groups[1].Value.Equals(name, StringComparison.OrdinalIgnoreCase))
            is { } found
            ? found.Groups[2].Success
                ? found.Groups[2].Value.Replace("\\", "", StringComparison.Ordinal)
                : found.Groups[3].Value
            : null;

    // RFC 9110 section 11.2: token or quoted-string.
    [GeneratedRegex("""([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))""")]
    private static partial Regex Parameters();
}
