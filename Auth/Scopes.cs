namespace MinimalMcp.Auth;

/// <summary>What a caller may be allowed to do.</summary>
public static class Scopes
{
    public const string All = "mcp:read mcp:write mcp:execute mcp:admin";

    /// <summary>Separated by spaces, as OAuth writes them (RFC 6749 section 3.3).</summary>
    public static IEnumerable<string> Split(string scopes) => scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
