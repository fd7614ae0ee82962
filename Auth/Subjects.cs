namespace MinimalMcp.Auth;

/// <summary>
/// The names of callers. A subject is unique within its issuer only (RFC 7519 section 4.1.2), so one of an identity
/// provider has the issuer in front. Those of this server have none: keys, its own users and its clients.
/// </summary>
internal static class Subjects
{
    private const char Separator = '|';
    private const string Client = "client:";

    private static readonly string[] Reserved = ["local", "anonymous"];

    /// <summary>A person, or a program, of an identity provider.</summary>
    public static string Of(string issuer, string subject) => issuer + Separator + subject;

    /// <summary>A client that calls by itself.</summary>
    public static string OfClient(string id) => Client + id;

    /// <summary>What is wrong with a name that an operator gives to a key or a user; null when nothing is.</summary>
    public static string? Problem(string name) =>
        IsReserved(name)
            ? $"is not a good name: {string.Join(", ", Reserved)}, names that begin with '{Client}' and names with "
                + $"'{Separator}' stand for other callers."
            : null;

    /// <summary>It cannot be the name of a key or a user.</summary>
    public static bool IsReserved(string name) =>
        Reserved.Contains(name) || name.StartsWith(Client, StringComparison.Ordinal) || name.Contains(Separator);
}
