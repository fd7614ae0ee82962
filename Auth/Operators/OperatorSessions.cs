using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Server;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth.Operators;

/// <summary>
/// The sessions of operators in a browser: an encrypted cookie of the framework's cookie scheme. A session ends when it
/// is idle, at its absolute end, at the sign-out, and with the key or password that opened it. Somebody else's session
/// has no scope: it is good for pages of callers only.
/// </summary>
internal sealed class OperatorSessions(SignInCredentials credentials, Store store, TimeProvider time)
{
    public const string Scheme = "MinimalMcp.Operator";

    public static readonly TimeSpan Idle = TimeSpan.FromMinutes(30),
        Lifetime = TimeSpan.FromHours(12);

    private const string Id = "id",
        Credential = "credential",
        Started = "started";

    public Task OpenAsync(HttpContext http, SignedInUser person)
    {
        var scopes = person.Scopes.Contains(Scopes.Admin) ? person.Scopes : [];
        Claim[] claims = [new("sub", person.Subject), .. scopes.Select(scope => new Claim("scope", scope))];
        var properties = new AuthenticationProperties();
        properties.Items[Id] = ReferenceTokens.New();
        if (person.Credential is not null) // a person of the identity provider has none here
        {
            properties.Items[Credential] = person.Credential;
        }

        properties.Items[Started] = Now.ToString(CultureInfo.InvariantCulture);
        return http.SignInAsync(Scheme, new(new ClaimsIdentity(claims, Scheme)), properties);
    }

    /// <summary>Ends the session on every replica, and in every tab.</summary>
    public async Task EndAsync(HttpContext http)
    {
        var session = await http.AuthenticateAsync(Scheme);
        if (session.Properties?.Items[Id] is { } id)
        {
            await store.EndSessionAsync(id, Now, Now + (long)Lifetime.TotalMilliseconds, CancellationToken.None);
        }

        await http.SignOutAsync(Scheme);
    }

    /// <summary>Whether the session has not ended by anything else than being idle.</summary>
    public async Task ValidateAsync(CookieValidatePrincipalContext session)
    {
        if (!await IsGoodAsync(session.Principal!, session.Properties, session.HttpContext.RequestAborted))
        {
            session.RejectPrincipal();
        }
    }

    /// <summary>
    /// Watches the session that the request came with, for a stream: null when it came with none. A stream that stays
    /// open is no use of the session, so it ends with the cookie that opened it; browsers then open it again.
    /// </summary>
    public static async Task<Func<CancellationToken, ValueTask<bool>>?> WatchAsync(HttpContext http)
    {
        var session = await http.AuthenticateAsync(Scheme);
        if (session is not { Succeeded: true, Principal: { } person, Properties: { } properties })
        {
            return null;
        }

        var sessions = http.RequestServices.GetRequiredService<OperatorSessions>();
        return async stop =>
            !(properties.ExpiresUtc?.ToUnixTimeMilliseconds() <= sessions.Now)
            && await sessions.IsGoodAsync(person, properties, stop);
    }

    private async ValueTask<bool> IsGoodAsync(
        ClaimsPrincipal person,
        AuthenticationProperties properties,
        CancellationToken cancellationToken
    ) =>
        long.TryParse(properties.Items[Started], CultureInfo.InvariantCulture, out var started)
        && started + Lifetime.TotalMilliseconds > Now
        && credentials.AreStillGood(
            properties.Items.TryGetValue(Credential, out var credential) ? credential : null,
            person.FindFirstValue("sub")!,
            IsOperator(person) ? Scopes.Admin : ""
        )
        && !await store.HasEndedSessionAsync(properties.Items[Id]!, cancellationToken);

    public static bool IsOperator(ClaimsPrincipal person) => person.HasClaim("scope", Scopes.Admin);

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();
}

/// <summary>Encrypts what the cookie holds with the server's key, which all replicas have.</summary>
internal sealed class SealedTickets(ServerKeys keys) : ISecureDataFormat<AuthenticationTicket>
{
    private readonly Lazy<SealingKey> _key = new(
        () => keys.Sealing("minimal operators: sessions"),
        LazyThreadSafetyMode.PublicationOnly
    );

    public string Protect(AuthenticationTicket data) => _key.Value.Seal(TicketSerializer.Default.Serialize(data));

    public string Protect(AuthenticationTicket data, string? purpose) => Protect(data);

    public AuthenticationTicket? Unprotect(string? protectedText) =>
        protectedText is { Length: < 8192 } && _key.Value.Open(protectedText) is { } plain
            ? TicketSerializer.Default.Deserialize(plain)
            : null;

    public AuthenticationTicket? Unprotect(string? protectedText, string? purpose) => Unprotect(protectedText);
}
