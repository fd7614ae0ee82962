namespace MinimalMcp.Auth;

/// <summary>What a caller may be allowed to do.</summary>
public static class Scopes
{
    public const string Read = "mcp:read", Write = "mcp:write", Execute = "mcp:execute", Admin = "mcp:admin";

    public const string All = $"{Read} {Write} {Execute} {Admin}";

    /// <summary>Separated by spaces, as OAuth writes them (RFC 6749 section 3.3).</summary>
    public static IEnumerable<string> Split(string scopes) => scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
