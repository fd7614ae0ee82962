namespace MinimalMcp.Auth;

/// <summary>What a caller may be allowed to do. A larger scope contains the smaller ones.</summary>
public static class Scopes
{
    public const string Read = "mcp:read",
        Write = "mcp:write",
        Execute = "mcp:execute",
        Admin = "mcp:admin";

    public const string All = $"{Read} {Write} {Execute} {Admin}";

    private static readonly string[] Hierarchy = [Read, Write, Execute, Admin];

    /// <summary>What each scope means to whoever is asked for it.</summary>
    public static IReadOnlyDictionary<string, string> Meanings { get; } =
        new Dictionary<string, string>
        {
            [Read] = "Look things up",
            [Write] = "Change things",
            [Execute] = "Do what cannot be undone, or is risky",
            [Admin] = "Look after the server: the record of calls, approvals, diagnostics",
        };

    /// <summary>Separated by spaces, as OAuth writes them (RFC 6749 section 3.3).</summary>
    public static IEnumerable<string> Split(string scopes) => scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>How far a scope reaches; -1 when it is none of ours.</summary>
    public static int Level(string scope) => Array.IndexOf(Hierarchy, scope);

    /// <summary>The scope that reaches as far.</summary>
    internal static string OfLevel(int level) => Hierarchy[Math.Min(level, Hierarchy.Length - 1)];

    /// <summary>A scope with all that it contains: a client that asks for exactly these keeps what it had before.</summary>
    public static string UpTo(string scope) => string.Join(' ', Hierarchy[..(Level(scope) + 1)]);
}
