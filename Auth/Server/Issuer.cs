using MinimalMcp.Configuration;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// The name of this authorization server, and of the resource that its tokens are for. They come from the settings, or
/// on loopback from where the server listens, and never from a request: clients compare them letter by letter, and
/// whoever sends a request chooses its Host header.
/// </summary>
internal sealed class Issuer(IServiceProvider services)
{
    private readonly Lazy<string> _url = new(() => PublicUrl.Fixed(services)); // not before the server listens

    /// <summary>Without a trailing slash (RFC 8414 section 2).</summary>
    public string Url => _url.Value;

    /// <summary>What an access token is for (RFC 8707), whichever of its names a client used.</summary>
    public string Resource => Url + ProtectedResource.Mcp;

    /// <summary>What a browser sends when our own page posts.</summary>
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
