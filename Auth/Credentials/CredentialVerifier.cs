using System.Buffers;
using System.Security.Claims;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Server;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth;

/// <summary>
/// Finds the caller of a request: by an access token or a key in <c>Authorization: Bearer</c>, or by a key in
/// <c>X-MCP-API-Key</c>.
/// </summary>
internal sealed partial class CredentialVerifier(
    IOptions<AuthOptions> options,
    RateLimiters limits,
    ApiKeys keys,
    AuthAttempts attempts,
    IServiceProvider services,
    ILogger<CredentialVerifier> log
)
{
    public const string KeyHeader = "X-MCP-API-Key";

    private static readonly SearchValues<char> SchemeLetters = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-"
    );

    private readonly bool _isOff = options.Value.IsOff;
    private readonly bool _takesKeys = options.Value.TakesKeys;
    private readonly bool _admitsGuests = options.Value.AdmitsGuests;
    private readonly IAccessTokenVerifier? _tokens = options.Value.TakesTokens
        ? services.GetRequiredService<IAccessTokenVerifier>()
        : null;

    /// <summary>The caller, or the refusal; neither when the request has no credential.</summary>
    public async ValueTask<(ClaimsPrincipal? Caller, CredentialRefusal? Refusal)> VerifyAsync(HttpContext http)
    {
        var (caller, refusal) = await FindAsync(http);
        if (refusal is not null)
        {
            attempts.Refuse(refusal.Outcome, http.Connection.RemoteIpAddress);
        }
        else if (caller is not null && !_isOff && caller != Caller.Guest)
        {
            attempts.Accept();
        }

        return (caller, refusal);
    }

    private async ValueTask<(ClaimsPrincipal? Caller, CredentialRefusal? Refusal)> FindAsync(HttpContext http)
    {
        if (_isOff)
        {
            return (LocalOf(http), null);
        }

        if (HasTokenInAddress(http.Request))
        {
            const string Where =
                "Access tokens are not accepted in the URL, because URLs are logged. Send the token as "
                + "'Authorization: Bearer TOKEN'.";
            return (null, new(StatusCodes.Status400BadRequest, Where));
        }

        return Presented(http.Request) is not { } presented ? (IsGuest(http) ? Caller.Guest : null, null)
            : presented.Length == 0 && OtherScheme(http.Request) is { } scheme
                ? (
                    null,
                    CredentialRefusal.Wrong(
                        $"The Authorization header has the scheme '{scheme}'. Send 'Authorization: Bearer "
                            + $"{(_takesKeys ? _tokens is null ? "KEY" : "TOKEN' or 'Bearer KEY" : "TOKEN")}'.",
                        AuthAttempts.Malformed
                    )
                )
            : _tokens is not null && IsToken(http.Request, presented, _takesKeys)
                ? await TokenAsync(http, _tokens, presented)
            : _takesKeys ? Key(http, presented)
            : (
                null,
                CredentialRefusal.Wrong(
                    "This server does not accept API keys. Sign in with OAuth.",
                    AuthAttempts.WrongKey
                )
            );
    }

    /// <summary>The caller when it can be found without waiting or counting; never a refusal.</summary>
    public ClaimsPrincipal? Known(HttpContext http)
    {
        if (_isOff)
        {
            return LocalOf(http);
        }

        if (HasTokenInAddress(http.Request))
        {
            return null;
        }

        if (Presented(http.Request) is not { } presented)
        {
            return IsGuest(http) ? Caller.Guest : null;
        }

        var caller =
            _tokens is not null && IsToken(http.Request, presented, _takesKeys) ? _tokens.Known(presented)
            : _takesKeys && IsLong(presented) ? keys.Find(presented, out _)
            : null;
        if (caller is not null)
        {
            attempts.Accept();
        }

        return caller;
    }

    /// <summary>A token has two dots, which a key has not, and is never sent in the key header.</summary>
    public static bool IsToken(HttpRequest request, string presented, bool takesKeys) =>
        request.Headers.Authorization.Count > 0 && (!takesKeys || presented.AsSpan().Count('.') == 2);

    /// <summary>Two headers that disagree are an invalid key: "" matches none.</summary>
    public static string? Presented(HttpRequest request)
    {
        var (bearer, header) = (request.Headers.Authorization, request.Headers[KeyHeader]);
        return (bearer.Count, header.Count) switch
        {
            (0, 0) => null,
            (1, 0) => Bearer(bearer.ToString()),
            (0, 1) => header.ToString(),
            (1, 1) when Bearer(bearer.ToString()) == header.ToString() => header.ToString(),
            _ => "",
        };
    }

    // A user whom the host application has signed in is kept.
    private static ClaimsPrincipal LocalOf(HttpContext http) =>
        http.User.Identity is { IsAuthenticated: true } ? http.User : Caller.LocalUser;

    private bool IsGuest(HttpContext http) =>
        _admitsGuests && http.GetEndpoint()?.Metadata.GetMetadata<AllowGuestsMetadata>() is not null;

    private bool HasTokenInAddress(HttpRequest request) =>
        _tokens is not null && request.QueryString.HasValue && request.Query.ContainsKey("access_token");

    private (ClaimsPrincipal?, CredentialRefusal?) Key(HttpContext http, string key)
    {
        var address = CallerAddress.Of(http);
        // A key of the required length cannot be guessed, so a valid one is never refused because others at the address
        // sent invalid ones. A shorter one, of which the settings hold only the hash, can be guessed.
        if (!IsLong(key) && limits.WrongKeys.WaitOf(address) is { } wait)
        {
            return (null, CredentialRefusal.TooMany(wait));
        }

        if (keys.Find(key, out var expired) is { } caller)
        {
            return (caller, null);
        }

        // An expired key is not a guess.
        if (!expired)
        {
            if (limits.WrongKeys.TryTake(address) is { } full)
            {
                return (null, CredentialRefusal.TooMany(full));
            }

            LogWrong(ApiKeys.Prefix(key), address);
        }

        var outcome = expired ? AuthAttempts.ExpiredKey : AuthAttempts.WrongKey;
        return (
            null,
            CredentialRefusal.Wrong("The API key is unknown or has expired.", outcome) with
            {
                IsLogged = !expired,
            }
        );
    }

    private async ValueTask<(ClaimsPrincipal?, CredentialRefusal?)> TokenAsync(
        HttpContext http,
        IAccessTokenVerifier tokens,
        string token
    )
    {
        try
        {
            return (await tokens.CheckAsync(token, http.RequestAborted), null);
        }
        catch (TokenRefusedException refused)
        {
            if (refused.Detail is { } detail)
            {
                LogRefused(detail);
            }

            var status = refused.IsForbidden ? StatusCodes.Status403Forbidden : StatusCodes.Status401Unauthorized;
            return (null, new(status, refused.Message));
        }
        catch (Exception gone) when (gone is StorageException or HttpRequestException)
        {
            const string Later = "The token cannot be verified at the moment. Try again in a minute.";
            return (null, new(StatusCodes.Status503ServiceUnavailable, Later) { RetryAfter = TimeSpan.FromMinutes(1) });
        }
    }

    // Only a valid scheme name (RFC 9110 section 11.1): a key that was sent without a scheme must not be logged.
    private static string? OtherScheme(HttpRequest request) =>
        request.Headers[KeyHeader].Count == 0
        && request.Headers.Authorization is [{ } value]
        && value.IndexOf(' ') is > 0 and <= 12 and var end
        && value.AsSpan(0, end) is var name
        && !name.Equals("Bearer", StringComparison.OrdinalIgnoreCase)
        && !name.ContainsAnyExcept(SchemeLetters)
            ? name.ToString()
            : null;

    private static bool IsLong(string key) => key.Length >= WeakSecret.MinLength;

    private static string Bearer(string value) =>
        value.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? value["Bearer ".Length..].Trim() : "";

    [LoggerMessage(LogLevel.Warning, "Access token refused {Detail}")]
    private partial void LogRefused(string detail);

    [LoggerMessage(LogLevel.Warning, "Invalid API key refused {KeyPrefix} {Address}")]
    private partial void LogWrong(string keyPrefix, System.Net.IPAddress address);
}
