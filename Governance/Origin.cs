using System.Net;
using System.Security.Claims;

namespace MinimalMcp.Governance;

/// <summary>Where a call comes from: who the authentication says it is, and from which address. Neither is known on standard input.</summary>
public readonly record struct Origin(ClaimsPrincipal? User, IPAddress? Address)
{
    public static Origin Of(HttpContext http) => new(http.User, http.Connection.RemoteIpAddress);
}
