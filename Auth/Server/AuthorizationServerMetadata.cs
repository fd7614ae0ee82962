using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Auth.Server;

/// <summary>The metadata of this authorization server (RFC 8414), the same at every well-known URL.</summary>
internal sealed class AuthorizationServerMetadata(Issuer issuer, IOptions<AuthorizationServerOptions> options)
    : IAuthorizationServerMetadata
{
    private static readonly string[] Methods =
    [
        ClientMetadata.None,
        ClientMetadata.Basic,
        ClientMetadata.Post,
        ClientMetadata.PrivateKey,
    ];

    public string Issuer => issuer.Url;

    public ValueTask<JsonObject> DocumentAsync(CancellationToken cancellationToken) => new(Document());

    private JsonObject Document()
    {
        var metadata = new JsonObject
        {
            ["issuer"] = issuer.Url,
            ["authorization_endpoint"] = issuer.Url + "/auth/authorize",
            ["token_endpoint"] = issuer.Url + "/auth/token",
            ["registration_endpoint"] = issuer.Url + "/auth/register",
            ["revocation_endpoint"] = issuer.Url + "/auth/revoke",
            ["introspection_endpoint"] = issuer.Url + "/auth/introspect",
            ["userinfo_endpoint"] = issuer.Url + "/auth/userinfo",
            ["jwks_uri"] = issuer.Url + "/auth/jwks",
            ["scopes_supported"] = List(GrantableScopes.All),
            ["response_types_supported"] = List("code"),
            ["response_modes_supported"] = List("query"),
            ["grant_types_supported"] = List(
                ClientMetadata.CodeGrant,
                ClientMetadata.RefreshGrant,
                ClientMetadata.ClientGrant
            ),
            ["token_endpoint_auth_methods_supported"] = List(Methods),
            ["token_endpoint_auth_signing_alg_values_supported"] = List("RS256", "PS256", "ES256", "ES384", "ES512"),
            ["revocation_endpoint_auth_methods_supported"] = List(Methods),
            ["introspection_endpoint_auth_methods_supported"] = List(Methods[1..]),
            ["code_challenge_methods_supported"] = List("S256"),
            ["authorization_response_iss_parameter_supported"] = true,
            ["client_id_metadata_document_supported"] = true,
            ["protected_resources"] = List(issuer.Resource),
            // OpenID Connect is not offered, but clients that find this document at its discovery URL refuse it without
            // these.
            ["subject_types_supported"] = List("public"),
            ["id_token_signing_alg_values_supported"] = List(SigningKey.Algorithm),
        };
        if (!options.Value.IsOpen)
        {
            metadata.Remove("registration_endpoint");
        }

        return metadata;
    }

    private static JsonArray List(params string[] values) => [.. values];
}
