using System.Diagnostics;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Auth.Diagnostics;

/// <summary>Writes down what helps to understand why a host does not connect. A call that goes well is let through without being looked at any closer.</summary>
internal sealed class ExchangeRecorder(RequestDelegate next, ExchangeLog log, IOptions<AuthOptions> options, TimeProvider time)
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
        var isDiscovery = Verdict.IsDiscovery(request.Path);
        // Whatever asks for what is not here looks for another server's weaknesses, and would push out what matters.
        if (!isDiscovery && (status < 400 || http.GetEndpoint() is null || (status is 404 or >= 500 && !Verdict.IsMcp(request.Path))))
        {
            return;
        }

        log.Add(new(time.GetUtcNow(), Shown.Text(request.Method, 10), Shown.Path(request), status, Stopwatch.GetElapsedTime(started).TotalMilliseconds, Shown.Client(request), Shown.Address(http),
            Shown.Text(Verdict.Of(http, options.Value), 400)));
    }
}
