using MinimalMcp.Auth.Diagnostics;

namespace MinimalMcp.Auth;

internal static class DiagnosticsExtensions
{
    /// <summary>
    /// Says why a request is refused, for the page of diagnostics. Never a credential, a code or what came with it.
    /// </summary>
    public static void Explain(this HttpContext http, string why) => http.Features.Set(new RefusalReason(why));
}
