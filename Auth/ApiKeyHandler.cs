using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Auth;

/// <summary>Knows a caller by the key in <c>Authorization: Bearer</c> or in <c>X-MCP-API-Key</c>.</summary>
internal sealed class ApiKeyHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, ApiKeys keys)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public new const string Scheme = "ApiKey";
    private const string Header = "X-MCP-API-Key";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Presented() is not { } key)
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        if (keys.Find(key) is not { } caller)
        {
            return Task.FromResult(AuthenticateResult.Fail("This key is unknown or has expired."));
        }

        Response.Headers.CacheControl = "no-store"; // the answer is this caller's own
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(caller, Scheme)));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        // RFC 6750 section 3.1: a request without credentials is told no error.
        var wrong = (await HandleAuthenticateOnceSafeAsync()).Failure?.Message;
        Response.Headers.WWWAuthenticate = wrong is null ? "Bearer realm=\"tools\"" : $"Bearer realm=\"tools\", error=\"invalid_token\", error_description=\"{wrong}\"";
        await Results.Problem(statusCode: StatusCodes.Status401Unauthorized, title: "Unauthorized",
            detail: wrong ?? $"Send the key that the server's operator gave you as 'Authorization: Bearer KEY' or '{Header}: KEY'.").ExecuteAsync(Context);
    }

    // Two headers that disagree are a wrong key and not a choice: "" is no key of anybody.
    private string? Presented()
    {
        var (bearer, header) = (Request.Headers.Authorization, Request.Headers[Header]);
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
