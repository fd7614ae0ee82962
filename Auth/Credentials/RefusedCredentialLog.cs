using System.Net;

namespace MinimalMcp.Auth;

/// <summary>
/// One line in the log for each credential that was refused, with the reason and nothing of the credential. Anybody can
/// send one, so there are at most so many lines in a minute; the next minute says how many were left out.
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

    [LoggerMessage(LogLevel.Warning, "Credential refused: {Reason} It came from {Address}, for {Method} {Path}")]
    private partial void LogRefused(string reason, IPAddress address, string method, PathString path);

    [LoggerMessage(LogLevel.Warning, "{Count} more credentials were refused, and are not listed")]
    private partial void LogLeftOut(int count);
}
