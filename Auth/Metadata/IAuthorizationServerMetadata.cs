using System.Text.Json.Nodes;

namespace MinimalMcp.Auth;

/// <summary>
/// Where callers get their tokens: our own authorization server or somebody else's. The documents, the challenges and
/// the OpenAPI document read it.
/// </summary>
internal interface IAuthorizationServerMetadata
{
    /// <summary>As it stands in the tokens, letter by letter (RFC 8414 section 3.3).</summary>
    string Issuer { get; }

    /// <summary>The metadata of RFC 8414. The caller may change what it is given.</summary>
    /// <exception cref="HttpRequestException">
    /// The identity provider cannot be asked now; see <see cref="ProviderUnavailable"/>.
    /// </exception>
    ValueTask<JsonObject> DocumentAsync(CancellationToken cancellationToken);
}
