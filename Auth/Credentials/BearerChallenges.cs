using Microsoft.Extensions.Options;

namespace MinimalMcp.Auth;

/// <summary>
/// <c>WWW-Authenticate</c> challenges: sign in, or request more scopes (RFC 6750 section 3, RFC 9728 section 5.1).
/// ChatGPT also reads them inside a tool's result.
/// </summary>
internal sealed class BearerChallenges(IOptions<AuthOptions> options, ProtectedResource resource)
{
    private const string Insufficient = "insufficient_scope";

    /// <summary>OAuth is enabled, so callers can sign in.</summary>
    public bool AreOn { get; } = options.Value.TakesTokens;

    /// <summary>
    /// A missing scope is answered with an HTTP status. Where guests are admitted, the result of the call carries the
    /// challenge instead, which is what ChatGPT reads then.
    /// </summary>
    public bool AreOfHttp { get; } = options.Value.TakesTokens && !options.Value.AdmitsGuests;

    /// <summary>Whether unauthenticated callers have this scope.</summary>
    public bool AdmitGuests(string scope) => options.Value.AdmitsGuests && scope == Scopes.Read;

    /// <param name="wrong">
    /// Why the credential was refused; null when none was sent, and then no error is named (RFC 6750 section 3.1).
    /// </param>
    public string SignIn(HttpContext http, string? wrong) =>
        Realm(http) + (wrong is null ? "" : Error("invalid_token", wrong));

    /// <summary>The request itself is malformed (RFC 6750 section 3.1).</summary>
    public string Malformed(HttpContext http, string why) => Realm(http) + Error("invalid_request", why);

    /// <summary>
    /// Names all scopes that the call needs, not only the missing one: the client requests exactly these (MCP
    /// authorization, "Scope Challenge Handling").
    /// </summary>
    public static string StepUp(HttpContext http, string scope, string why) =>
        StepUpAt(ProtectedResource.Metadata(http), scope, why);

    /// <param name="transport">The transport of the call, when its request is not available.</param>
    public string StepUp(string transport, string scope, string why) =>
        StepUpAt(resource.Metadata(transport), scope, why);

    /// <summary>Sets the challenge for a missing scope. A guest gets 401, because signing in would help.</summary>
    /// <returns>The HTTP status of the response.</returns>
    public int Mark(HttpContext http, string scope, string why)
    {
        http.Explain(why);
        if (!AreOn)
        {
            return StatusCodes.Status403Forbidden;
        }

        http.Response.Headers.WWWAuthenticate = StepUp(http, scope, why);
        return Caller.From(http.User).IsGuest ? StatusCodes.Status401Unauthorized : StatusCodes.Status403Forbidden;
    }

    private string Realm(HttpContext http) =>
        AreOn
            ? $"Bearer resource_metadata=\"{ProtectedResource.Metadata(http)}\", scope=\"{resource.ScopesOf(http)}\""
            : "Bearer realm=\"tools\"";

    private static string Error(string error, string why) =>
        $", error=\"{error}\", error_description=\"{Quoted(why)}\"";

    private static string StepUpAt(string metadata, string scope, string why) =>
        $"Bearer resource_metadata=\"{metadata}\", scope=\"{Scopes.UpTo(scope)}\", error=\"{Insufficient}\", "
        + $"error_description=\"{Quoted(why)}\"";

    // RFC 6750 section 3: printable ASCII without quotes and backslashes.
    private static string Quoted(string text) =>
        new([.. text.Take(300).Select(letter => letter is < ' ' or > '~' or '"' or '\\' ? '\'' : letter)]);
}
