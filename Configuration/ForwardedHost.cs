using System.Net;

namespace MinimalMcp.Configuration;

/// <summary>
/// The public URL from a known reverse proxy, for a server in mode oauth2 without PUBLIC_URL. Only documents use it:
/// audiences (OAUTH2_AUDIENCE) and redirect URIs never come from a request. Modes that issue tokens do not use it, nor
/// do modes without tokens, where a page could rebind its name to this machine.
/// </summary>
internal sealed class ForwardedHost
{
    private ForwardedHost(string url) => Url = url;

    private string Url { get; }

    public static bool IsOn(IConfiguration configuration) =>
        PublicUrl.Configured(configuration) is null
        && "oauth2".Equals(configuration["Auth:Mode"], StringComparison.OrdinalIgnoreCase);

    /// <summary>The URL without a trailing slash; null unless <see cref="Admits"/> returned true.</summary>
    public static string? Of(HttpContext http) => http.Features.Get<ForwardedHost>()?.Url;

    /// <summary>
    /// Whether a known proxy received the request by https. Evaluated before forwarded headers are applied.
    /// </summary>
    public static bool Admits(HttpContext http, ServerOptions options)
    {
        if (
            http.Request.Headers["X-Forwarded-Proto"] is not ["https"]
            || !IsKnown(http.Connection.RemoteIpAddress, options)
        )
        {
            return false;
        }

        http.Features.Set(new ForwardedHost($"https://{http.Request.Host.ToUriComponent()}"));
        http.Response.Headers.CacheControl = "no-store"; // the response is specific to this host
        return true;
    }

    private static bool IsKnown(IPAddress? peer, ServerOptions options) =>
        options is { ProxyCount: not null, Proxies.Count: 0 }
        || (
            peer is not null
            && (
                IPAddress.IsLoopback(peer)
                || options.Proxies.Any(proxy =>
                    ServerOptions.TryParseNetwork(proxy, out var network)
                    && network.Contains(peer.IsIPv4MappedToIPv6 ? peer.MapToIPv4() : peer)
                )
            )
        );
}
