using System.Text.Json;
using MinimalMcp.Auth.Server;
using MinimalMcp.Auth.Tokens;

namespace MinimalMcp.Auth.Provider;

/// <summary>The users of the identity provider that the settings admit.</summary>
internal sealed class UserAllowList(ProviderOptions options)
{
    private readonly HashSet<string> _users = new(
        ProviderOptions.List(options.AllowedUsers),
        StringComparer.OrdinalIgnoreCase
    );
    private readonly HashSet<string> _domains = new(
        ProviderOptions.List(options.AllowedDomains).Select(domain => domain.TrimStart('@')),
        StringComparer.OrdinalIgnoreCase
    );
    private readonly HashSet<string> _roles = new(ProviderOptions.List(options.AllowedRoles), StringComparer.Ordinal);

    private readonly HashSet<string> _adminRoles = new(
        ProviderOptions.List(options.AdminRoles),
        StringComparer.Ordinal
    );

    private readonly RoleClaims _claims = new(options, ProviderOptions.List(options.ClientId));

    /// <summary>No list is configured: every user of the provider is admitted.</summary>
    public bool AreEverybody => _users.Count + _domains.Count + _roles.Count == 0;

    public bool Include(VerifiedToken person) =>
        AreEverybody
        || (
            Email(person) is { } email
            && (_users.Contains(email) || _domains.Contains(email[(email.LastIndexOf('@') + 1)..]))
        )
        || (person.Subject is { } subject && _users.Contains(subject))
        || (person.Text("oid") is { } account && _users.Contains(account))
        || (_roles.Count > 0 && _claims.Of(person).Any(_roles.Contains));

    /// <summary>
    /// Whether a needed claim is missing from the ID token. UserInfo is then requested (OpenID Connect Core section
    /// 5.4: a provider may leave the claims of profile and email out of the ID token).
    /// </summary>
    public bool Misses(VerifiedToken person) =>
        person.Text("email") is null
        || (person.Text("name") ?? person.Text("preferred_username")) is null
        || (_roles.Count + _adminRoles.Count > 0 && !_claims.Of(person).Any());

    /// <summary>
    /// The email address, only when the provider has verified it: in some providers users enter any address. Entra
    /// verifies by domain and reports that in a claim of its own (xms_edov), which an application must request. Its
    /// preferred_username and upn can change and be reassigned, so they identify nobody.
    /// </summary>
    public static string? Email(VerifiedToken person) =>
        person.Text("email") is { Length: > 2 } email
        && email.Contains('@')
        && (IsTrue(person, "email_verified") || IsTrue(person, "xms_edov"))
            ? email
            : null;

    public ExternalUser Describe(VerifiedToken person, string subject) =>
        new(
            subject,
            person.Text("name") ?? person.Text("preferred_username"),
            Email(person),
            _adminRoles.Count > 0 && _claims.Of(person).Any(_adminRoles.Contains)
        );

    private static bool IsTrue(VerifiedToken token, string claim) =>
        token.Payload.TryGetProperty(claim, out var value)
        && value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.String => value.GetString() is "true" or "True" or "1",
            JsonValueKind.Number => value.GetRawText() is "1",
            _ => false,
        };
}
