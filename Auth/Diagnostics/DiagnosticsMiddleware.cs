using System.Diagnostics;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Auth.Diagnostics;

/// <summary>
/// Records the requests that explain why a client does not connect. Successful calls pass without further inspection.
/// </summary>
internal sealed partial class DiagnosticsMiddleware(
    RequestDelegate next,
    DiagnosticsLog log,
    IOptions<AuthOptions> options,
    TimeProvider time,
    ILogger<DiagnosticsMiddleware> logger
)
{
    public Task InvokeAsync(HttpContext http)
    {
        var started = Stopwatch.GetTimestamp();
        var exchange = next(http);
        if (!exchange.IsCompletedSuccessfully)
        {
            return AwaitAsync(exchange, http, started);
        }

        Record(http, started);
        return exchange;
    }

    private async Task AwaitAsync(Task exchange, HttpContext http, long started)
    {
        await exchange;
        Record(http, started);
    }

    private void Record(HttpContext http, long started)
    {
        var (status, request) = (http.Response.StatusCode, http.Request);
        if (logger.IsEnabled(LogLevel.Debug))
        {
            var elapsed = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            LogRequest(
                RedactedRequest.Text(request.Method, 10),
                RedactedRequest.Path(request),
                status,
                elapsed,
                RedactedRequest.Address(http)
            );
        }

        if (!Matters(http, status))
        {
            return;
        }

        log.Add(
            new(
                time.GetUtcNow(),
                RedactedRequest.Text(request.Method, 10),
                RedactedRequest.Path(request),
                status,
                Stopwatch.GetElapsedTime(started).TotalMilliseconds,
                RedactedRequest.Client(request),
                RedactedRequest.Address(http),
                RedactedRequest.Text(Explanation.Of(http, options.Value), 400)
            )
        );
    }

    // Discovery, sign-in and connection attempts. A failed tool call concerns its caller. Requests for unknown paths
    // come from scanners and would displace what matters.
    private static bool Matters(HttpContext http, int status)
    {
        var path = http.Request.Path;
        var isRefusedHost = http.GetEndpoint() is null && status is 400 or 403;
        return Explanation.IsDiscovery(path)
            || (
                status >= 400
                && (
                    isRefusedHost
                        ? Explanation.IsOurs(path)
                        : http.GetEndpoint() is not null && (Explanation.IsMcp(path) || status is 401 or 403 or 429)
                )
            );
    }

    [LoggerMessage(LogLevel.Debug, "Request ended {Method} {Path} {StatusCode} {ElapsedMs} {Address}")]
    private partial void LogRequest(string method, string path, int statusCode, double elapsedMs, string address);
}
