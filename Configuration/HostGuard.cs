using Microsoft.Extensions.Options;

namespace MinimalMcp.Configuration;

/// <summary>
/// Refuses requests for a host that is not ours (400) and from web pages that may not call us (403), on every route.
/// Without it any page in any browser could reach a server on loopback by letting its own name resolve to 127.0.0.1
/// (DNS rebinding).
/// </summary>
internal sealed partial class HostGuard
{
    private static readonly string[] Loopback = ["localhost", "127.0.0.1", "[::1]"];

    private readonly RequestDelegate _next;
    private readonly ServerOptions _options;
    private readonly HashSet<string> _hosts,
        _origins;
    private readonly bool _takesProxiedHosts;

    // Nearly every request names the host that the one before it named.
    private string? _lastServed;

    public HostGuard(
        RequestDelegate next,
        IOptions<ServerOptions> options,
        IConfiguration configuration,
        ILogger<HostGuard> log
    )
    {
        (_next, _options) = (next, options.Value);
        _hosts = Hosts(_options, configuration);
        _origins = _options.Origins.ToHashSet(StringComparer.OrdinalIgnoreCase);
        _takesProxiedHosts = ForwardedHost.IsOn(configuration);
        if (_takesProxiedHosts)
        {
            LogProxiedHosts(log);
        }
    }

    public Task InvokeAsync(HttpContext http)
    {
        var request = http.Request;
        var isProxied = _takesProxiedHosts && ForwardedHost.Admits(http, _options);
        if (!isProxied && (_lastServed is null || request.Host.Value != _lastServed) && !IsServed(request.Host))
        {
            return RefuseAsync(
                http,
                StatusCodes.Status400BadRequest,
                $"The host '{Shorten(request.Host.Host)}' is not served here. Set PUBLIC_URL to the public address, "
                    + "or add the host to AllowedHosts."
            );
        }

        var origin = request.Headers.Origin;
        return origin.Count == 0 || IsAllowed(origin.ToString()) || (isProxied && origin == ForwardedHost.Of(http))
            ? _next(http)
            : RefuseAsync(
                http,
                StatusCodes.Status403Forbidden,
                $"The origin '{Shorten(origin.ToString())}' may not call this server. Add it to CORS_ORIGINS if it "
                    + "should."
            );
    }

    private bool IsServed(HostString host)
    {
        if (!_hosts.Contains(host.Host) && !_hosts.Contains("*"))
        {
            return false;
        }

        _lastServed = host.Value;
        return true;
    }

    private bool IsAllowed(string origin) =>
        _origins.Contains(origin)
        || _origins.Contains("*")
        || (
            Uri.TryCreate(origin, UriKind.Absolute, out var uri)
            && uri.Scheme is "http" or "https"
            && _hosts.Contains(uri.Host)
        );

    private static HashSet<string> Hosts(ServerOptions options, IConfiguration configuration)
    {
        var hosts = Loopback.Concat(
            (configuration["AllowedHosts"] ?? "").Split(
                ';',
                StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries
            )
        );
        return (options.PublicUri is { } url ? hosts.Append(url.Host) : hosts).ToHashSet(
            StringComparer.OrdinalIgnoreCase
        );
    }

    [LoggerMessage(
        LogLevel.Warning,
        "PUBLIC_URL is not set, so documents name the host that a known reverse proxy "
            + "receives by https. Set PUBLIC_URL to the public address of this server"
    )]
    private static partial void LogProxiedHosts(ILogger log);

    private static string Shorten(string text) => text.Length <= 100 ? text : text[..100];

    private static Task RefuseAsync(HttpContext http, int status, string detail) =>
        Results
            .Problem(statusCode: status, title: status == 400 ? "Unknown host" : "Origin not allowed", detail: detail)
            .ExecuteAsync(http);
}
