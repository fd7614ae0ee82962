using Microsoft.Extensions.Options;
using MinimalMcp.Configuration;

namespace MinimalMcp.Auth;

/// <summary>
/// This server as an OAuth protected resource (RFC 9728). Each transport is a resource of its own, named by the URL
/// that clients were given.
/// </summary>
internal sealed class ProtectedResource(IServiceProvider services, IOptions<AuthOptions> options)
{
    public const string Mcp = "/mcp";
    public const string Sse = "/sse";
    public const string WellKnown = "/.well-known/oauth-protected-resource";

    private readonly IToolScopes? _scopes = services.GetService<IToolScopes>();

    /// <summary>
    /// Whether the metadata is served. It is not while authentication needs no sign-in, since a client that finds it
    /// asks for a login.
    /// </summary>
    public bool IsOn { get; } = options.Value.TakesTokens;

    /// <summary>
    /// The scopes that a client requests when it signs in: all that the tools need, and no more. A client that signed
    /// in to read only would see only reading tools, and could not request more later.
    /// </summary>
    public string Scopes => _scopes?.All ?? Auth.Scopes.UpTo(Auth.Scopes.Execute);

    /// <summary>The same for a URL that selects some of the tools.</summary>
    public string ScopesOf(HttpContext http) => _scopes?.Of(http) ?? Scopes;

    public static string Identifier(HttpContext http, string transport) => PublicUrl.OfDocuments(http) + transport;

    public static string Metadata(HttpContext http) =>
        PublicUrl.OfDocuments(http) + WellKnown + TransportOf(http.Request.Path);

    /// <summary>The same where the request is not available.</summary>
    public string Metadata(string transport) => PublicUrl.Fixed(services) + WellKnown + transport;

    /// <summary>The transport of a path; for other paths the one that clients usually name.</summary>
    public static string TransportOf(PathString path) =>
        path.StartsWithSegments(Sse) || path.StartsWithSegments("/message") ? Sse : Mcp;
}

/// <summary>
/// The scopes that the registered tools need. Implemented by the surfaces, since Auth does not know the tools.
/// </summary>
internal interface IToolScopes
{
    /// <summary>Separated by spaces, lowest first.</summary>
    string All { get; }

    /// <summary>The scopes of the tools that the request's URL selects.</summary>
    string Of(HttpContext http);
}
