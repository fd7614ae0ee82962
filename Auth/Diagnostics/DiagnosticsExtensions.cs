using MinimalMcp.Auth.Diagnostics;

namespace MinimalMcp.Auth;

internal static class DiagnosticsExtensions
{
    /// <summary>
    /// Records why a request was refused, for the diagnostics page. Never pass a credential, a code or other input.
    /// </summary>
    public static void Explain(this HttpContext http, string why) => http.Features.Set(new RefusalReason(why));
}
