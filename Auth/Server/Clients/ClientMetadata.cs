using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Auth.Tokens;

namespace MinimalMcp.Auth.Server;

/// <summary>Client metadata (RFC 7591 section 2), from a registration or a metadata document.</summary>
internal sealed record ClientMetadata(
    string Name,
    string[] RedirectUris,
    string[] Grants,
    string[] Methods,
    string[] Scopes
)
{
    public const string None = "none",
        Basic = "client_secret_basic",
        Post = "client_secret_post",
        PrivateKey = "private_key_jwt";

    public const string CodeGrant = "authorization_code",
        RefreshGrant = "refresh_token",
        ClientGrant = "client_credentials";

    public Uri? JwksUri { get; init; }

    public string? Jwks { get; init; }

    /// <param name="takes">
    /// For metadata documents, which are written for every server: selects the redirect URIs that are allowed here.
    /// Null requires all of them to be allowed.
    /// </param>
    public static ClientMetadata Parse(ReadOnlySpan<byte> json, string id, Func<string, bool>? takes = null)
    {
        try
        {
            return new Reader(StrictJson.ParseObject(json), takes).Read(id);
        }
        catch (FormatException wrong)
        {
            throw Invalid($"The metadata {wrong.Message}.");
        }
    }

    public JsonObject ToJson() =>
        new()
        {
            ["client_name"] = Name,
            ["redirect_uris"] = new JsonArray([.. RedirectUris]),
            ["grant_types"] = new JsonArray([.. Grants]),
            ["response_types"] = new JsonArray("code"),
            ["token_endpoint_auth_method"] = Methods[0],
            ["scope"] = string.Join(' ', Scopes),
        };

    internal static OAuthException Invalid(string description) => new("invalid_client_metadata", description);

    private readonly struct Reader(JsonElement json, Func<string, bool>? takes)
    {
        private const int MaxName = 100,
            MaxItems = 10;

        public ClientMetadata Read(string id)
        {
            if (json.TryGetProperty("software_statement", out _))
            {
                throw new OAuthException(
                    "unapproved_software_statement",
                    "Software statements are not supported; leave the field out."
                );
            }

            if (Texts("response_types")?.Except(["code"]).Any() == true)
            {
                throw Invalid("response_types must be ['code'].");
            }

            // By default a client may refresh; otherwise the user would have to sign in again and again.
            var grants = Texts("grant_types") ?? [CodeGrant, RefreshGrant];
            if (!grants.Contains(CodeGrant) || grants.Except([CodeGrant, RefreshGrant]).Any())
            {
                throw Invalid("grant_types must contain 'authorization_code' and may contain 'refresh_token'.");
            }

            var scopes = Text("scope") is { } scope
                ? Auth.Scopes.Split(scope).Intersect(GrantableScopes.All).ToArray()
                : GrantableScopes.All;
            return new(Name(id), Redirects(), grants, Methods(), scopes.Length > 0 ? scopes : GrantableScopes.All)
            {
                JwksUri =
                    Text("jwks_uri") is not { } address ? null
                    : Uri.TryCreate(address, UriKind.Absolute, out var uri) ? uri
                    : throw Invalid("jwks_uri must be an absolute URL."),
                Jwks =
                    json.TryGetProperty("jwks", out var jwks) && jwks.ValueKind is JsonValueKind.Object
                        ? jwks.GetRawText()
                        : null,
            };
        }

        // Shown to users, so no hidden or direction-changing characters.
        private string Name(string id)
        {
            var name = Text("client_name") ?? id;
            return name.Trim().Length is > 0 and <= MaxName
                && name == name.Trim()
                && !name.EnumerateRunes()
                    .Any(rune =>
                        Rune.GetUnicodeCategory(rune)
                            is UnicodeCategory.Control
                                or UnicodeCategory.Format
                                or UnicodeCategory.LineSeparator
                                or UnicodeCategory.ParagraphSeparator
                                or UnicodeCategory.PrivateUse
                                or UnicodeCategory.Surrogate
                    )
                    ? name
                : name == id ? id[..Math.Min(id.Length, MaxName)]
                : throw Invalid($"client_name must have 1 to {MaxName} visible characters.");
        }

        private string[] Redirects()
        {
            if (Texts("redirect_uris") is not { Length: > 0 } addresses)
            {
                throw Unfit("redirect_uris is missing");
            }

            if (takes is not null)
            {
                var good = takes;
                addresses = [.. addresses.Where(address => RedirectAddress.Unfit(address) is null && good(address))];
                return addresses.Length > 0
                    ? addresses
                    : throw Unfit("no redirect URI is on an allowed host (Auth:Server:RedirectHosts)");
            }

            return addresses.Select(RedirectAddress.Unfit).FirstOrDefault(reason => reason is not null) is { } unfit
                ? throw Unfit(unfit)
                : addresses;
        }

        private static OAuthException Unfit(string reason) => new("invalid_redirect_uri", reason + ".");

        // ChatGPT's document has the list and, for older servers, the single value. In a registration the list is not a
        // standard member and is ignored (RFC 7591 section 2).
        private string[] Methods()
        {
            var one = Text("token_endpoint_auth_method");
            var listed = (takes is null ? [] : Texts("token_endpoint_auth_methods_supported") ?? []);
            var known = listed.Concat(one is null ? [] : [one]).Intersect([None, Basic, Post, PrivateKey]).ToArray();
            return known.Length > 0 && (one is null || known.Contains(one)) ? known
                : one is null ? []
                : throw Invalid(
                    "token_endpoint_auth_method must be none, client_secret_basic, client_secret_post or "
                        + "private_key_jwt."
                );
        }

        private string? Text(string name) =>
            !json.TryGetProperty(name, out var value) || value.ValueKind is JsonValueKind.Null ? null
            : value.ValueKind is JsonValueKind.String ? value.GetString()
            : throw Invalid(name + "{name} must be a string.");

        private string[]? Texts(string name) =>
            !json.TryGetProperty(name, out var value) || value.ValueKind is JsonValueKind.Null ? null
            : value.ValueKind is JsonValueKind.Array
            && value.GetArrayLength() <= MaxItems
            && value.EnumerateArray().All(item => item.ValueKind is JsonValueKind.String)
                ? [.. value.EnumerateArray().Select(item => item.GetString()!).Distinct()]
            : throw Invalid($"{name} must be an array of up to {MaxItems} strings.");
    }
}
