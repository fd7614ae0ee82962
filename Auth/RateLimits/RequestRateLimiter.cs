using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using MinimalMcp.Configuration;

namespace MinimalMcp.Auth;

/// <summary>
/// Limits the requests per minute of a caller, or of an address when the caller is unknown. ChatGPT calls for all its
/// users from few addresses, so known callers are not counted by address.
/// </summary>
internal sealed class RequestRateLimiter(RateLimiters limits, IOptions<AuthOptions> options)
{
    private readonly int _limit = options.Value.RateLimitPerMinute;
    private readonly PartitionedRateLimiter<int>? _limiter = limits.Requests;

    /// <summary>
    /// Takes a permit and sets the headers. Returns null when the request may continue, otherwise the response that
    /// refuses it.
    /// </summary>
    public Task? Refusal(HttpContext http)
    {
        // An orchestrator that gets 429 from a health check would stop the server.
        if (_limiter is null || http.Request.Path.StartsWithSegments("/health"))
        {
            return null;
        }

        var counter = CounterOf(http);
        using var lease = _limiter.AttemptAcquire(counter);
        var left = _limiter.GetStatistics(counter)?.CurrentAvailablePermits ?? _limit;
        var headers = http.Response.Headers;
        headers["X-RateLimit-Limit"] = Text(_limit);
        headers["X-RateLimit-Remaining"] = Text(left);
        // Seconds until the bucket is full again.
        headers["X-RateLimit-Reset"] = Text((long)Math.Ceiling((_limit - left) * 60d / _limit));
        if (lease.IsAcquired)
        {
            return null;
        }

        var wait = lease.TryGetMetadata(MetadataName.RetryAfter, out var retry) ? retry : TimeSpan.FromMinutes(1);
        return RefuseAsync(http, wait, $"More than {_limit} requests per minute were sent.");
    }

    public static Task RefuseAsync(HttpContext http, TimeSpan wait, string why)
    {
        var seconds = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds));
        var detail = $"{why} Try again in {seconds} seconds.";
        http.Explain(detail);
        http.Response.Headers.RetryAfter = Text(seconds);
        return ApiErrors
            .Problem(http, StatusCodes.Status429TooManyRequests, "Too many requests", detail)
            .ExecuteAsync(http);
    }

    private static int CounterOf(HttpContext http)
    {
        var caller = Caller.From(http.User);
        return caller == Caller.Local || caller.IsGuest
            ? HashCode.Combine(CallerAddress.Of(http))
            : HashCode.Combine(caller.Subject, caller.Client);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
