using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Auth.Provider;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>
/// Migrates a store in which users of an identity provider were identified by their subject alone, so that they could
/// share a name with a key or a user of this server.
/// </summary>
internal sealed class SubjectMigration(
    IOptions<AuthOptions> auth,
    IOptions<ProviderOptions> provider,
    IConfiguration configuration
) : ISubjectMigration
{
    private readonly HashSet<string> _ours =
    [
        "default",
        .. auth.Value.ApiKeys.Keys,
        .. configuration.GetSection("Auth:Users").GetChildren().Select(user => user.Key),
    ];

    // With several tenants the tenant of a user can no longer be determined.
    private readonly string? _issuer =
        provider.Value.IsMultiTenant && provider.Value.TokenIssuers.Count > 1 ? null
        : provider.Value.IsMultiTenant ? provider.Value.TokenIssuers.Single()
        : provider.Value.Issuers is [var first, ..] ? first
        : null;

    public string Now(string subject) => _ours.Contains(subject) ? subject : AtProvider(subject);

    public string AtProvider(string subject) =>
        _issuer is null || Subjects.IsReserved(subject) ? subject : Subjects.Of(_issuer, subject);

    // The stored arguments are redacted: where they had secrets, the binding cannot be recomputed.
    public string? Bind(StoredApproval approval, string subject) =>
        Confirmations.Binding(approval.Subject, approval.Client, approval.Tool, approval.Arguments) == approval.Binding
            ? Confirmations.Binding(subject, approval.Client, approval.Tool, approval.Arguments)
            : null;
}
