namespace MinimalMcp.Auth.Server;

/// <summary>The scopes that this server grants, in words, and what of a wish is granted.</summary>
internal static class GrantableScopes
{
    /// <summary>
    /// A refresh token (OpenID Connect Core, section 11). Every client that may refresh gets one; hosts ask with it all
    /// the same.
    /// </summary>
    public const string Offline = "offline_access";

    public const string Profile = "profile",
        Email = "email";

    /// <summary>Hosts ask for everything that is listed here, so nothing is that would be refused.</summary>
    public static readonly string[] All = [.. Scopes.Split(Scopes.All), Offline, Profile, Email];

    // For a client that asks for nothing in particular.
    private static readonly string[] Default = [Scopes.Read, Scopes.Write];

    /// <summary>
    /// What a client asks for, as far as it may. What is unknown is left out and not an error, because hosts ask for
    /// more than was offered; what is granted is reported (RFC 6749 section 3.3).
    /// </summary>
    /// <exception cref="OAuthException">Nothing is left.</exception>
    public static string[] Of(string asked, IReadOnlyCollection<string> client)
    {
        var wanted = Scopes.Split(asked).Distinct().ToArray();
        string[] granted = Within((wanted.Length > 0 ? wanted : Default).Intersect(All), client);
        return granted.Any(IsForTools)
            ? granted
            : throw new OAuthException("invalid_scope", "None of the scopes that were asked for can be granted.");
    }

    /// <summary>As much of a wish as there is. A larger scope contains the smaller ones.</summary>
    public static string[] Within(IEnumerable<string> wish, IReadOnlyCollection<string> had)
    {
        var level = had.Select(Scopes.Level).DefaultIfEmpty(-1).Max();
        return [.. wish.Where(scope => IsForTools(scope) ? Scopes.Level(scope) <= level : had.Contains(scope))];
    }

    /// <summary>The same for a person, whose own particulars are theirs to give.</summary>
    public static string[] OfPerson(IEnumerable<string> wish, IEnumerable<string> had) =>
        Within(wish, [.. had, Offline, Profile, Email]);

    public static bool IsForTools(string scope) => scope is not (Offline or Profile or Email);

    public static string InWords(string scope) =>
        scope switch
        {
            Offline => "Stay connected until you or the operator end it",
            Profile => "Learn your name",
            Email => "Learn your e-mail address",
            _ => Scopes.Meanings[scope],
        };
}
