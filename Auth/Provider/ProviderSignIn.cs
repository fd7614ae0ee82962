using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Server;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Configuration;

namespace MinimalMcp.Auth.Provider;

/// <summary>
/// People sign in at the provider, and the tokens that clients get are ours. To the provider this server is one client: it never sees who asks, nor the
/// <c>resource</c> that MCP clients send, which Entra refuses (AADSTS9010010); of what it answers nothing is kept but who it was.
/// </summary>
internal sealed class ProviderSignIn(IOptions<ProviderOptions> options, ProviderDocuments documents, CodeExchange exchange, IServiceProvider services, TimeProvider time, ILogger<ProviderSignIn> logger) : ISignIn
{
    public const string CallbackPath = "/auth/callback";
    private const int MaxCode = 8 * 1024;

    private readonly ProviderOptions _options = options.Value;
    private readonly StateSecrets _secrets = new(options.Value.ClientSecret);
    private readonly AllowedPeople _allowed = new(options.Value);
    private readonly TokenRules _rules = new()
    {
        Issuers = options.Value.TokenIssuers,
        Audiences = new HashSet<string>(StringComparer.Ordinal) { options.Value.ClientId! },
        Algorithms = ProviderOptions.List(options.Value.Algorithms).ToHashSet(StringComparer.Ordinal),
        Types = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "JWT" },
    };

    public string Name => _options.Name is { Length: > 0 } name ? name : (_options.Issuers is [var issuer, ..] ? new Uri(issuer) : _options.Discovery!).Host;

    private string RedirectUri => PublicUrl.Fixed(services) + CallbackPath;

    public async ValueTask<string> OriginAsync(CancellationToken cancellationToken) => (await MetadataAsync(cancellationToken)).AuthorizationEndpoint.GetLeftPart(UriPartial.Authority);

    public async ValueTask<Uri> StartAsync(string state, CancellationToken cancellationToken) => new(QueryHelpers.AddQueryString(
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
        }));

    public async ValueTask<SignedIn> FinishAsync(string state, IQueryCollection answer, CancellationToken cancellationToken)
    {
        var metadata = await MetadataAsync(cancellationToken);
        var code = Code(answer, metadata, await documents.TokenIssuersAsync(cancellationToken));
        try
        {
            var person = await VerifyAsync(await exchange.RedeemAsync(metadata, code, RedirectUri, _secrets.Verifier(state), Name, cancellationToken), _secrets.Nonce(state), cancellationToken);
            if (!_allowed.Include(person))
            {
                ProviderLog.NotAllowed(logger, person.Subject!, person.Text("oid") ?? "none", AllowedPeople.Email(person) ?? "none");
                throw new SignInException($"You are signed in at {Name}, but this account may not use this server. Ask its operator to let you in.");
            }

            return AllowedPeople.Describe(person, Subjects.Of(person.Issuer, person.Subject!));
        }
        catch (TokenRefusedException wrong)
        {
            ProviderLog.SignInFailed(logger, wrong.Message);
            throw new SignInException($"What {Name} said about you could not be verified. {wrong.Message}", wrong);
        }
        catch (HttpRequestException gone)
        {
            throw Unreachable(gone);
        }
    }

    // RFC 6749 section 4.1.2; and RFC 9207: an answer in the name of another provider is not an answer to us.
    private string Code(IQueryCollection answer, ProviderMetadata metadata, IReadOnlySet<string> issuers)
    {
        var iss = answer["iss"];
        if (answer.Any(member => member.Value.Count > 1) || (iss.Count == 0 ? metadata.NamesItself : !issuers.Contains(iss.ToString())))
        {
            throw new SignInException($"The answer is not one of {Name}. Start again.");
        }

        if (answer.TryGetValue("error", out var error))
        {
            var refused = ProviderError.Of(Name, error.ToString(), answer["error_description"]);
            ProviderLog.SignInFailed(logger, refused.Message);
            throw refused;
        }

        return answer["code"].ToString() is { Length: > 0 and <= MaxCode } code ? code : throw new SignInException($"{Name} sent no code. Start again.");
    }

    // OpenID Connect Core section 3.1.3.7.
    private async Task<VerifiedToken> VerifyAsync(string idToken, string nonce, CancellationToken cancellationToken)
    {
        var rules = _rules with { Issuers = await documents.TokenIssuersAsync(cancellationToken) };
        var signed = SignedToken.Parse(idToken, rules);
        var token = Jwt.Verify(signed, await documents.KeyAsync(signed.KeyId, signed.Algorithm, cancellationToken), rules, time.GetUtcNow());
        var azp = token.Text("azp");
        if (token.Text("nonce") != nonce)
        {
            throw SignedToken.Refuse("is of another sign-in (nonce)");
        }

        if (azp is null ? token.Audiences.Count() > 1 : azp != _options.ClientId)
        {
            throw SignedToken.Refuse("was given to another client (azp)");
        }

        if (_options.IsMultiTenant && !(token.Text("tid") is { Length: > 0 } tenant && token.Issuer.Contains(tenant, StringComparison.Ordinal)))
        {
            throw SignedToken.Refuse("is of a tenant that is not one of ours (tid)");
        }

        return token.Subject is { Length: > 0 } ? token : throw SignedToken.Refuse("does not say who it is (sub)");
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

    private SignInException Unreachable(HttpRequestException gone)
    {
        ProviderLog.SignInFailed(logger, gone.Message);
        return new($"{Name} cannot be reached now. Try again in a minute.", gone);
    }
}
