using System.Diagnostics;
using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Http.Features;

namespace MinimalMcp.Governance;

/// <summary>Where a call comes from: who the authentication says it is, and from which address. Neither is known on standard input.</summary>
public readonly record struct Origin(ClaimsPrincipal? User, IPAddress? Address)
{
    private const int MaxSessionId = 200;

    /// <summary>
    /// The request that brought the call. Not <see cref="Activity.Current"/>: a conversation goes on after the request that began it.
    /// </summary>
    internal Activity? Request { get; init; }

    /// <summary>What the caller sent as its span, when there is no activity: nobody logs and nobody listens.</summary>
    internal string? Traceparent { get; init; }

    /// <summary>The MCP session that the client names; read only for a span.</summary>
    internal string? Session { get; init; }

    public static Origin Of(HttpContext http)
    {
        var request = http.Features.Get<IHttpActivityFeature>()?.Activity;
        return new(http.User, http.Connection.RemoteIpAddress)
        {
            Request = request,
            Traceparent = request is null && http.Request.Headers.TraceParent is [{ } sent] ? sent : null,
            Session = CallSpan.IsOn ? SessionOf(http.Request) : null,
        };
    }

    // What stands after a dot in our ids is for us alone.
    private static string? SessionOf(HttpRequest request) =>
        request.Headers["Mcp-Session-Id"] is [{ Length: > 0 } session]
        && session.Split('.')[0] is { Length: <= MaxSessionId } id
            ? id
            : null;
}
