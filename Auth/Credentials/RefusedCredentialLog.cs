using System.Net;

namespace MinimalMcp.Auth;

/// <summary>
/// Logs refused credentials with the reason, never the credential. Anybody can send one, so the number of lines per
/// minute is limited; the next minute reports how many were dropped.
/// </summary>
internal sealed partial class RefusedCredentialLog(TimeProvider time, ILogger<RefusedCredentialLog> log)
{
    private const int PerMinute = 60;

    private readonly Lock _lock = new();
    private long _minute;
    private int _count;

    public void Write(HttpContext http, string reason)
    {
        var leftOut = 0;
        lock (_lock)
        {
            var minute = time.GetUtcNow().ToUnixTimeSeconds() / 60;
            if (minute != _minute)
            {
                leftOut = Math.Max(0, _count - PerMinute);
                (_minute, _count) = (minute, 0);
            }

            if (++_count > PerMinute)
            {
                return;
            }
        }

        if (leftOut > 0)
        {
            LogLeftOut(leftOut);
        }

        LogRefused(reason, CallerAddress.Of(http), http.Request.Method, http.Request.Path);
    }

    [LoggerMessage(LogLevel.Warning, "Credential refused {Reason} {Address} {Method} {Path}")]
    private partial void LogRefused(string reason, IPAddress address, string method, PathString path);

    [LoggerMessage(LogLevel.Warning, "Refused credentials not logged because there were too many {Count}")]
    private partial void LogLeftOut(int count);
}
