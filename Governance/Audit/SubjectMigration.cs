using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Auth.Provider;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>
/// Callers of a store that was written when people of an identity provider were known by their subject alone, and so
/// had one name with a key or a user of this server that was called the same.
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

    // Of several tenants nobody can tell any more who was of which.
    private readonly string? _issuer =
        provider.Value.IsMultiTenant && provider.Value.TokenIssuers.Count > 1 ? null
        : provider.Value.IsMultiTenant ? provider.Value.TokenIssuers.Single()
        : provider.Value.Issuers is [var first, ..] ? first
        : null;

    public string Now(string subject) => _ours.Contains(subject) ? subject : AtProvider(subject);

    public string AtProvider(string subject) =>
        _issuer is null || Subjects.IsReserved(subject) ? subject : Subjects.Of(_issuer, subject);

    // The store has the arguments without their secrets: where there were any, the binding cannot be made again.
    public string? Bind(StoredApproval approval, string subject) =>
        Confirmations.Binding(approval.Subject, approval.Client, approval.Tool, approval.Arguments) == approval.Binding
            ? Confirmations.Binding(subject, approval.Client, approval.Tool, approval.Arguments)
            : null;
}
