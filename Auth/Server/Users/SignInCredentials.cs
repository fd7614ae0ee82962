using System.Security.Claims;
using System.Text.Json;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Diagnostics;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth.Server;

/// <summary>A signed-in user and the scopes that the user may grant.</summary>
/// <param name="Credential">The credential that was used. Removing it ends what it opened.</param>
internal sealed record SignedInUser(
    string Subject,
    string[] Scopes,
    string? Credential,
    string? Name = null,
    string? Email = null
)
{
    /// <summary>The subject and the name, for logs.</summary>
    public string Described =>
        Name is null || Name == Subject ? Subject : $"{Subject} ({RedactedRequest.Text(Name, 100)})";

    /// <summary>The user's name and email as JSON; null when both are unknown.</summary>
    public string? ToJson() => Name is null && Email is null ? null : JsonSerializer.Serialize(new[] { Name, Email });

    public static (string? Name, string? Email) Read(string? json) =>
        json is not null && JsonSerializer.Deserialize<string?[]>(json) is [var name, var email]
            ? (name, email)
            : default;
}

/// <summary>Verifies sign-ins on the consent page: an API key, or a user name and password.</summary>
internal sealed partial class SignInCredentials(
    ApiKeys keys,
    ServerSecret secret,
    IOptions<AuthorizationServerOptions> options,
    RateLimiters limits,
    AuthAttempts attempts,
    ILogger<SignInCredentials> log
)
{
    private const int MaxLength = 512;

    /// <summary>How to fix a server on which nobody can sign in.</summary>
    public const string HowToAdd =
        "Set MCP_API_KEY to the output of `openssl rand -hex 32` and restart the server. Users enter that key on "
        + "the sign-in page.";

    /// <summary>Whether anybody can sign in.</summary>
    public bool AreThere => HasUsers || keys.AreThere;

    public bool HasUsers => options.Value.Users.Count > 0;

    /// <summary>
    /// Returns the user, or the reason. One message covers every error, so that it does not reveal which names exist.
    /// </summary>
    /// <exception cref="OAuthException">Too many attempts failed.</exception>
    public async Task<(SignedInUser? Person, string? Problem)> CheckAsync(
        string? name,
        string password,
        HttpContext http
    )
    {
        // A key of the required length cannot be guessed, so a valid one is never refused for other people's failures.
        if (name is null && password.Length >= WeakSecret.MinLength && Key(password) is { } holder)
        {
            return (holder, null);
        }

        var address = CallerAddress.Of(http);
        using var turn = await limits.PasswordTurnAsync(address, http.RequestAborted);
        var wait = turn.IsAcquired ? limits.SignIns.WaitOf(address) : TimeSpan.FromSeconds(5);
        if (wait is null && (name is null ? Key(password) : User(name, password)) is { } person)
        {
            return (person, null);
        }

        if ((wait ??= limits.SignIns.TryTake(address)) is { } busy)
        {
            attempts.Refuse(AuthAttempts.RateLimited, http.Connection.RemoteIpAddress);
            LogTooMany(http.Connection.RemoteIpAddress);
            throw OAuthException.BusyFor(
                busy,
                "Too many failed sign-ins from your address. Wait a few minutes, and start again."
            );
        }

        attempts.Refuse(
            name is null ? AuthAttempts.WrongKey : AuthAttempts.WrongPassword,
            http.Connection.RemoteIpAddress
        );
        LogWrong(name is null ? "key" : "name or password", http.Connection.RemoteIpAddress);
        return (null, HasUsers ? "The name and password, or the key, are not valid." : "The key is not valid.");
    }

    /// <summary>A user whom the identity provider signed in.</summary>
    public SignedInUser Of(ExternalUser person) =>
        new(person.Subject, [.. Scopes.Split(options.Value.SignInScopes)], null, person.Name, person.Email);

    /// <summary>
    /// Whether the credential that a grant was made with is still configured. Removing it ends the grant.
    /// </summary>
    public bool AreStillGood(StoredGrant grant) => AreStillGood(grant.Credential, grant.Subject, grant.Scope);

    /// <summary>The same of a session. A person of the identity provider has no credential here.</summary>
    public bool AreStillGood(string? credential, string subject, string scope) =>
        credential switch
        {
            null => true,
            ['k', 'e', 'y', ' ', .. var hash] => keys.FindByHash(Convert.FromHexString(hash)) is { } person
                && Has(ScopesOf(person), scope),
            var used => options.Value.Users.GetValueOrDefault(subject) is { } user
                && ReferenceTokens.Same(CredentialOf(subject, user), used)
                && Has([.. Scopes.Split(user.Scopes)], scope),
        };

    private SignedInUser? Key(string key) =>
        keys.Find(key, out _) is { } person
            ? new(person.FindFirstValue("sub")!, ScopesOf(person), "key " + ReferenceTokens.Hash(key))
            : null;

    private SignedInUser? User(string name, string password)
    {
        var user = name.Length <= MaxLength ? options.Value.Users.GetValueOrDefault(name) : null;
        return password.Length <= MaxLength && Passwords.Verify(user, password)
            ? new(name, [.. Scopes.Split(user!.Scopes)], CredentialOf(name, user), name, user.Email)
            : null;
    }

    private static string[] ScopesOf(ClaimsPrincipal person) =>
        [.. person.FindAll("scope").Select(claim => claim.Value)];

    private static bool Has(string[] scopes, string scope)
    {
        var granted = Scopes.Split(scope).ToArray();
        return GrantableScopes.OfPerson(granted, scopes).Length == granted.Length;
    }

    private string CredentialOf(string name, UserOptions user) =>
        secret.Fingerprint($"{name}\n{user.Password}\n{user.PasswordHash}");

    [LoggerMessage(LogLevel.Warning, "Sign-in failed {Credential} {Address}")]
    private partial void LogWrong(string credential, System.Net.IPAddress? address);

    [LoggerMessage(LogLevel.Warning, "Sign-ins rate limited after too many failures {Address}")]
    private partial void LogTooMany(System.Net.IPAddress? address);
}
