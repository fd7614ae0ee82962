using System.ComponentModel.DataAnnotations;

namespace MinimalMcp.Auth.Server;

/// <summary>The built-in authorization server. Configuration section <c>Auth:Server</c>.</summary>
internal sealed class AuthorizationServerOptions : IValidatableObject
{
    /// <summary>
    /// The secret that all keys are derived from. When it is not set, a random one is stored in a file beside the
    /// SQLite database. With PostgreSQL it must be set, the same for every replica.
    /// </summary>
    [DataType(DataType.Password)]
    public string? SecretKey { get; set; }

    /// <summary>The secret before <see cref="SecretKey"/>: stored values that it encrypted can still be read.</summary>
    [DataType(DataType.Password)]
    public string? PreviousSecretKey { get; set; }

    public int AccessTokenMinutes { get; set; } = 60;

    /// <summary>Counted from the last use, so that a connection in use never expires.</summary>
    public int RefreshTokenDays { get; set; } = 30;

    /// <summary>
    /// Days until a new signing key is created. The previous key stays published until its last token has expired.
    /// </summary>
    public int KeyDays { get; set; } = 90;

    /// <summary>
    /// open: any client with allowed redirect URIs may register itself (RFC 7591), as ChatGPT does. closed: only
    /// configured clients.
    /// </summary>
    public string Registration { get; set; } = "open";

    /// <summary>
    /// Hosts, separated by commas, that codes may be sent to besides ChatGPT's own URLs and loopback. Configured
    /// clients have redirect URIs of their own.
    /// </summary>
    public string? RedirectHosts { get; set; }

    /// <summary>A pre-registered client, for example a GPT Action.</summary>
    public string? ClientId { get; set; }

    [DataType(DataType.Password)]
    public string? ClientSecret { get; set; }

    /// <summary>The secret that replaces <see cref="ClientSecret"/>. Both are accepted during the rotation.</summary>
    [DataType(DataType.Password)]
    public string? NextClientSecret { get; set; }

    /// <summary>Redirect URIs, separated by commas.</summary>
    public string? RedirectUri { get; set; }

    /// <summary>
    /// The scopes that the client may be granted. By default a user may grant it any scope, and on its own behalf it
    /// may read.
    /// </summary>
    public string? Scope { get; set; }

    /// <summary>Further pre-registered clients, by client id.</summary>
    public Dictionary<string, StaticClientOptions> Clients { get; } = new(StringComparer.Ordinal);

    /// <summary>Client metadata documents that are configured instead of fetched: JSON, by any name.</summary>
    public Dictionary<string, string> Documents { get; } = new(StringComparer.Ordinal);

    /// <summary>The scopes that users of an identity provider may grant to a client.</summary>
    public string SignInScopes { get; set; } = $"{Scopes.Read} {Scopes.Write} {Scopes.Execute}";

    /// <summary>Users who sign in with a password of this server. Section <c>Auth:Users</c>.</summary>
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

    /// <summary>A client with a secret works even while no user can sign in: it may use client credentials.</summary>
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
            yield return "Auth:Server:AccessTokenMinutes (ACCESS_TOKEN_EXPIRE_MINUTES) must be between 1 and 1440. "
                + "A stolen token is valid for that long.";
        }

        if (RefreshTokenDays is < 1 or > 3650)
        {
            yield return "Auth:Server:RefreshTokenDays (REFRESH_TOKEN_EXPIRE_DAYS) must be between 1 and 3650.";
        }

        if (KeyDays is < 1 or > 3650)
        {
            yield return "Auth:Server:KeyDays must be between 1 and 3650.";
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
            yield return $"Auth:Server:RedirectHosts has '{host}'; it must be a host name such as claude.ai, "
                + "without https:// and without a path.";
        }

        if (string.IsNullOrEmpty(ClientId) && !string.IsNullOrEmpty(ClientSecret + NextClientSecret + RedirectUri))
        {
            yield return "Auth:Server:ClientSecret or RedirectUri (OAUTH_CLIENT_SECRET, OAUTH_REDIRECT_URI) is "
                + "set, but Auth:Server:ClientId (OAUTH_CLIENT_ID) is not. Set OAUTH_CLIENT_ID too.";
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
            _ = ClientMetadataDocuments.Pinned(document);
            return null;
        }
        catch (OAuthException unfit)
        {
            return unfit.Message;
        }
    }
}
