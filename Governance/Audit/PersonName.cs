using MinimalMcp.Auth.Server;

namespace MinimalMcp.Governance;

/// <summary>The name that the identity provider gave for a person: it says more to people than the subject.</summary>
internal static class PersonName
{
    /// <param name="person">As the store has it; null when nothing is known.</param>
    public static string? Of(string? person) =>
        SignedInUser.Read(person).Name is { } name
            ? SanitizedText.Show(TextLimit.Cut(name, TextLimit.Name), out _)
            : null;
}
