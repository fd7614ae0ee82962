using MinimalMcp.Auth.Server;

namespace MinimalMcp.Governance;

/// <summary>The user's name from the identity provider, which is more readable than the subject.</summary>
internal static class PersonName
{
    /// <param name="person">The stored value; null when nothing is known.</param>
    public static string? Of(string? person) =>
        SignedInUser.Read(person).Name is { } name ? SanitizedText.Show(TextLimit.Cut(name, TextLimit.Name)) : null;
}
