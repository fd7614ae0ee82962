using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Tokens;

namespace MinimalMcp.Auth.Provider;

/// <summary>
/// Introspects opaque tokens at the provider with this server's client id and secret (RFC 7662). Concurrency is bounded
/// as for every outgoing request; further requests are answered with 503.
/// </summary>
internal sealed class Introspection(
    IOptions<ProviderOptions> options,
    ProviderDocuments documents,
    IHttpClientFactory http,
    TimeProvider time,
    ILogger<Introspection> logger
)
{
    // The assumed lifetime of a token when the response has no exp.
    private static readonly TimeSpan Assumed = TimeSpan.FromMinutes(1);

    private readonly ProviderOptions _options = options.Value;
    private long _said;

    /// <summary>The client credentials for introspection are configured.</summary>
    public bool IsOn { get; } = options.Value is { ClientId.Length: > 0, ClientSecret.Length: > 0 };

    /// <exception cref="TokenRefusedException">The token is invalid or not for this server.</exception>
    /// <exception cref="HttpRequestException">The provider is unavailable.</exception>
    public async Task<VerifiedToken> CheckAsync(
        string token,
        TokenValidationRules rules,
        CancellationToken cancellationToken
    )
    {
        var metadata = await documents.MetadataAsync(cancellationToken);
        var endpoint = metadata.IntrospectionEndpoint
            ?? throw new TokenRefusedException(
                "The token is not a JWT, and the identity provider's metadata has no introspection endpoint."
            )
            {
                Detail = "set Auth:Provider:IntrospectionEndpoint, or configure the provider to issue JWTs",
            };
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoint);
        Dictionary<string, string> form = new() { ["token"] = token, ["token_type_hint"] = "access_token" };
        CodeExchange.Authenticate(request, form, _options, metadata.TakesSecretInBody);
        using var client = http.CreateClient(CodeExchange.Client);
        using var answer = await client.SendAsync(request, cancellationToken);
        if (answer.StatusCode is not HttpStatusCode.OK)
        {
            var cure = answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
                ? " Check OAUTH2_CLIENT_ID and OAUTH2_CLIENT_SECRET, and that the client may introspect tokens."
                : "";
            throw Failed($"returned status {(int)answer.StatusCode}.{cure}");
        }

        return Read(await answer.Content.ReadAsByteArrayAsync(cancellationToken), rules);
    }

    private VerifiedToken Read(byte[] body, TokenValidationRules rules)
    {
        JsonElement said;
        try
        {
            said = StrictJson.ParseObject(body);
        }
        catch (FormatException wrong)
        {
            throw Failed($"returned a response that {wrong.Message}.");
        }

        if (!(said.TryGetProperty("active", out var active) && active.ValueKind is JsonValueKind.True))
        {
            throw new TokenRefusedException(
                "The token has expired, was revoked, or was not issued by the identity " + "provider."
            );
        }

        // Refresh tokens are active too; providers distinguish them in one of two ways.
        if (Differs(said, "token_type", "Bearer") || Differs(said, "token_use", "access_token"))
        {
            throw new TokenRefusedException("The token is not a bearer access token.");
        }

        var claims = JsonObject.Create(said)!;
        claims.TryAdd("iss", _options.Issuers[0]); // the introspecting provider is the issuer
        claims.TryAdd("exp", (time.GetUtcNow() + Assumed).ToUnixTimeSeconds());
        return Jwt.Check(JsonElement.Parse(claims.ToJsonString()), null, rules, time.GetUtcNow());
    }

    // At most one log line per half minute.
    private HttpRequestException Failed(string what)
    {
        var sentence = "Its introspection endpoint " + what;
        var last = Volatile.Read(ref _said);
        if (
            (last == 0 || time.GetElapsedTime(last) >= ProviderUnavailable.RetryAfter)
            && Interlocked.CompareExchange(ref _said, time.GetTimestamp(), last) == last
        )
        {
            ProviderLog.FetchFailed(logger, sentence);
        }

        return ProviderUnavailable.Because(sentence);
    }

    private static bool Differs(JsonElement said, string name, string expected) =>
        said.TryGetProperty(name, out var value)
        && value.ValueKind is JsonValueKind.String
        && !expected.Equals(value.GetString(), StringComparison.OrdinalIgnoreCase);
}
