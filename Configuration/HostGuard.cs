using Microsoft.Extensions.Options;

namespace MinimalMcp.Configuration;

/// <summary>
/// Refuses requests with an unknown Host (400) or a disallowed Origin (403) on every route. Otherwise any web page
/// could reach a server on loopback by resolving its own name to 127.0.0.1 (DNS rebinding).
/// </summary>
internal sealed partial class HostGuard
{
    private static readonly string[] Loopback = ["localhost", "127.0.0.1", "[::1]"];

    private readonly RequestDelegate _next;
    private readonly ServerOptions _options;
    private readonly HashSet<string> _hosts,
        _origins;
    private readonly bool _takesProxiedHosts;

    // Most requests have the same Host as the previous one.
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
                $"The host '{Shorten(request.Host.Host)}' is not allowed. Set PUBLIC_URL to the public URL, or add "
                    + "the host to AllowedHosts."
            );
        }

        var origin = request.Headers.Origin;
        return origin.Count == 0 || IsAllowed(origin.ToString()) || (isProxied && origin == ForwardedHost.Of(http))
            ? _next(http)
            : RefuseAsync(
                http,
                StatusCodes.Status403Forbidden,
                $"The origin '{Shorten(origin.ToString())}' is not allowed. Add it to CORS_ORIGINS if it should "
                    + "call this server."
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
        "PUBLIC_URL is not set, so documents use the host that a known reverse proxy forwards. Set PUBLIC_URL to "
            + "the public URL of this server"
    )]
    private static partial void LogProxiedHosts(ILogger log);

    private static string Shorten(string text) => text.Length <= 100 ? text : text[..100];

    private static Task RefuseAsync(HttpContext http, int status, string detail) =>
        ApiErrors
            .Problem(http, status, status == 400 ? "Unknown host" : "Origin not allowed", detail)
            .ExecuteAsync(http);
}
