using System.Diagnostics;
using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Http.Features;

namespace MinimalMcp.Governance;

/// <summary>The origin of a call: the authenticated user and the address. Both are unknown on standard input.</summary>
internal readonly record struct CallOrigin(ClaimsPrincipal? User, IPAddress? Address)
{
    private const int MaxSessionId = 200;

    /// <summary>
    /// The HTTP request of the call. Not <see cref="Activity.Current"/>: a conversation outlives the request that began
    /// it.
    /// </summary>
    internal Activity? Request { get; init; }

    /// <summary>The caller's traceparent, when there is no activity because nobody listens.</summary>
    internal string? Traceparent { get; init; }

    /// <summary>The MCP session id; read only for spans.</summary>
    internal string? Session { get; init; }

    /// <summary>The request names an MCP session.</summary>
    internal bool HasSession { get; init; }

    public static CallOrigin Of(HttpContext http)
    {
        var request = http.Features.Get<IHttpActivityFeature>()?.Activity;
        return new(http.User, http.Connection.RemoteIpAddress)
        {
            Request = request,
            Traceparent = request is null && http.Request.Headers.TraceParent is [{ } sent] ? sent : null,
            Session = CallSpan.IsOn ? SessionOf(http.Request) : null,
            HasSession = http.Request.Headers.ContainsKey("Mcp-Session-Id"),
        };
    }

    // The part of our session ids after the dot is private.
    private static string? SessionOf(HttpRequest request) =>
        request.Headers["Mcp-Session-Id"] is [{ Length: > 0 } session]
        && session.Split('.')[0] is { Length: <= MaxSessionId } id
            ? id
            : null;
}
