using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Server;
using MinimalMcp.Configuration;

namespace MinimalMcp.Auth.Operators;

/// <summary>One sign-in in the browser for every page of operators, in every mode with authentication.</summary>
internal static class OperatorSetup
{
    // Cookies of sessions are read on routes with OperatorRoute only, by the handler of our own scheme.
    public static void Add(IServiceCollection services)
    {
        services.AddAuthenticationCore(schemes =>
            schemes.AddScheme<CookieAuthenticationHandler>(OperatorSessions.Scheme, null)
        );
        services
            .AddOptions<CookieAuthenticationOptions>(OperatorSessions.Scheme)
            .Configure<ServerKeys, IConfiguration, TimeProvider>(Configure);
        services.AddTransient<CookieAuthenticationHandler>();
        services.TryAddSingleton<ServerSecret>();
        services.TryAddSingleton<SignInCredentials>();
        services.AddSingleton<OperatorSessions>();
        services.AddSingleton<OperatorSignIn>();
    }

    /// <summary>The cookie of a session. Browsers accept a __Host- cookie over https only.</summary>
    public static string CookieName(IConfiguration configuration) =>
        IsHttps(configuration) ? "__Host-operator" : "operator";

    public static bool IsHttps(IConfiguration configuration) =>
        PublicUrl.Configured(configuration)?.StartsWith("https:", StringComparison.OrdinalIgnoreCase) is true;

    private static void Configure(
        CookieAuthenticationOptions options,
        ServerKeys keys,
        IConfiguration configuration,
        TimeProvider time
    )
    {
        options.Cookie.Name = CookieName(configuration);
        options.Cookie.HttpOnly = true;
        options.Cookie.SameSite = SameSiteMode.Strict;
        options.Cookie.Path = "/";
        options.Cookie.SecurePolicy = IsHttps(configuration)
            ? CookieSecurePolicy.Always
            : CookieSecurePolicy.SameAsRequest;
        options.CookieManager = new ChunkingCookieManager();
        options.ExpireTimeSpan = OperatorSessions.Idle;
        options.SlidingExpiration = true;
        options.TicketDataFormat = new SealedTickets(keys);
        options.TimeProvider = time;
        options.Events.OnValidatePrincipal = session =>
            session.HttpContext.RequestServices.GetRequiredService<OperatorSessions>().ValidateAsync(session);
    }

    public static void Map(RouteGroupBuilder group)
    {
        group.MapGet("/sign-in", OAuthResponses.Page(http => The(http).GetAsync(http)));
        group.MapPost("/sign-in", OAuthResponses.Page(http => The(http).PostAsync(http)));
        group.MapPost("/sign-out", OAuthResponses.Page(http => The(http).EndAsync(http)));
    }

    private static OperatorSignIn The(HttpContext http) => http.RequestServices.GetRequiredService<OperatorSignIn>();
}

/// <summary>
/// Endpoint metadata: the session of an operator is accepted, as a key with the scope mcp:admin is. A page redirects to
/// the sign-in; other routes answer 401 to programs.
/// </summary>
/// <param name="IsForCallers">Everybody who can sign in may, not only operators.</param>
internal sealed record OperatorRoute(bool IsPage, bool IsForCallers = false);

internal static class OperatorRouteExtensions
{
    /// <summary>
    /// Accepts the session of an operator, and changes nothing for a page of another origin: not with a session, and
    /// not without authentication.
    /// </summary>
    /// <param name="otherOriginsWithKey">
    /// Whether a page that CORS allows may send a change with a key. Browsers add none by themselves.
    /// </param>
    public static TBuilder AllowOperators<TBuilder>(
        this TBuilder routes,
        bool page = false,
        bool otherOriginsWithKey = false
    )
        where TBuilder : IEndpointConventionBuilder
    {
        routes.WithMetadata(new OperatorRoute(page));
        routes.Add(endpoint =>
        {
            var answer = endpoint.RequestDelegate!;
            endpoint.RequestDelegate = http =>
                IsReading(http.Request) || SameOrigin.Is(http) || (otherOriginsWithKey && !IsOff(http))
                    ? answer(http)
                    : RefuseAsync(http);
        });
        return routes;
    }

    /// <summary>A page for every caller, under the caller's own name.</summary>
    public static TBuilder AllowCallersInBrowser<TBuilder>(this TBuilder routes)
        where TBuilder : IEndpointConventionBuilder =>
        routes
            .RequireAuthorization(AuthPolicies.Caller)
            .WithMetadata(new OperatorRoute(IsPage: true, IsForCallers: true));

    private static bool IsReading(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);

    private static bool IsOff(HttpContext http) =>
        http.RequestServices.GetRequiredService<IOptions<AuthOptions>>().Value.IsOff;

    private static Task RefuseAsync(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        return ApiErrors
            .Problem(
                http,
                StatusCodes.Status403Forbidden,
                "Request not accepted",
                "Send the request from this server's own page or from a program, not from a page of another origin."
            )
            .ExecuteAsync(http);
    }
}
