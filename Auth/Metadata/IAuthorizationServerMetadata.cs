using System.Text.Json.Nodes;

namespace MinimalMcp.Auth;

/// <summary>
/// The authorization server that issues the callers' tokens: our own or an identity provider. Discovery documents,
/// challenges and the OpenAPI document read it.
/// </summary>
internal interface IAuthorizationServerMetadata
{
    /// <summary>The issuer exactly as tokens name it (RFC 8414 section 3.3).</summary>
    string Issuer { get; }

    /// <summary>The metadata of RFC 8414. The caller may modify the returned object.</summary>
    /// <exception cref="HttpRequestException">
    /// The identity provider is unavailable; see <see cref="ProviderUnavailable"/>.
    /// </exception>
    ValueTask<JsonObject> DocumentAsync(CancellationToken cancellationToken);
}
