using Microsoft.Extensions.Options;
using MinimalMcp.Configuration;

namespace MinimalMcp.Auth;

/// <summary>
/// What this server is to OAuth (RFC 9728): a resource with a name of its own for each transport, as clients know it by
/// the address that they were given.
/// </summary>
internal sealed class ProtectedResource(IServiceProvider services, IOptions<AuthOptions> options)
{
    public const string Mcp = "/mcp";
    public const string Sse = "/sse";
    public const string WellKnown = "/.well-known/oauth-protected-resource";

    private readonly IToolScopes? _scopes = services.GetService<IToolScopes>();

    /// <summary>
    /// False while nobody is asked to sign in: the documents are not there then, since a host that finds one asks for a
    /// login.
    /// </summary>
    public bool IsOn { get; } = options.Value.TakesTokens;

    /// <summary>
    /// What a client asks for when it signs in: all that the tools need, and no more. Who reads only sees the tools
    /// that read, and could not ask for more later.
    /// </summary>
    public string Scopes => _scopes?.All ?? Auth.Scopes.UpTo(Auth.Scopes.Execute);

    /// <summary>The same for an address that was narrowed to some of the tools.</summary>
    public string ScopesOf(HttpContext http) => _scopes?.Of(http) ?? Scopes;

    public static string Identifier(HttpContext http, string transport) => PublicUrl.OfDocuments(http) + transport;

    public static string Metadata(HttpContext http) =>
        PublicUrl.OfDocuments(http) + WellKnown + TransportOf(http.Request.Path);

    /// <summary>The same for an answer that no request can be told from.</summary>
    public string Metadata(string transport) => PublicUrl.Fixed(services) + WellKnown + transport;

    /// <summary>
    /// The transport that a path belongs to; to others the resource is the one that clients usually name.
    /// </summary>
    public static string TransportOf(PathString path) =>
        path.StartsWithSegments(Sse) || path.StartsWithSegments("/message") ? Sse : Mcp;
}

/// <summary>The scopes that the tools need, which Auth does not know.</summary>
internal interface IToolScopes
{
    /// <summary>Separated by spaces, the smallest first.</summary>
    string All { get; }

    /// <summary>Those of the tools that a request's address selects.</summary>
    string Of(HttpContext http);
}
