using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Configuration;

namespace MinimalMcp.Auth.Provider;

/// <summary>The provider's discovery document and keys, as far as they are available.</summary>
internal sealed class ProviderDocuments : IAuthorizationServerMetadata, IDisposable
{
    private const int MaxBytes = 256 * 1024;

    private readonly ProviderOptions _options;
    private readonly SafeFetch _fetch = new(UrlSource.Operator);
    private readonly CachedDocument<ProviderMetadata>? _metadata;
    private readonly CachedDocument<JsonWebKeySet> _keys;
    private readonly ILogger _logger;

    public ProviderDocuments(IOptions<ProviderOptions> options, TimeProvider time, ILogger<ProviderDocuments> logger)
    {
        (_options, _logger) = (options.Value, logger);
        if (_options.Discovery is { } discovery)
        {
            _metadata = new(
                stop => _fetch.GetAsync(discovery, MaxBytes, stop),
                bytes => ProviderMetadata.Parse(bytes, _options),
                time,
                sentence => ProviderLog.FetchFailed(logger, sentence)
            );
        }

        _keys = new(
            async stop =>
                await _fetch.GetAsync(
                    _options.JwksUri is { Length: > 0 } own ? new(own) : (await MetadataAsync(stop)).JwksUri,
                    MaxBytes,
                    stop
                ),
            bytes =>
                JsonWebKeySet.Parse(bytes) is { Count: > 0 } some
                    ? some
                    : throw new FormatException("The key set has no usable signature key."),
            time,
            sentence => ProviderLog.FetchFailed(logger, sentence)
        );
    }

    /// <summary>Empty when only the discovery document names it and that is unavailable.</summary>
    public string Issuer => _options.Issuers is [var issuer, ..] ? issuer : Known()?.Issuer ?? "";

    /// <summary>The cached keys. Tokens that were verified with others must be verified again.</summary>
    public JsonWebKeySet? Keys => _keys.Current;

    public async ValueTask<JsonObject> DocumentAsync(CancellationToken cancellationToken) =>
        (await MetadataAsync(cancellationToken)).ToJson();

    /// <summary>The issuers that tokens may name.</summary>
    /// <exception cref="HttpRequestException">
    /// The issuer is only in the discovery document, and the provider is unavailable.
    /// </exception>
    public async ValueTask<IReadOnlySet<string>> TokenIssuersAsync(CancellationToken cancellationToken) =>
        _options.Issuers.Count > 0
            ? _options.TokenIssuers
            : new HashSet<string>(StringComparer.Ordinal) { (await MetadataAsync(cancellationToken)).Issuer };

    /// <exception cref="HttpRequestException">The provider cannot be asked now.</exception>
    public async ValueTask<ProviderMetadata> MetadataAsync(CancellationToken cancellationToken) =>
        _metadata is null
            ? ProviderMetadata.Of(_options)
            : await _metadata.GetAsync(cancellationToken)
                ?? throw ProviderUnavailable.Because("The identity provider's discovery document is unavailable.");

    /// <summary>
    /// Finds the key of a token. An unknown one may be new, so the keys are fetched again before the token is refused.
    /// While they cannot be fetched the response is 503, because clients discard tokens that get 401.
    /// </summary>
    /// <exception cref="HttpRequestException">The provider is unavailable, and the token may be valid.</exception>
    public async ValueTask<SignatureKey> KeyAsync(string? kid, string algorithm, CancellationToken cancellationToken)
    {
        var keys = await _keys.GetAsync(cancellationToken);
        return keys?.Find(kid, algorithm)
            ?? (
                await _keys.GetNewerAsync(cancellationToken)
                ?? throw ProviderUnavailable.Because(
                    "The identity provider's keys are unavailable, so the token cannot be verified."
                )
            ).Find(kid, algorithm)
            ?? throw Jwt.UnknownKey();
    }

    /// <summary>
    /// Compares the discovery document with the settings at the start, since a wrong issuer would refuse every token. A
    /// provider that is down does not prevent the start: tokens are answered with 503 until its keys arrive.
    /// </summary>
    /// <exception cref="StartupException">The document is invalid or of another issuer.</exception>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        if (
            _metadata is not null
            && await _metadata.GetAsync(cancellationToken) is null
            && _metadata.Failure is FormatException wrong
        )
        {
            throw new StartupException(wrong.Message);
        }

        if (_metadata?.Current is { IsOfAnother: true } other)
        {
            ProviderLog.DocumentOfAnother(_logger, _options.Discovery!, other.Issuer, _options.Issuers[0]);
        }

        _ = _keys.GetAsync(CancellationToken.None).AsTask(); // so that they are cached before the first call
    }

    /// <summary>Why MCP clients cannot register themselves at the provider; null when they can.</summary>
    public string? LacksForNewClients() =>
        _metadata?.Current is not { } metadata
            ? null
            : (metadata.TakesNewClients, metadata.SaysS256) switch
            {
                (true, true) => null,
                (false, true) => "neither a registration_endpoint nor client metadata documents",
                (true, false) => "no S256 in code_challenge_methods_supported",
                _ => "neither a registration_endpoint nor client metadata documents, and no S256",
            };

    public void Dispose() => _fetch.Dispose();

    // A request for a missing document starts fetching it.
    private ProviderMetadata? Known()
    {
        if (_metadata is { Current: null })
        {
            _ = _metadata.GetAsync(CancellationToken.None).AsTask();
        }

        return _metadata?.Current;
    }
}
