using System.ComponentModel.DataAnnotations;

namespace MinimalMcp.Auth.Server;

/// <summary>The authorization server of our own; configuration section <c>Auth:Server</c>.</summary>
public sealed class AuthorizationServerOptions : IValidatableObject
{
    /// <summary>
    /// What everything secret is derived from. Without one a random one is kept in a file beside the SQLite database; with PostgreSQL it must be
    /// set, the same for every replica.
    /// </summary>
    [DataType(DataType.Password)]
    public string? SecretKey { get; set; }

    public int AccessTokenMinutes { get; set; } = 60;

    /// <summary>Since it was last used: a connection that is in use never ends.</summary>
    public int RefreshTokenDays { get; set; } = 30;

    /// <summary>After so many days tokens are signed with a new key; the one before it stays published until its last token has expired.</summary>
    public int KeyDays { get; set; } = 90;

    /// <summary>open: any client whose redirect addresses are allowed may register itself (RFC 7591), which ChatGPT does. Or closed.</summary>
    public string Registration { get; set; } = "open";

    /// <summary>
    /// Hosts, separated by commas, that codes may be sent to besides ChatGPT's own addresses and programs on the user's machine. Clients of the settings
    /// have addresses of their own.
    /// </summary>
    public string? RedirectHosts { get; set; }

    /// <summary>One client that is known beforehand, as a GPT Action is.</summary>
    public string? ClientId { get; set; }

    [DataType(DataType.Password)]
    public string? ClientSecret { get; set; }

    /// <summary>The secret that replaces <see cref="ClientSecret"/>; both are accepted meanwhile.</summary>
    [DataType(DataType.Password)]
    public string? NextClientSecret { get; set; }

    /// <summary>Separated by commas.</summary>
    public string? RedirectUri { get; set; }

    /// <summary>
    /// What that client may be allowed at most. Without one a person may allow it anything, and by itself it may read.
    /// </summary>
    public string? Scope { get; set; }

    /// <summary>More such clients, by their id.</summary>
    public Dictionary<string, StaticClientOptions> Clients { get; } = new(StringComparer.Ordinal);

    /// <summary>Metadata documents of clients that are known beforehand, and so are not fetched: JSON, by any name.</summary>
    public Dictionary<string, string> Documents { get; } = new(StringComparer.Ordinal);

    /// <summary>What people may allow a client at most who sign in with an identity provider.</summary>
    public string SignInScopes { get; set; } = $"{Scopes.Read} {Scopes.Write} {Scopes.Execute}";

    /// <summary>People who sign in with a password of this server; section <c>Auth:Users</c>.</summary>
    public Dictionary<string, UserOptions> Users { get; } = new(StringComparer.Ordinal);

    internal bool IsOpen => Registration.Equals("open", StringComparison.OrdinalIgnoreCase);

    internal IReadOnlyList<string> Hosts =>
        (RedirectHosts ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    internal IEnumerable<KeyValuePair<string, StaticClientOptions>> StaticClients =>
        ClientId is { Length: > 0 } id
            ? Clients.Append(
                new(
                    id,
                    new()
                    {
                        Secret = ClientSecret,
                        NextSecret = NextClientSecret,
                        RedirectUris = RedirectUri,
                        Scope = Scope,
                    }
                )
            )
            : Clients;

    /// <summary>
    /// A client with a secret is of use even while nobody can sign in: it may call by itself (client credentials).
    /// </summary>
    internal bool HasConfidentialClient => StaticClients.Any(client => client.Value.Secret is { Length: > 0 });

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        Problems().Select(problem => new ValidationResult(problem));

    private IEnumerable<string> Problems()
    {
        if (SecretKey is { Length: > 0 } && WeakSecret.Problem(SecretKey) is { } weak)
        {
            yield return $"Auth:Server:SecretKey (SECRET_KEY) {weak}";
        }

        if (AccessTokenMinutes is < 1 or > 1440)
        {
            yield return "Auth:Server:AccessTokenMinutes (ACCESS_TOKEN_EXPIRE_MINUTES) must be from 1 to 1440: a token that was stolen is good for as long.";
        }

        if (RefreshTokenDays is < 1 or > 3650)
        {
            yield return "Auth:Server:RefreshTokenDays (REFRESH_TOKEN_EXPIRE_DAYS) must be from 1 to 3650.";
        }

        if (KeyDays is < 1 or > 3650)
        {
            yield return "Auth:Server:KeyDays must be from 1 to 3650.";
        }

        if (!IsOpen && !Registration.Equals("closed", StringComparison.OrdinalIgnoreCase))
        {
            yield return $"Auth:Server:Registration is '{Registration}'; it must be open or closed.";
        }

        foreach (var scope in Scopes.Split(SignInScopes).Except(Scopes.Split(Scopes.All)))
        {
            yield return $"Auth:Server:SignInScopes has '{scope}'; the scopes are {Scopes.All}.";
        }

        foreach (var host in Hosts.Where(host => Uri.CheckHostName(host.Trim('[', ']')) is UriHostNameType.Unknown))
        {
            yield return $"Auth:Server:RedirectHosts has '{host}'; it must be the name of a host, such as claude.ai, without https:// and without a path.";
        }

        if (string.IsNullOrEmpty(ClientId) && !string.IsNullOrEmpty(ClientSecret + NextClientSecret + RedirectUri))
        {
            yield return "Auth:Server:ClientSecret or RedirectUri (OAUTH_CLIENT_SECRET, OAUTH_REDIRECT_URI) is set, but no Auth:Server:ClientId (OAUTH_CLIENT_ID).";
        }

        foreach (
            var problem in StaticClients.SelectMany(client =>
                client
                    .Value.Problems()
                    .Select(problem => $"Client {client.Key} (Auth:Server:Clients, or OAUTH_CLIENT_ID): {problem}")
            )
        )
        {
            yield return problem;
        }

        foreach (var (name, document) in Documents)
        {
            if (Problem(document) is { } problem)
            {
                yield return $"Auth:Server:Documents:{name}: {problem}";
            }
        }

        foreach (var user in Users.Keys.Where(user => Subjects.Problem(user) is not null))
        {
            yield return $"Auth:Users:{user} {Subjects.Problem(user)}";
        }

        foreach (
            var problem in Users.SelectMany(user =>
                user.Value.Problems().Select(problem => $"Auth:Users:{user.Key}:{problem}")
            )
        )
        {
            yield return problem;
        }
    }

    private static string? Problem(string document)
    {
        try
        {
            _ = ClientDocuments.Pinned(document);
            return null;
        }
        catch (OAuthException unfit)
        {
            return unfit.Message;
        }
    }
}
