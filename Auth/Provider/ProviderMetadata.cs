using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Auth.Tokens;

namespace MinimalMcp.Auth.Provider;

/// <summary>
/// The provider's discovery document (OpenID Connect Discovery section 3, RFC 8414), where the settings do not override
/// it.
/// </summary>
internal sealed class ProviderMetadata
{
    private readonly JsonElement _document;
    private readonly ProviderOptions _options;
    private readonly Uri? _discovery,
        _authorizationEndpoint,
        _tokenEndpoint;

    // Everything that will be needed is read now, so that a missing value is reported at the start.
    private ProviderMetadata(JsonElement document, ProviderOptions options)
    {
        (_document, _options, _discovery) = (document, options, options.Discovery);
        Issuer = _document.GetProperty("issuer").GetString()!;
        JwksUri = Address("jwks_uri", options.JwksUri);
        if (options.ClientId is { Length: > 0 })
        {
            _authorizationEndpoint = Address("authorization_endpoint", options.AuthorizationEndpoint);
            _tokenEndpoint = Address("token_endpoint", options.TokenEndpoint);
            UserInfoEndpoint = Optional("userinfo_endpoint", null);
            IntrospectionEndpoint = Optional("introspection_endpoint", options.IntrospectionEndpoint);
        }
    }

    public Uri JwksUri { get; }

    /// <summary>The issuer in the document.</summary>
    public string Issuer { get; }

    /// <summary>The document has another issuer than the settings, which are complete by themselves.</summary>
    public bool IsOfAnother => _options.Issuers.Count > 0 && !_options.Issuers.Contains(Issuer);

    /// <summary>Where users sign in, when this server is a client of the provider.</summary>
    public Uri AuthorizationEndpoint =>
        _authorizationEndpoint ?? throw new InvalidOperationException("Auth:Provider:ClientId is not set.");

    public Uri TokenEndpoint =>
        _tokenEndpoint ?? throw new InvalidOperationException("Auth:Provider:ClientId is not set.");

    /// <summary>Null when the provider has none that uses https.</summary>
    public Uri? UserInfoEndpoint { get; }

    /// <inheritdoc cref="UserInfoEndpoint"/>
    public Uri? IntrospectionEndpoint { get; }

    /// <summary>
    /// Clients can register themselves at the provider: by dynamic registration (RFC 7591) or a metadata document.
    /// </summary>
    public bool TakesNewClients =>
        _document.TryGetProperty("registration_endpoint", out _)
        || (
            _document.TryGetProperty("client_id_metadata_document_supported", out var yes)
            && yes.ValueKind is JsonValueKind.True
        );

    /// <summary>MCP clients require S256 in the metadata (MCP authorization).</summary>
    public bool SaysS256 =>
        _document.TryGetProperty("code_challenge_methods_supported", out var methods)
        && VerifiedToken.Texts(methods).Contains("S256");

    /// <summary>Whether authorization responses must have <c>iss</c> (RFC 9207 section 2.4).</summary>
    public bool NamesItself =>
        _document.TryGetProperty("authorization_response_iss_parameter_supported", out var named)
        && named.ValueKind is JsonValueKind.True;

    /// <summary>Whether the client secret is sent in the body; by default in the header.</summary>
    public bool TakesSecretInBody =>
        _document.TryGetProperty("token_endpoint_auth_methods_supported", out var methods)
        && VerifiedToken.Texts(methods).ToArray() is var all
        && all.Contains("client_secret_post")
        && !all.Contains("client_secret_basic");

    /// <summary>The document for clients, with the overrides of the settings.</summary>
    public JsonObject ToJson()
    {
        var json = JsonObject.Create(_document)!;
        if (IsOfAnother)
        {
            json["issuer"] = _options.Issuers[0];
            if (_options.TokenEndpoint is { Length: > 0 })
            {
                json.Remove("authorization_endpoint"); // it belongs to another version than the token endpoint
            }
        }

        foreach (var (name, address) in Configured(_options))
        {
            json[name] = address;
        }

        // The default would be code and implicit (OpenID Connect Discovery section 3). Entra omits the field and
        // supports these.
        if (!json.ContainsKey("grant_types_supported"))
        {
            json["grant_types_supported"] = new JsonArray("authorization_code", "refresh_token", "client_credentials");
        }

        return json;
    }

    /// <exception cref="FormatException">
    /// The document is invalid or of another issuer. The message is for the operator.
    /// </exception>
    public static ProviderMetadata Parse(byte[] utf8, ProviderOptions options)
    {
        try
        {
            var document = StrictJson.ParseObject(utf8);
            var issuer =
                document.TryGetProperty("issuer", out var named) && named.ValueKind is JsonValueKind.String
                    ? named.GetString()!
                    : "";
            if (options.Issuers.Count > 0)
            {
                return options.Issuers.Contains(issuer) || IssuerMismatch.IsHarmless(issuer, options)
                    ? new(document, options)
                    : throw new FormatException(IssuerMismatch.Explain(issuer, options));
            }

            return
                ProviderOptions.IsSafe(issuer) && !issuer.Contains(ProviderOptions.AnyTenant, StringComparison.Ordinal)
                ? new(document, options)
                : throw new FormatException(
                    $"The discovery document {options.Discovery} has the issuer '{issuer}', which issues no tokens. "
                        + "Set OAUTH2_ISSUER (Auth:Provider:Issuer), and Auth:Provider:Tenants for several Entra "
                        + "tenants."
                );
        }
        catch (FormatException wrong) when (!wrong.Message.EndsWith('.'))
        {
            throw new FormatException($"The discovery document {options.Discovery} {wrong.Message}.");
        }
    }

    /// <summary>Metadata from the settings, without a discovery document.</summary>
    public static ProviderMetadata Of(ProviderOptions options)
    {
        var document = new JsonObject { ["issuer"] = options.Issuers[0] };
        foreach (var (name, address) in Configured(options))
        {
            document[name] = address;
        }

        return new(JsonElement.Parse(document.ToJsonString()), options);
    }

    private static IEnumerable<(string Name, string Address)> Configured(ProviderOptions options) =>
        new[]
        {
            ("authorization_endpoint", options.AuthorizationEndpoint),
            ("token_endpoint", options.TokenEndpoint),
            ("introspection_endpoint", options.IntrospectionEndpoint),
            ("jwks_uri", options.JwksUri),
        }
            .Where(row => row.Item2 is { Length: > 0 })
            .Select(row => (row.Item1, row.Item2!));

    private Uri? Optional(string name, string? configured) =>
        (configured is { Length: > 0 } ? configured : Text(name)) is { } address && ProviderOptions.IsSafe(address)
            ? new(address)
            : null;

    private string? Text(string name) =>
        _document.TryGetProperty(name, out var found) && found.ValueKind is JsonValueKind.String
            ? found.GetString()
            : null;

    private Uri Address(string name, string? configured)
    {
        var address = configured is { Length: > 0 }
            ? configured
            : Text(name) ?? throw new FormatException($"The discovery document {_discovery} has no {name}.");
        return ProviderOptions.IsSafe(address)
            ? new(address)
            : throw new FormatException($"The discovery document {_discovery} has a {name} that is not https.");
    }
}
