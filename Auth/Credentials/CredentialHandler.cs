using System.Globalization;
using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Operators;
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
    RefusedCredentialLog refused,
    IConfiguration configuration
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
        if (Context.GetEndpoint()?.Metadata.GetMetadata<OperatorRoute>() is { } route)
        {
            caller = await OperatorAsync(route, caller);
        }

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
        if (_refusal is null && IsPageVisit())
        {
            Response.StatusCode = StatusCodes.Status303SeeOther;
            Response.Headers.Location = SignInAddress();
            return;
        }

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

    private async Task<ClaimsPrincipal?> OperatorAsync(OperatorRoute route, ClaimsPrincipal? caller)
    {
        // Without authentication pages are open on this machine only; a reverse proxy would expose them.
        if (auth.Value.IsOff && route.IsPage && !IsLocal())
        {
            const string Local = "Without authentication this page is available on loopback only.";
            _refusal = new(StatusCodes.Status403Forbidden, Local);
            return null;
        }

        if (caller is not null || _refusal is not null || !HasSession())
        {
            return caller;
        }

        if (
            !HttpMethods.IsGet(Request.Method)
            && !HttpMethods.IsHead(Request.Method)
            && !(SameOrigin.Is(Context) && SameOrigin.IsSaid(Context))
        )
        {
            const string Foreign = "Send the request from this server's own page, not from a page of another origin.";
            _refusal = new(StatusCodes.Status403Forbidden, Foreign);
            return null;
        }

        var person = (await Context.AuthenticateAsync(OperatorSessions.Scheme)).Principal;
        return person is null || route.IsForCallers || OperatorSessions.IsOperator(person) ? person : null;
    }

    private bool HasSession() => Request.Cookies.ContainsKey(OperatorSetup.CookieName(configuration));

    private bool IsLocal() =>
        (Context.Connection.RemoteIpAddress is not { } peer || IPAddress.IsLoopback(peer))
        && (
            Request.Host.Host is "localhost"
            || (IPAddress.TryParse(Request.Host.Host.Trim('[', ']'), out var host) && IPAddress.IsLoopback(host))
        )
        && !Request.Headers.Keys.Any(name =>
            name.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase)
            || name.Equals("Forwarded", StringComparison.OrdinalIgnoreCase)
        );

    private bool IsPageVisit() =>
        !auth.Value.IsOff
        && Context.GetEndpoint()?.Metadata.GetMetadata<OperatorRoute>() is { IsPage: true } route
        // A form of a page of callers is sent to the page itself.
        && (HttpMethods.IsGet(Request.Method) || HttpMethods.IsHead(Request.Method) || route.IsForCallers)
        && Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);

    // Relative, so that it works below any path of a proxy.
    private string SignInAddress()
    {
        var page = Request.Path.Value!.TrimStart('/');
        var up = string.Concat(Enumerable.Repeat("../", page.Count(letter => letter == '/')));
        return $"{up}auth/sign-in?return={Uri.EscapeDataString(page + Request.QueryString)}";
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
