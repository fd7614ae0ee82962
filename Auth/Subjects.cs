namespace MinimalMcp.Auth;

/// <summary>
/// Names of callers. A subject is unique only within its issuer (RFC 7519 section 4.1.2), so a subject of an identity
/// provider is prefixed with the issuer. Keys, users and clients of this server have no prefix.
/// </summary>
internal static class Subjects
{
    private const char Separator = '|';
    private const string Client = "client:";

    private static readonly string[] Reserved = ["local", "anonymous"];

    /// <summary>A user or a client of an identity provider.</summary>
    public static string Of(string issuer, string subject) => issuer + Separator + subject;

    /// <summary>A client that calls on its own behalf.</summary>
    public static string OfClient(string id) => Client + id;

    /// <summary>Why a name cannot be used for a key or a user; null when it can.</summary>
    public static string? Problem(string name) =>
        IsReserved(name)
            ? $"is reserved: {string.Join(", ", Reserved)}, names that begin with '{Client}' and names with "
                + $"'{Separator}' stand for other callers. Choose another name."
            : null;

    /// <summary>Whether the name cannot be used for a key or a user.</summary>
    public static bool IsReserved(string name) =>
        Reserved.Contains(name) || name.StartsWith(Client, StringComparison.Ordinal) || name.Contains(Separator);
}
