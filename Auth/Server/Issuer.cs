using MinimalMcp.Configuration;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// The identifiers of this authorization server and of the resource that its tokens are for. They come from the
/// settings, or on loopback from the listening address, and never from a request: clients compare them exactly, and the
/// caller chooses the Host header.
/// </summary>
internal sealed class Issuer(IServiceProvider services)
{
    private readonly Lazy<string> _url = new(() => PublicUrl.Fixed(services)); // evaluated when the server listens

    /// <summary>Without a trailing slash (RFC 8414 section 2).</summary>
    public string Url => _url.Value;

    /// <summary>The resource of access tokens (RFC 8707), whichever of its names the client used.</summary>
    public string Resource => Url + ProtectedResource.Mcp;

    /// <summary>The Origin header of our own pages.</summary>
    public string Origin => new Uri(Url).GetLeftPart(UriPartial.Authority);

    public bool IsHttps => Url.StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    public bool IsResource(string? resource) =>
        resource is not null
        && resource.StartsWith(Url, StringComparison.Ordinal)
        && resource[Url.Length..]
            is ""
                or "/"
                or ProtectedResource.Mcp
                or ProtectedResource.Mcp + "/"
                or ProtectedResource.Sse;
}
