using System.Security.Claims;
using System.Text.Json;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Diagnostics;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth.Server;

/// <summary>Who signed in, and what this person may allow a client.</summary>
/// <param name="Credential">With what; see <see cref="SignInCredentials.AreStillGood"/>.</param>
internal sealed record SignedInUser(
    string Subject,
    string[] Scopes,
    string? Credential,
    string? Name = null,
    string? Email = null
)
{
    /// <summary>For logs: the subject, with the name beside it that says more to people.</summary>
    public string Described =>
        Name is null || Name == Subject ? Subject : $"{Subject} ({RedactedRequest.Text(Name, 100)})";

    /// <summary>What a client may learn; null when there is nothing to know.</summary>
    public string? ToJson() => Name is null && Email is null ? null : JsonSerializer.Serialize(new[] { Name, Email });

    public static (string? Name, string? Email) Read(string? json) =>
        json is not null && JsonSerializer.Deserialize<string?[]>(json) is [var name, var email]
            ? (name, email)
            : default;
}

/// <summary>
/// What people sign in with on our own page: a key of the settings, which stands for the operator or whoever was given
/// it, or a name and a password.
/// </summary>
internal sealed partial class SignInCredentials(
    ApiKeys keys,
    ServerSecret secret,
    IOptions<AuthorizationServerOptions> options,
    RateLimiters limits,
    ILogger<SignInCredentials> log
)
{
    private const int MaxLength = 512;

    /// <summary>What helps while nobody can sign in.</summary>
    public const string HowToAdd =
        "Set MCP_API_KEY to what `openssl rand -hex 32` prints, and start the server again. "
        + "Whoever types that key on the sign-in page may allow a client.";

    /// <summary>Somebody can sign in.</summary>
    public bool AreThere => HasUsers || keys.AreThere;

    public bool HasUsers => options.Value.Users.Count > 0;

    /// <summary>
    /// The person, or why not. One sentence for everything that is wrong, so that nobody learns which names exist.
    /// </summary>
    /// <exception cref="OAuthException">Too many were wrong.</exception>
    public async Task<(SignedInUser? Person, string? Problem)> CheckAsync(
        string? name,
        string password,
        HttpContext http
    )
    {
        // A key of the length that we demand cannot be guessed: a right one is never refused for other people's wrong
        // ones.
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
            LogTooMany(http.Connection.RemoteIpAddress);
            throw OAuthException.BusyFor(
                busy,
                "Too many wrong keys or passwords came from your address. "
                    + "Wait some minutes, and start again from the application."
            );
        }

        LogWrong(name is null ? "key" : "name or password", http.Connection.RemoteIpAddress);
        return (
            null,
            HasUsers ? "That name and password, or that key, are not known here." : "That key is not known here."
        );
    }

    /// <summary>Somebody whom the identity provider signed in.</summary>
    public SignedInUser Of(ExternalUser person) =>
        new(person.Subject, [.. Scopes.Split(options.Value.SignInScopes)], null, person.Name, person.Email);

    /// <summary>
    /// Whether the key or password that a grant was made with is still in the settings: to take it away ends what it
    /// allowed.
    /// </summary>
    public bool AreStillGood(StoredGrant grant) =>
        grant.Credential switch
        {
            null => true,
            ['k', 'e', 'y', ' ', .. var hash] => keys.FindByHash(Convert.FromHexString(hash)) is { } person
                && Has(ScopesOf(person), grant),
            var used => options.Value.Users.GetValueOrDefault(grant.Subject) is { } user
                && ReferenceTokens.Same(CredentialOf(grant.Subject, user), used)
                && Has([.. Scopes.Split(user.Scopes)], grant),
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

    private static bool Has(string[] scopes, StoredGrant grant)
    {
        var granted = Scopes.Split(grant.Scope).ToArray();
        return GrantableScopes.OfPerson(granted, scopes).Length == granted.Length;
    }

    private string CredentialOf(string name, UserOptions user) =>
        secret.Fingerprint($"{name}\n{user.Password}\n{user.PasswordHash}");

    [LoggerMessage(LogLevel.Warning, "A sign-in from {Address} was refused: wrong {What}")]
    private partial void LogWrong(string what, System.Net.IPAddress? address);

    [LoggerMessage(LogLevel.Warning, "Sign-ins from {Address} are refused for some minutes: too many were wrong")]
    private partial void LogTooMany(System.Net.IPAddress? address);
}
