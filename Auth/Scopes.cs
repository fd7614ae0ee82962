namespace MinimalMcp.Auth;

/// <summary>The scopes. A higher scope includes the lower ones.</summary>
internal static class Scopes
{
    public const string Read = "mcp:read",
        Write = "mcp:write",
        Execute = "mcp:execute",
        Admin = "mcp:admin";

    public const string All = $"{Read} {Write} {Execute} {Admin}";

    private static readonly string[] Hierarchy = [Read, Write, Execute, Admin];

    /// <summary>The description of each scope, for consent pages and documents.</summary>
    public static IReadOnlyDictionary<string, string> Meanings { get; } =
        new Dictionary<string, string>
        {
            [Read] = "Read data",
            [Write] = "Create and change data",
            [Execute] = "Run risky or irreversible operations",
            [Admin] = "Administer the server: audit log, approvals, diagnostics",
        };

    /// <summary>Splits a space-separated list (RFC 6749 section 3.3).</summary>
    public static IEnumerable<string> Split(string scopes) => scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The rank of a scope; -1 when it is not one of ours.</summary>
    public static int Level(string scope) => Array.IndexOf(Hierarchy, scope);

    /// <summary>The scope of a rank.</summary>
    internal static string OfLevel(int level) => Hierarchy[Math.Min(level, Hierarchy.Length - 1)];

    /// <summary>A scope and all lower ones. A client that requests exactly these keeps what it had before.</summary>
    public static string UpTo(string scope) => string.Join(' ', Hierarchy[..(Level(scope) + 1)]);
}
