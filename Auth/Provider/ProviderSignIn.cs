using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Diagnostics;
using MinimalMcp.Auth.Server;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Configuration;

namespace MinimalMcp.Auth.Provider;

/// <summary>
/// Signs users in at the provider, while this server issues the tokens. To the provider this server is a single client:
/// it never sees the MCP client, nor the <c>resource</c> parameter of MCP clients, which Entra refuses (AADSTS9010010).
/// Only the user's identity is kept of its response.
/// </summary>
internal sealed class ProviderSignIn(
    IOptions<ProviderOptions> options,
    ProviderDocuments documents,
    CodeExchange exchange,
    UserInfo userInfo,
    IServiceProvider services,
    TimeProvider time,
    ILogger<ProviderSignIn> logger
) : IExternalSignIn
{
    public const string CallbackPath = "/auth/callback";
    private const int MaxCode = 8 * 1024;

    private readonly ProviderOptions _options = options.Value;
    private readonly StateSecrets _secrets = new(options.Value.ClientSecret);
    private readonly UserAllowList _allowed = new(options.Value);
    private readonly TokenValidationRules _rules = new()
    {
        Issuers = options.Value.TokenIssuers,
        Audiences = new HashSet<string>(StringComparer.Ordinal) { options.Value.ClientId! },
        Algorithms = ProviderOptions.List(options.Value.Algorithms).ToHashSet(StringComparer.Ordinal),
        Types = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "JWT" },
    };

    public string Name =>
        _options.Name is { Length: > 0 } name
            ? name
            : (_options.Issuers is [var issuer, ..] ? new Uri(issuer) : _options.Discovery!).Host;

    private string RedirectUri => PublicUrl.Fixed(services) + CallbackPath;

    public async ValueTask<string> OriginAsync(CancellationToken cancellationToken) =>
        (await MetadataAsync(cancellationToken)).AuthorizationEndpoint.GetLeftPart(UriPartial.Authority);

    public async ValueTask<Uri> StartAsync(string state, CancellationToken cancellationToken) =>
        new(
            QueryHelpers.AddQueryString(
                (await MetadataAsync(cancellationToken)).AuthorizationEndpoint.AbsoluteUri,
                new Dictionary<string, string?>
                {
                    ["response_type"] = "code",
                    ["client_id"] = _options.ClientId,
                    ["redirect_uri"] = RedirectUri,
                    ["scope"] = "openid profile email",
                    ["state"] = state,
                    ["nonce"] = _secrets.Nonce(state),
                    ["code_challenge"] = _secrets.Challenge(state),
                    ["code_challenge_method"] = "S256",
                }
            )
        );

    public async ValueTask<ExternalUser> FinishAsync(
        string state,
        IQueryCollection answer,
        CancellationToken cancellationToken
    )
    {
        var metadata = await MetadataAsync(cancellationToken);
        var code = Code(answer, metadata, await documents.TokenIssuersAsync(cancellationToken));
        try
        {
            var (idToken, accessToken) = await exchange.RedeemAsync(
                metadata,
                code,
                RedirectUri,
                _secrets.Verifier(state),
                Name,
                cancellationToken
            );
            var person = await VerifyAsync(idToken, _secrets.Nonce(state), cancellationToken);
            (person, var unread) = await CompleteAsync(person, metadata, accessToken, cancellationToken);
            if (!_allowed.Include(person))
            {
                throw unread is null ? NotAllowed(person) : Unreachable(unread);
            }

            return _allowed.Describe(person, Subjects.Of(person.Issuer, person.Subject!));
        }
        catch (TokenRefusedException wrong)
        {
            var message = $"The response of {Name} could not be verified. {wrong.Message}";
            throw new SignInException(message, wrong)
            {
                Reason = wrong.Detail is { } detail ? $"{message} ({detail})" : message,
            };
        }
        catch (HttpRequestException gone)
        {
            throw Unreachable(gone);
        }
    }

    // RFC 6749 section 4.1.2. RFC 9207: a response that names another issuer is not for us.
    private string Code(IQueryCollection answer, ProviderMetadata metadata, IReadOnlySet<string> issuers)
    {
        var iss = answer["iss"];
        if (
            answer.Any(member => member.Value.Count > 1)
            || (iss.Count == 0 ? metadata.NamesItself : !issuers.Contains(iss.ToString()))
        )
        {
            throw new SignInException($"The response was not issued by {Name}. Start again.");
        }

        if (answer.TryGetValue("error", out var error))
        {
            throw ProviderError.Of(Name, error.ToString(), answer["error_description"]);
        }

        return answer["code"].ToString() is { Length: > 0 and <= MaxCode } code
            ? code
            : throw new SignInException($"{Name} returned no code. Start again.");
    }

    // Adds missing claims from UserInfo; and reports why it could not be read when nobody can be admitted without it.
    private async Task<(VerifiedToken Person, HttpRequestException? Unread)> CompleteAsync(
        VerifiedToken person,
        ProviderMetadata metadata,
        string? accessToken,
        CancellationToken cancellationToken
    )
    {
        if (accessToken is null || metadata.UserInfoEndpoint is not { } endpoint || !_allowed.Misses(person))
        {
            return (person, null);
        }

        try
        {
            return (await userInfo.AddToAsync(person, endpoint, accessToken, cancellationToken), null);
        }
        catch (HttpRequestException gone)
        {
            ProviderLog.NoUserInfo(logger, gone.Message);
            return (person, gone);
        }
    }

    private SignInException NotAllowed(VerifiedToken person) =>
        new($"You are signed in at {Name}, but your account may not use this server. Ask the operator for access.")
        {
            Reason =
                "the account matches none of Auth:Provider:AllowedUsers, AllowedDomains and AllowedRoles; subject "
                + $"{Said(person.Subject)}, object id {Said(person.Text("oid"))}, name "
                + $"{Said(person.Text("name"))}, verified email {Said(UserAllowList.Email(person))}",
        };

    private static string Said(string? claim) => claim is null ? "none" : RedactedRequest.Text(claim, 200);

    // OpenID Connect Core section 3.1.3.7.
    private async Task<VerifiedToken> VerifyAsync(string idToken, string nonce, CancellationToken cancellationToken)
    {
        var rules = _rules with { Issuers = await documents.TokenIssuersAsync(cancellationToken) };
        var signed = SignedToken.Parse(idToken, rules);
        var token = Jwt.Verify(
            signed,
            await documents.KeyAsync(signed.KeyId, signed.Algorithm, cancellationToken),
            rules,
            time.GetUtcNow()
        );
        var azp = token.Text("azp");
        if (token.Text("nonce") != nonce)
        {
            throw SignedToken.Refuse("belongs to another sign-in (nonce)");
        }

        if (azp is null ? token.Audiences.Count() > 1 : azp != _options.ClientId)
        {
            throw SignedToken.Refuse("was issued to another client (azp)");
        }

        if (
            _options.IsMultiTenant
            && !(token.Text("tid") is { Length: > 0 } tenant && token.Issuer.Contains(tenant, StringComparison.Ordinal))
        )
        {
            throw SignedToken.Refuse("is of a tenant that is not allowed (tid)");
        }

        return token.Subject is { Length: > 0 } ? token : throw SignedToken.Refuse("has no subject (sub)");
    }

    private async ValueTask<ProviderMetadata> MetadataAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await documents.MetadataAsync(cancellationToken);
        }
        catch (HttpRequestException gone)
        {
            throw Unreachable(gone);
        }
    }

    private SignInException Unreachable(HttpRequestException gone) =>
        new($"{Name} is unavailable. Try again in a minute.", gone) { Reason = gone.Message };
}
