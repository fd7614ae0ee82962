using Microsoft.Extensions.Options;

namespace MinimalMcp.Auth;

/// <summary>
/// How a caller is told to sign in, or to ask for more: <c>WWW-Authenticate</c> (RFC 6750 section 3, RFC 9728 section
/// 5.1), which ChatGPT also reads inside of a tool's result.
/// </summary>
internal sealed class BearerChallenges(IOptions<AuthOptions> options, ProtectedResource resource)
{
    private const string Insufficient = "insufficient_scope";

    /// <summary>There is somewhere to sign in.</summary>
    public bool AreOn { get; } = options.Value.TakesTokens;

    /// <summary>
    /// A call without the scope is refused by HTTP. Where guests are admitted, the answer to the call says it instead:
    /// that is what ChatGPT reads then.
    /// </summary>
    public bool AreOfHttp { get; } = options.Value.TakesTokens && !options.Value.AdmitsGuests;

    /// <summary>Whoever has no token may do what needs this scope.</summary>
    public bool AdmitGuests(string scope) => options.Value.AdmitsGuests && scope == Scopes.Read;

    /// <param name="wrong">
    /// What is wrong with the credential that came; null when none did, and then no error is named (RFC 6750 section
    /// 3.1).
    /// </param>
    public string SignIn(HttpContext http, string? wrong) =>
        Realm(http) + (wrong is null ? "" : Error("invalid_token", wrong));

    /// <summary>The request itself is wrong (RFC 6750 section 3.1).</summary>
    public string Malformed(HttpContext http, string why) => Realm(http) + Error("invalid_request", why);

    /// <summary>
    /// Names all scopes that the call needs, not the missing one alone: the client asks for exactly these (MCP,
    /// authorization, "Scope Challenge Handling").
    /// </summary>
    public static string StepUp(HttpContext http, string scope, string why) =>
        StepUpAt(ProtectedResource.Metadata(http), scope, why);

    /// <param name="transport">What the call came by, when its request is not at hand.</param>
    public string StepUp(string transport, string scope, string why) =>
        StepUpAt(resource.Metadata(transport), scope, why);

    /// <summary>Marks an answer that refuses for want of a scope. A guest gets 401: signing in would help.</summary>
    /// <returns>The status to answer with.</returns>
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
