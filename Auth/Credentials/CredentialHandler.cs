using System.Globalization;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Auth;

/// <summary>Our credentials as a scheme of the framework's authentication; see <see cref="AuthScheme"/>.</summary>
internal sealed class CredentialHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory logger,
    UrlEncoder encoder,
    IOptions<AuthOptions> auth,
    CredentialVerifier verifier,
    BearerChallenges challenges,
    RequestRateLimiter limit,
    RefusedCredentialLog refused
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    private CredentialRefusal? _refusal;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        // Nothing depends on a credential there, so none is looked at: nobody can try one out.
        if (Context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null)
        {
            return AuthenticateResult.NoResult();
        }

        (var caller, _refusal) = await verifier.VerifyAsync(Context);
        if (caller is not null)
        {
            Response.Headers.CacheControl = "no-store"; // the answer is this caller's own
            return AuthenticateResult.Success(new(caller, Scheme.Name));
        }

        return _refusal is null ? AuthenticateResult.NoResult() : AuthenticateResult.Fail(_refusal.Why);
    }

    /// <summary>There is no credential, or it opens nothing.</summary>
    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (_refusal is { Status: StatusCodes.Status429TooManyRequests, RetryAfter: { } wait })
        {
            await RequestRateLimiter.RefuseAsync(Context, wait, _refusal.Why);
            return;
        }

        if (_refusal is { IsLogged: false })
        {
            refused.Write(Context, _refusal.Why);
        }

        Context.Explain(_refusal?.Why ?? "It came without a credential.");
        if (limit.Refusal(Context) is { } tooMany)
        {
            await tooMany;
            return;
        }

        var status = _refusal?.Status ?? StatusCodes.Status401Unauthorized;
        if (status is StatusCodes.Status401Unauthorized)
        {
            Response.Headers.WWWAuthenticate = challenges.SignIn(Context, _refusal?.Why);
        }
        else if (status is StatusCodes.Status400BadRequest)
        {
            Response.Headers.WWWAuthenticate = challenges.Malformed(Context, _refusal!.Why);
        }
        else if (_refusal?.RetryAfter is { } later)
        {
            Response.Headers.RetryAfter = ((int)later.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }

        await Results
            .Problem(statusCode: status, title: TitleOf(status), detail: _refusal?.Why ?? HowTo())
            .ExecuteAsync(Context);
    }

    /// <summary>The caller is known, and lacks what the route's policy asks for.</summary>
    protected override async Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        var scope = Context
            .GetEndpoint()
            ?.Metadata.GetOrderedMetadata<IAuthorizeData>()
            .Select(policy => policy.Policy ?? "")
            .Where(policy => Scopes.Level(policy) >= 0)
            .MaxBy(Scopes.Level);
        var why = scope is null
            ? "This route is not for this caller."
            : $"This route is for callers with the scope {scope}.";
        if (limit.Refusal(Context) is { } tooMany)
        {
            await tooMany;
            return;
        }

        var status = scope is null ? StatusCodes.Status403Forbidden : challenges.Mark(Context, scope, why);
        await Results.Problem(statusCode: status, title: "Forbidden", detail: why).ExecuteAsync(Context);
    }

    private static string TitleOf(int status) =>
        status switch
        {
            StatusCodes.Status400BadRequest => "Bad request",
            StatusCodes.Status403Forbidden => "Forbidden",
            StatusCodes.Status503ServiceUnavailable => "Not possible now",
            _ => "Unauthorized",
        };

    private string HowTo()
    {
        const string Key =
            "Send the key that the server's operator gave you as 'Authorization: Bearer KEY' or '"
            + CredentialVerifier.KeyHeader
            + ": KEY'.";
        const string SignIn = "Sign in: the header WWW-Authenticate says where, and an OAuth client does the rest.";
        return (auth.Value.TakesTokens, auth.Value.OffersKeys) switch
        {
            (true, true) => $"{SignIn} Or: {Key}",
            (true, false) => SignIn,
            _ => Key,
        };
    }
}
