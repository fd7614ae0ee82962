using System.Security.Cryptography;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Configuration;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>
/// Manual approval of calls: the caller gets a token that is void until somebody else has approved. Like a confirmation
/// token it is for one caller, one tool and the given arguments, works once, and expires. The store holds its hash,
/// which is also the id of the approval.
/// </summary>
internal sealed class Approvals(
    Store store,
    Redactor redactor,
    AuditLog audit,
    IOptions<GovernanceOptions> options,
    IOptions<AuthOptions> auth,
    IConfiguration configuration,
    IServiceProvider services,
    TimeProvider time
)
{
    /// <summary>In the audit log, before the id of the call that asked for the approval of another.</summary>
    public const string RequestedAs = "requested as call ";

    private const int MaxWaiting = 50;
    private const int MaxListed = 200;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Opens an approval and returns the preview with its token.</summary>
    public async ValueTask<Preview> OpenAsync(Preview preview, ToolCall call, CancellationToken cancellationToken)
    {
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var expires = time.GetUtcNow() + options.Value.ApproveWithin;
        var opened = await store.OpenApprovalAsync(
            new()
            {
                Id = Confirmations.Hash(token),
                Binding = Confirmations.Binding(preview.Tool, call, preview.Arguments),
                Tool = preview.Tool,
                Level = preview.Risk,
                Effect = preview.Effect,
                Subject = Redactor.Storable(call.Caller.Subject)!,
                Client = Redactor.Storable(call.Caller.Client),
                Address = call.Origin.Address?.ToString(),
                Surface = call.Surface,
                Arguments = redactor.CleanArguments(preview.Arguments),
                Preview = preview.Would is { } would ? redactor.CleanArguments(would) : null,
                CallId = call.Id,
                At = Now,
                Expires = expires.ToUnixTimeMilliseconds(),
            },
            MaxWaiting,
            cancellationToken
        );
        return opened
            ? preview with
            {
                ConfirmationToken = token,
                Expires = expires,
                ApprovalUrl = Address(),
            }
            : throw new ToolRefusedException(
                Refusal.Budget,
                $"{preview.Tool} was not called: {MaxWaiting} calls of this caller already await approval. Wait "
                    + $"until some are decided at {Address()}."
            );
    }

    /// <summary>
    /// Returns when the call was approved; it then runs once. Throws the preview while the call is pending, and a
    /// refusal when it was denied.
    /// </summary>
    public async ValueTask RedeemAsync(
        string token,
        Preview preview,
        ToolCall call,
        CancellationToken cancellationToken
    )
    {
        var (id, binding) = (Confirmations.Hash(token), Confirmations.Binding(preview.Tool, call, preview.Arguments));
        var row = await store.FindApprovalAsync(id, Now, cancellationToken);
        switch (row?.Binding == binding ? row.Status : null)
        {
            case "waiting":
                throw new PreviewException(
                    preview with
                    {
                        ConfirmationToken = token,
                        Expires = DateTimeOffset.FromUnixTimeMilliseconds(row!.Expires),
                        ApprovalUrl = Address(),
                        StillWaits = true,
                    }
                );
            case "denied":
                throw new ToolRefusedException(
                    Refusal.Confirmation,
                    $"{preview.Tool} was not called: {row!.DecidedBy} denied it. Do not request the same call again "
                        + "unless the user wants it."
                );
            case "approved" when await store.RedeemApprovalAsync(id, binding, Now, cancellationToken):
                call.Approval = $"approved by {row!.DecidedBy}; {RequestedAs}{row.CallId}";
                return;
            default:
                throw new ToolRefusedException(
                    Refusal.Confirmation,
                    $"{preview.Tool} was not called: the {ConfirmationPolicy.Token} was already used, is older than "
                        + $"{options.Value.ApproveWithin.TotalMinutes:0} minutes, or belongs to another call. Call "
                        + $"{preview.Tool} without it to request approval again."
                );
        }
    }

    public Task<IReadOnlyList<StoredApproval>> ListAsync(CancellationToken cancellationToken) =>
        store.ReadApprovalsAsync(Now, MaxListed, cancellationToken);

    /// <summary>
    /// Decides a call, with audit entries before and after. Returns null on success, otherwise why the decision does
    /// not count.
    /// </summary>
    public async Task<string?> DecideAsync(string id, bool approve, Caller by, CancellationToken cancellationToken)
    {
        if (await store.FindApprovalAsync(id, Now, cancellationToken) is not { } row)
        {
            return "This call is no longer pending: it was made, or it expired.";
        }

        if (approve && WhyNot(row, by) is { } own)
        {
            return own;
        }

        await audit.WriteAsync(Record("intent", "intent"));
        var decided = await store.DecideApprovalAsync(
            id,
            approve,
            Redactor.Storable(by.Subject)!,
            Now,
            cancellationToken
        );
        await audit.WriteSoonAsync(
            Record(
                "outcome",
                !decided ? "refused: decided"
                    : approve ? "approved"
                    : "denied"
            )
        );
        return decided ? null : "Somebody else has already decided this call.";

        AuditEntry Record(string phase, string outcome) =>
            new()
            {
                At = Now,
                Phase = phase,
                CallId = row.CallId,
                Subject = by.Subject,
                Client = by.Client,
                Surface = "approvals",
                Tool = row.Tool,
                Level = row.Level,
                Arguments = phase == "intent" ? row.Arguments : null,
                Outcome = outcome,
                Detail = $"to {(approve ? "approve" : "deny")} the call of {row.Subject}",
            };
    }

    /// <summary>
    /// Why this caller may not approve the call; null when it may. Nobody may approve their own request, whatever they
    /// authenticate with: the same key, a token that was obtained with that key, or a token of the requesting client.
    /// </summary>
    public string? WhyNot(StoredApproval row, Caller by) =>
        by != Caller.Local && Redactor.Storable(by.Subject) == row.Subject
            ? $"You requested this call yourself. Somebody else must approve it{Otherwise()}."
        : row.Client is not null && Redactor.Storable(by.Client) == row.Client
            ? $"The client {row.Client}, whose token you use, requested the call. Approve it "
                + $"{(auth.Value.TakesKeys ? "with an API key, or " : "")}with another client."
        : null;

    // How the current mode distinguishes two people.
    private string Otherwise() =>
        (auth.Value.TakesKeys, auth.Value.TakesTokens) switch
        {
            (true, false) => ", with another API key that has the scope mcp:admin (Auth:ApiKeys:NAME)",
            (true, true) => ", with another API key or another sign-in that has the scope mcp:admin",
            (false, true) => ", with another sign-in that has the scope mcp:admin",
            _ => "",
        };

    // The URL of the approvals page, based on the listening address when PUBLIC_URL is not set.
    private string Address() =>
        (
            PublicUrl.Configured(configuration)
            ?? services.GetService<IServer>()?.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault()
        ) + "/dashboard";
}
