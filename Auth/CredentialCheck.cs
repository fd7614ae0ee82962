using System.Security.Claims;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth;

/// <summary>
/// Who calls, on every route of every surface: by an access token or a key in <c>Authorization: Bearer</c>, or a key in <c>X-MCP-API-Key</c>. Lets nobody else pass to a route,
/// known or not, that does not say <c>AllowAnonymous</c>. A middleware of its own, because the framework's two cost each call about three microseconds more.
/// </summary>
internal sealed class CredentialCheck(RequestDelegate next, IOptions<AuthOptions> options, Challenges challenges, RateLimits limits, WrongKeys wrongKeys, ApiKeys keys, IServiceProvider services)
{
    private const string Header = "X-MCP-API-Key";

    private readonly bool _isOff = options.Value.IsOff;
    private readonly bool _takesKeys = options.Value.TakesKeys;
    private readonly bool _admitsGuests = options.Value.AdmitsGuests;
    private readonly IAccessTokens? _tokens = options.Value.TakesTokens ? services.GetRequiredService<IAccessTokens>() : null;

    public Task InvokeAsync(HttpContext http)
    {
        // Nothing depends on a credential there, so none is looked at: nobody can try one out.
        if (_isOff || http.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null)
        {
            return PassAsync(http);
        }

        if (_tokens is not null && http.Request.QueryString.HasValue && http.Request.Query.ContainsKey("access_token"))
        {
            const string Where = "A token does not belong into the address, where logs keep it: send it as 'Authorization: Bearer TOKEN'.";
            http.Explain(Where);
            return limits.Refusal(http) ?? Results.Problem(statusCode: StatusCodes.Status400BadRequest, title: "Bad request", detail: Where).ExecuteAsync(http);
        }

        var presented = Presented(http.Request);
        if (presented is null)
        {
            return _admitsGuests && http.GetEndpoint()?.Metadata.GetMetadata<GuestsMayAsk>() is not null ? AdmitAsync(http, Caller.Guest) : RefuseAsync(http, null);
        }

        return _tokens is not null && IsToken(http.Request, presented, _takesKeys) ? TokenAsync(http, _tokens, presented)
            : _takesKeys ? KeyAsync(http, presented)
            : RefuseAsync(http, "This server takes no keys: sign in.");
    }

    private Task PassAsync(HttpContext http) => limits.Refusal(http) ?? next(http);

    private Task AdmitAsync(HttpContext http, ClaimsPrincipal caller)
    {
        http.User = caller;
        http.Response.Headers.CacheControl = "no-store"; // the answer is this caller's own
        return PassAsync(http);
    }

    private Task KeyAsync(HttpContext http, string key)
    {
        if (wrongKeys.WaitOf(http) is { } wait)
        {
            return RateLimits.RefuseAsync(http, wait, "Too many wrong keys came from this address.");
        }

        if (keys.Find(key, out var expired) is { } caller)
        {
            return AdmitAsync(http, caller);
        }

        if (!expired)
        {
            wrongKeys.Add(http, key);
        }

        return RefuseAsync(http, "This key is unknown or has expired.");
    }

    // Tokens that are known already are told at once, without a task.
    private Task TokenAsync(HttpContext http, IAccessTokens tokens, string token)
    {
        var check = CheckAsync(http, tokens, token);
        return !check.IsCompletedSuccessfully ? AwaitAsync(http, check) : check.Result is { } caller ? AdmitAsync(http, caller) : Task.CompletedTask;
    }

    private async Task AwaitAsync(HttpContext http, ValueTask<ClaimsPrincipal?> check)
    {
        if (await check is { } caller)
        {
            await AdmitAsync(http, caller);
        }
    }

    /// <summary>The caller, or null after answering why not.</summary>
    private async ValueTask<ClaimsPrincipal?> CheckAsync(HttpContext http, IAccessTokens tokens, string token)
    {
        try
        {
            return await tokens.CheckAsync(token, http.RequestAborted);
        }
        catch (TokenRefusedException refused) when (refused.IsForbidden)
        {
            http.Explain(refused.Message);
            await (limits.Refusal(http) ?? Results.Problem(statusCode: StatusCodes.Status403Forbidden, title: "Forbidden", detail: refused.Message).ExecuteAsync(http));
        }
        catch (TokenRefusedException refused)
        {
            await RefuseAsync(http, refused.Message);
        }
        catch (Exception gone) when (gone is StorageException or HttpRequestException)
        {
            http.Response.Headers.RetryAfter = "60";
            http.Explain("The token could not be checked.");
            await Results.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, title: "Not possible now", detail: "The token cannot be checked now. Try again in a minute.").ExecuteAsync(http);
        }

        return null;
    }

    private Task RefuseAsync(HttpContext http, string? wrong)
    {
        http.Explain(wrong ?? "It came without a credential.");
        if (limits.Refusal(http) is { } tooMany)
        {
            return tooMany;
        }

        http.Response.Headers.WWWAuthenticate = challenges.SignIn(http.Request.Path, wrong);
        var key = _takesKeys ? $"Send the key that the server's operator gave you as 'Authorization: Bearer KEY' or '{Header}: KEY'." : "";
        var signIn = _tokens is null ? "" : "Sign in: the header WWW-Authenticate says where, and an OAuth client does the rest.";
        return Results.Problem(statusCode: StatusCodes.Status401Unauthorized, title: "Unauthorized", detail: wrong ?? $"{signIn}{(key.Length > 0 && signIn.Length > 0 ? " Or: " : "")}{key}").ExecuteAsync(http);
    }

    /// <summary>A key has no two dots, and a token does not come as a key.</summary>
    internal static bool IsToken(HttpRequest request, string presented, bool takesKeys) => request.Headers.Authorization.Count > 0 && (!takesKeys || presented.AsSpan().Count('.') == 2);

    // Two headers that disagree are a wrong key and not a choice: "" is no key of anybody.
    internal static string? Presented(HttpRequest request)
    {
        var (bearer, header) = (request.Headers.Authorization, request.Headers[Header]);
        return (bearer.Count, header.Count) switch
        {
            (0, 0) => null,
            (1, 0) => Bearer(bearer.ToString()),
            (0, 1) => header.ToString(),
            (1, 1) when Bearer(bearer.ToString()) == header.ToString() => header.ToString(),
            _ => "",
        };
    }

    private static string Bearer(string value) => value.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? value["Bearer ".Length..].Trim() : "";
}
