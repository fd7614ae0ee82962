using System.Buffers;
using System.Security.Claims;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Server;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth;

/// <summary>
/// Whose credential a request has: an access token or a key in <c>Authorization: Bearer</c>, or a key in
/// <c>X-MCP-API-Key</c>.
/// </summary>
internal sealed partial class CredentialVerifier(
    IOptions<AuthOptions> options,
    RateLimiters limits,
    ApiKeys keys,
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

    /// <summary>The caller, or why not; neither when the request has no credential.</summary>
    public async ValueTask<(ClaimsPrincipal? Caller, CredentialRefusal? Refusal)> VerifyAsync(HttpContext http)
    {
        if (_isOff)
        {
            return (LocalOf(http), null);
        }

        if (HasTokenInAddress(http.Request))
        {
            const string Where =
                "A token does not belong into the address, where logs keep it: "
                + "send it as 'Authorization: Bearer TOKEN'.";
            return (null, new(StatusCodes.Status400BadRequest, Where));
        }

        return Presented(http.Request) is not { } presented ? (IsGuest(http) ? Caller.Guest : null, null)
            : presented.Length == 0 && OtherScheme(http.Request) is { } scheme
                ? (
                    null,
                    CredentialRefusal.Wrong(
                        $"The header Authorization is of the scheme '{scheme}': send 'Authorization: Bearer "
                            + $"{(_takesKeys ? _tokens is null ? "KEY" : "TOKEN' or 'Bearer KEY" : "TOKEN")}'."
                    )
                )
            : _tokens is not null && IsToken(http.Request, presented, _takesKeys)
                ? await TokenAsync(http, _tokens, presented)
            : _takesKeys ? Key(http, presented)
            : (null, CredentialRefusal.Wrong("This server takes no keys: sign in."));
    }

    /// <summary>The caller when nothing has to be waited for or counted to know it; never a refusal.</summary>
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

        return Presented(http.Request) is not { } presented
            ? IsGuest(http)
                ? Caller.Guest
                : null
            : _tokens is not null && IsToken(http.Request, presented, _takesKeys)
                ? _tokens.Known(presented)
                : _takesKeys && IsLong(presented)
                    ? keys.Find(presented, out _)
                    : null;
    }

    /// <summary>A key has no two dots, and a token does not come as a key.</summary>
    public static bool IsToken(HttpRequest request, string presented, bool takesKeys) =>
        request.Headers.Authorization.Count > 0 && (!takesKeys || presented.AsSpan().Count('.') == 2);

    /// <summary>Two headers that disagree are a wrong key and not a choice: "" is no key of anybody.</summary>
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

    // Whoever an application in front of ours has signed in stays who it is.
    private static ClaimsPrincipal LocalOf(HttpContext http) =>
        http.User.Identity is { IsAuthenticated: true } ? http.User : Caller.LocalUser;

    private bool IsGuest(HttpContext http) =>
        _admitsGuests && http.GetEndpoint()?.Metadata.GetMetadata<AllowGuestsMetadata>() is not null;

    private bool HasTokenInAddress(HttpRequest request) =>
        _tokens is not null && request.QueryString.HasValue && request.Query.ContainsKey("access_token");

    private (ClaimsPrincipal?, CredentialRefusal?) Key(HttpContext http, string key)
    {
        var address = CallerAddress.Of(http);
        // A key of the length that we demand cannot be guessed, so a right one is never refused for the wrong ones of
        // others who share the address. A shorter one, of which the settings hold the hash, can.
        if (!IsLong(key) && limits.WrongKeys.WaitOf(address) is { } wait)
        {
            return (null, CredentialRefusal.TooMany(wait));
        }

        if (keys.Find(key, out var expired) is { } caller)
        {
            return (caller, null);
        }

        // Whoever sends one that has expired does not guess.
        if (!expired)
        {
            if (limits.WrongKeys.TryTake(address) is { } full)
            {
                return (null, CredentialRefusal.TooMany(full));
            }

            LogWrong(ApiKeys.Prefix(key), address);
        }

        return (null, CredentialRefusal.Wrong("This key is unknown or has expired.") with { IsLogged = !expired });
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
            const string Later = "The token cannot be checked now. Try again in a minute.";
            return (null, new(StatusCodes.Status503ServiceUnavailable, Later) { RetryAfter = TimeSpan.FromMinutes(1) });
        }
    }

    // Of a name that is one (RFC 9110 section 11.1); a key that came without a scheme would be no business of logs.
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

    [LoggerMessage(LogLevel.Warning, "An access token was refused: {Detail}")]
    private partial void LogRefused(string detail);

    [LoggerMessage(LogLevel.Warning, "A wrong key ({Prefix}) came from {Address}")]
    private partial void LogWrong(string prefix, System.Net.IPAddress address);
}
