using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Provider;
using MinimalMcp.Auth.Server;
using MinimalMcp.Configuration;

namespace MinimalMcp.Auth.Operators;

/// <summary>
/// <c>/auth/sign-in</c>: an admin key, a user of this server with the scope mcp:admin, or a person of the identity
/// provider with an admin role (<c>Auth:Provider:AdminRoles</c>) opens a session. On the way to a page of callers
/// everybody else who can sign in does too.
/// </summary>
internal sealed partial class OperatorSignIn(
    OperatorSessions sessions,
    SignInCredentials credentials,
    IOperatorPages pages,
    IAuthorizationPages explanations,
    IOptions<AuthOptions> auth,
    IConfiguration configuration,
    IOptions<ProviderOptions> providerOptions,
    AuthAttempts attempts,
    ILogger<OperatorSignIn> log,
    IExternalSignIn? provider = null
)
{
    // Where people go who asked for no page.
    private const string Home = "console";
    private const string StatePrefix = "operator-";
    private const string StateCookie = "operator_state";

    private readonly bool _takesKeys = auth.Value.TakesKeys || AuthorizationServerSetup.IsOn(configuration);
    private readonly IExternalSignIn? _provider = providerOptions.Value.AdminRoles is { Length: > 0 } ? provider : null;

    /// <summary>Why callers cannot sign in on pages under the name that they call by; null when they can.</summary>
    public string? ProblemForCallers =>
        auth.Value.IsOff
            ? "Auth:Mode (MCP_AUTH_MODE) is none, where callers are not told apart. Set MCP_AUTH_MODE to another mode."
        : auth.Value.TakesTokens && !AuthorizationServerSetup.IsOn(configuration) && provider is null
            ? "Callers have tokens of the identity provider, and cannot sign in there from a page. Set "
                + "OAUTH2_CLIENT_ID and OAUTH2_CLIENT_SECRET to this server's registration at the identity provider, "
                + "and Auth:Provider:AdminRoles to the roles of operators."
        : (_takesKeys && credentials.AreThere) || credentials.HasUsers || provider is not null ? null
        : "Nobody can sign in. " + SignInCredentials.HowToAdd;

    /// <summary>Whether the provider's answer belongs to this sign-in, and not to that of a client.</summary>
    public static bool IsOwn(HttpContext http) =>
        http.Request.Query["state"].ToString().StartsWith(StatePrefix, StringComparison.Ordinal);

    public async Task GetAsync(HttpContext http)
    {
        if (auth.Value.IsOff)
        {
            AuthorizeEndpoint.SeeOther(http, "../" + ReturnOf(http.Request.Query["return"]));
            return;
        }

        await AskAsync(http, ReturnOf(http.Request.Query["return"]));
    }

    public async Task PostAsync(HttpContext http)
    {
        var form = SameOrigin.Is(http) ? await FormParameters.ReadAsync(http) : null;
        if (form is null || auth.Value.IsOff)
        {
            await NotOurPageAsync(http);
            return;
        }

        var to = ReturnOf(form["return"]);
        var isForCallers = IsForCallers(http, to);
        if (form["with"] is "provider" && (isForCallers ? provider : _provider) is { } at)
        {
            await StartAsync(http, at, to);
            return;
        }

        var (person, problem) =
            form["username"] is null && !(_takesKeys && credentials.AreThere)
                ? (null, "Enter your name and password.")
                : await credentials.CheckAsync(form["username"], form["password"] ?? "", http);
        if (person is not null && !isForCallers && !person.Scopes.Contains(Scopes.Admin))
        {
            attempts.Refuse(AuthAttempts.Forbidden, http.Connection.RemoteIpAddress, person.Subject);
            problem = $"{person.Subject} does not have the scope {Scopes.Admin}, which operators need.";
        }

        if (problem is not null)
        {
            await AskAsync(http, to, problem, StatusCodes.Status403Forbidden);
            return;
        }

        await OpenAsync(http, person!);
        AuthorizeEndpoint.SeeOther(http, "../" + to);
    }

    /// <summary>The identity provider's answer.</summary>
    public async Task FinishAsync(HttpContext http)
    {
        var state = http.Request.Query["state"].ToString();
        var kept = http.Request.Cookies[StateCookie]?.Split('|', 2);
        if (provider is null || kept is not [var own, var to] || !ReferenceTokens.Same(own, state))
        {
            await explanations.ExplainAsync(
                http,
                StatusCodes.Status403Forbidden,
                "This sign-in has expired",
                "It was already used, is older than ten minutes, or belongs to another browser. Open the page again."
            );
            return;
        }

        http.Response.Cookies.Delete(StateCookie, StateOptions());
        try
        {
            var person = await provider.FinishAsync(state, http.Request.Query, http.RequestAborted);
            if (!person.IsAdmin && !IsForCallers(http, ReturnOf(to)))
            {
                LogRefused($"{person.Subject} has none of the roles in Auth:Provider:AdminRoles");
                throw new SignInException(
                    $"You are signed in at {provider.Name}, but your account has no role of operators. "
                        + "The operator of this server sets them in Auth:Provider:AdminRoles."
                );
            }

            string[] scopes = person.IsAdmin ? [.. Scopes.Split(Scopes.All)] : [];
            await OpenAsync(http, new(person.Subject, scopes, null, person.Name, person.Email));
            await pages.ArriveAsync(http, "../" + ReturnOf(to));
        }
        catch (SignInException refused)
        {
            attempts.Refuse(AuthAttempts.ProviderRefused, http.Connection.RemoteIpAddress);
            LogRefused(refused.Reason);
            await explanations.ExplainAsync(
                http,
                StatusCodes.Status403Forbidden,
                "You are not signed in",
                refused.Message
            );
        }
    }

    public async Task EndAsync(HttpContext http)
    {
        if (!SameOrigin.Is(http))
        {
            await NotOurPageAsync(http);
            return;
        }

        if (!auth.Value.IsOff)
        {
            await sessions.EndAsync(http);
        }

        var to = http.Request.Query["return"].ToString();
        AuthorizeEndpoint.SeeOther(
            http,
            to.Length == 0 ? "sign-in" : $"sign-in?return={Uri.EscapeDataString(ReturnOf(to))}"
        );
    }

    private async Task StartAsync(HttpContext http, IExternalSignIn at, string to)
    {
        var state = StatePrefix + ReferenceTokens.New();
        http.Response.Cookies.Append(StateCookie, $"{state}|{to}", StateOptions());
        AuthorizeEndpoint.SeeOther(http, (await at.StartAsync(state, http.RequestAborted)).AbsoluteUri);
    }

    // The provider's redirect comes from another site: Lax cookies are sent with it, Strict ones are not.
    private CookieOptions StateOptions() =>
        new()
        {
            HttpOnly = true,
            Secure = OperatorSetup.IsHttps(configuration),
            SameSite = SameSiteMode.Lax,
            MaxAge = TimeSpan.FromMinutes(10),
            Path = "/",
        };

    private async Task OpenAsync(HttpContext http, SignedInUser person)
    {
        await sessions.OpenAsync(http, person);
        attempts.SignIn(person.Subject, null, person.Name, http.Connection.RemoteIpAddress);
        LogSignedIn(person.Described, CallerAddress.Of(http));
    }

    private async Task AskAsync(
        HttpContext http,
        string to,
        string? problem = null,
        int status = StatusCodes.Status200OK
    )
    {
        var takesKeys = _takesKeys && credentials.AreThere;
        var isForCallers = IsForCallers(http, to);
        var at = isForCallers ? provider : _provider;
        string? origin = null;
        try
        {
            origin = at is null ? null : await at.OriginAsync(http.RequestAborted);
        }
        catch (SignInException gone)
        {
            problem ??= gone.Message;
        }

        var missing =
            takesKeys || credentials.HasUsers || at is not null ? null
            : auth.Value.TakesTokens && !AuthorizationServerSetup.IsOn(configuration)
                ? "Set OAUTH2_CLIENT_ID and OAUTH2_CLIENT_SECRET to this server's registration at the identity "
                    + "provider, and Auth:Provider:AdminRoles to the roles of operators."
            : "Set MCP_API_KEY to the output of `openssl rand -hex 32` and restart the server. Or set "
                + "Auth:Provider:AdminRoles to the roles of operators at the identity provider.";
        await pages.AskAsync(
            http,
            new(to, origin is null ? null : at!.Name, origin, takesKeys, credentials.HasUsers, missing, problem)
            {
                IsForCallers = isForCallers,
            },
            status
        );
    }

    private Task NotOurPageAsync(HttpContext http) =>
        explanations.ExplainAsync(
            http,
            StatusCodes.Status403Forbidden,
            "Form not accepted",
            "The form was not sent from this server's own page. Nothing was changed."
        );

    // A page of ours, from our root: anything else could lead people to another site after they signed in.
    private static string ReturnOf(string? asked) =>
        asked is { Length: < 500 } && OwnPage().IsMatch(asked) && !asked.Contains("..", StringComparison.Ordinal)
            ? asked
            : Home;

    private static bool IsForCallers(HttpContext http, string page) =>
        http
            .RequestServices.GetRequiredService<EndpointDataSource>()
            .Endpoints.OfType<RouteEndpoint>()
            .Any(endpoint =>
                endpoint.Metadata.GetMetadata<OperatorRoute>() is { IsForCallers: true }
                && endpoint.RoutePattern.RawText?.Trim('/') == page.Split('?')[0]
            );

    [GeneratedRegex(@"\A[a-z0-9][A-Za-z0-9_/.~-]*(\?[A-Za-z0-9_/.~%=&-]*)?\z")]
    private static partial Regex OwnPage();

    [LoggerMessage(LogLevel.Information, "Operator signed in {Operator} {Address}")]
    private partial void LogSignedIn(string @operator, System.Net.IPAddress address);

    [LoggerMessage(LogLevel.Warning, "Sign-in of an operator refused {Reason}")]
    private partial void LogRefused(string reason);
}
