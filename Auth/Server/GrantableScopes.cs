namespace MinimalMcp.Auth.Server;

/// <summary>The scopes that this server grants, their descriptions, and which requested ones are granted.</summary>
internal static class GrantableScopes
{
    /// <summary>
    /// Requests a refresh token (OpenID Connect Core section 11). Clients that may refresh get one anyway, but many
    /// request this scope.
    /// </summary>
    public const string Offline = "offline_access";

    public const string Profile = "profile",
        Email = "email";

    /// <summary>Clients request everything that is listed here, so nothing is listed that would be refused.</summary>
    public static readonly string[] All = [.. Scopes.Split(Scopes.All), Offline, Profile, Email];

    // The default for a client that requests no scope.
    private static readonly string[] Default = [Scopes.Read, Scopes.Write];

    /// <summary>
    /// The requested scopes that may be granted. Unknown scopes are ignored and not an error, because clients request
    /// more than was offered. The granted scopes are reported (RFC 6749 section 3.3).
    /// </summary>
    /// <exception cref="OAuthException">None can be granted.</exception>
    public static string[] Of(string asked, IReadOnlyCollection<string> client)
    {
        var wanted = Scopes.Split(asked).Distinct().ToArray();
        string[] granted = Within((wanted.Length > 0 ? wanted : Default).Intersect(All), client);
        return granted.Any(IsForTools)
            ? granted
            : throw new OAuthException("invalid_scope", "None of the requested scopes can be granted.");
    }

    /// <summary>The requested scopes that are available. A higher scope includes the lower ones.</summary>
    public static string[] Within(IEnumerable<string> wish, IReadOnlyCollection<string> had)
    {
        var level = had.Select(Scopes.Level).DefaultIfEmpty(-1).Max();
        return [.. wish.Where(scope => IsForTools(scope) ? Scopes.Level(scope) <= level : had.Contains(scope))];
    }

    /// <summary>The same for a user, who may always share name and email.</summary>
    public static string[] OfPerson(IEnumerable<string> wish, IEnumerable<string> had) =>
        Within(wish, [.. had, Offline, Profile, Email]);

    public static bool IsForTools(string scope) => scope is not (Offline or Profile or Email);

    public static string InWords(string scope) =>
        scope switch
        {
            Offline => "Stay connected until you or the operator revoke access",
            Profile => "See your name",
            Email => "See your email address",
            _ => Scopes.Meanings[scope],
        };
}
