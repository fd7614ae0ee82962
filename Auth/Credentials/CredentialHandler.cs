using System.Globalization;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;
using MinimalMcp.Configuration;

namespace MinimalMcp.Auth;

/// <summary>Authenticates requests by our credentials; see <see cref="AuthScheme"/>.</summary>
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
        // Anonymous routes ignore credentials, so that nobody can test one there.
        if (Context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null)
        {
            return AuthenticateResult.NoResult();
        }

        (var caller, _refusal) = await verifier.VerifyAsync(Context);
        if (caller is not null)
        {
            Response.Headers.CacheControl = "no-store"; // the response is specific to this caller
            return AuthenticateResult.Success(new(caller, Scheme.Name));
        }

        return _refusal is null ? AuthenticateResult.NoResult() : AuthenticateResult.Fail(_refusal.Why);
    }

    /// <summary>No credential was sent, or it was refused.</summary>
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

        Context.Explain(_refusal?.Why ?? "The request had no credential.");
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

        await ApiErrors.Problem(Context, status, TitleOf(status), _refusal?.Why ?? HowTo()).ExecuteAsync(Context);
    }

    /// <summary>The caller is authenticated but lacks the scope that the route's policy requires.</summary>
    protected override async Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        var scope = Context
            .GetEndpoint()
            ?.Metadata.GetOrderedMetadata<IAuthorizeData>()
            .Select(policy => policy.Policy ?? "")
            .Where(policy => Scopes.Level(policy) >= 0)
            .MaxBy(Scopes.Level);
        var why = scope is null ? "This caller may not use this route." : $"This route requires the scope {scope}.";
        if (limit.Refusal(Context) is { } tooMany)
        {
            await tooMany;
            return;
        }

        var status = scope is null ? StatusCodes.Status403Forbidden : challenges.Mark(Context, scope, why);
        await ApiErrors.Problem(Context, status, "Forbidden", why).ExecuteAsync(Context);
    }

    private static string TitleOf(int status) =>
        status switch
        {
            StatusCodes.Status400BadRequest => "Bad request",
            StatusCodes.Status403Forbidden => "Forbidden",
            StatusCodes.Status503ServiceUnavailable => "Service unavailable",
            _ => "Unauthorized",
        };

    private string HowTo()
    {
        const string Key =
            "Send the key that the server's operator gave you as 'Authorization: Bearer KEY' or '"
            + CredentialVerifier.KeyHeader
            + ": KEY'.";
        const string SignIn = "Sign in with OAuth: the WWW-Authenticate header names the authorization server.";
        return (auth.Value.TakesTokens, auth.Value.OffersKeys) switch
        {
            (true, true) => $"{SignIn} Or: {Key}",
            (true, false) => SignIn,
            _ => Key,
        };
    }
}
