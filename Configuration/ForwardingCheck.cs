using System.Net;

namespace MinimalMcp.Configuration;

/// <summary>
/// Warns once when a reverse proxy on this machine sends no X-Forwarded-For: all callers would then share its address.
/// </summary>
internal sealed partial class ForwardingCheck(RequestDelegate next, ILogger<ForwardingCheck> log)
{
    private int _said;

    public Task InvokeAsync(HttpContext http)
    {
        if (_said == 0)
        {
            Look(http);
        }

        return next(http);
    }

    private void Look(HttpContext http)
    {
        var headers = http.Request.Headers;
        var isForwarded = headers.ContainsKey("X-Forwarded-Proto") || headers.ContainsKey("X-Forwarded-Host");
        if (
            isForwarded
            && !headers.ContainsKey("X-Forwarded-For")
            && http.Connection.RemoteIpAddress is { } address
            && IPAddress.IsLoopback(address)
            && Interlocked.Exchange(ref _said, 1) == 0
        )
        {
            LogNoAddress();
        }
    }

    [LoggerMessage(
        LogLevel.Warning,
        "The reverse proxy on this machine sends X-Forwarded-Proto or X-Forwarded-Host and no "
            + "X-Forwarded-For, so all callers have one address and share its limits. Let it send the address, in "
            + "nginx: "
            + "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
    )]
    private partial void LogNoAddress();
}
