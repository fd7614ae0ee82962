using System.Security.Claims;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Tokens;

namespace MinimalMcp.Auth.Provider;

/// <summary>Verifies access tokens that the provider issued for this server.</summary>
internal sealed class ProviderTokenVerifier(
    IOptions<ProviderOptions> options,
    ProviderDocuments documents,
    TimeProvider time,
    Introspection? introspection = null
) : IAccessTokenVerifier
{
    // The issuers may be known only after the discovery document was fetched.
    private readonly TokenValidationRules _rules = new()
    {
        Issuers = options.Value.TokenIssuers,
        Audiences = ProviderOptions.List(options.Value.Audience).ToHashSet(StringComparer.Ordinal),
        Algorithms = ProviderOptions.List(options.Value.Algorithms).ToHashSet(StringComparer.Ordinal),
    };

    private readonly ProviderCallerMapper _callers = new(options.Value);
    private readonly VerifiedTokenCache _seen = new(time);

    // The cache key of introspected tokens.
    private readonly object _asked = new();

    public ValueTask<ClaimsPrincipal> CheckAsync(string token, CancellationToken cancellationToken)
    {
        if (token.Length > _rules.MaxLength)
        {
            SignedToken.Parse(token, _rules); // reports the error; hashing it would be wasted work
        }

        return Known(token) is { } caller ? new(caller) : CheckNewAsync(token, cancellationToken);
    }

    // An introspected token may have been revoked since.
    public ValueTask<ClaimsPrincipal> CheckAgainAsync(string token, CancellationToken cancellationToken) =>
        IsOpaque(token) ? CheckNewAsync(token, cancellationToken) : CheckAsync(token, cancellationToken);

    // Tokens that were verified with replaced keys must be verified again.
    public ClaimsPrincipal? Known(string token) =>
        token.Length > _rules.MaxLength ? null
        : IsOpaque(token) ? _seen.Find(token, _asked)
        : documents.Keys is { } keys ? _seen.Find(token, keys)
        : null;

    // A JWT has three parts, the first a JSON object. An encrypted one has five, and only its issuer can read it.
    private bool IsOpaque(string token) =>
        introspection is { IsOn: true }
        && !(token.StartsWith("eyJ", StringComparison.Ordinal) && token.AsSpan().Count('.') == 2);

    private ValueTask<ClaimsPrincipal> CheckNewAsync(string token, CancellationToken cancellationToken) =>
        IsOpaque(token) ? IntrospectAsync(token, cancellationToken) : VerifyAsync(token, cancellationToken);

    private async ValueTask<ClaimsPrincipal> IntrospectAsync(string token, CancellationToken cancellationToken)
    {
        var round = _seen.Round;
        try
        {
            var verified = await introspection!.CheckAsync(token, _rules, cancellationToken);
            var caller = _callers.From(verified);
            _seen.Add(token, caller, verified.Expires, _asked, round);
            return caller;
        }
        catch (TokenRefusedException)
        {
            _seen.Remove(token); // also for concurrent requests
            throw;
        }
    }

    private async ValueTask<ClaimsPrincipal> VerifyAsync(string token, CancellationToken cancellationToken)
    {
        var rules =
            _rules.Issuers.Count > 0
                ? _rules
                : _rules with
                {
                    Issuers = await documents.TokenIssuersAsync(cancellationToken),
                };
        var signed = SignedToken.Parse(token, rules);
        var key = await documents.KeyAsync(signed.KeyId, signed.Algorithm, cancellationToken);
        var keys = documents.Keys;
        var verified = Jwt.Verify(signed, key, rules, time.GetUtcNow());
        var caller = _callers.From(verified);
        if (keys?.Find(signed.KeyId, signed.Algorithm) == key) // they may have changed meanwhile
        {
            _seen.Add(token, caller, verified.Expires, keys!, _seen.Round);
        }

        return caller;
    }
}
