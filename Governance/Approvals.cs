using System.Security.Cryptography;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Configuration;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>
/// Calls that a person decides: the caller gets a token that is worth nothing until somebody else has approved. As with a confirmation it is for one
/// caller, one tool and these arguments, works once, and not for long; the store holds its hash, which is also the name that the person decides by.
/// </summary>
public sealed class Approvals(
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
    private const int MaxWaiting = 50;
    private const int MaxListed = 200;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The preview with a token that waits.</summary>
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
                $"{preview.Tool} was not called: {MaxWaiting} calls of this caller wait for approval already. Wait until a person has decided some at {Address()}."
            );
    }

    /// <summary>Returns when a person approved this call, which is then done once. Throws what the caller reads while it waits, and when it was denied.</summary>
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
                    $"{preview.Tool} was not called: {row!.DecidedBy} denied it. Do not ask for the same again unless the user wants it."
                );
            case "approved" when await store.RedeemApprovalAsync(id, binding, Now, cancellationToken):
                return;
            default:
                throw new ToolRefusedException(
                    Refusal.Confirmation,
                    $"{preview.Tool} was not called: this {Consent.Token} was used already, is older than {options.Value.ApproveWithin.TotalMinutes:0} minutes, or was given for another call. Call {preview.Tool} without it to ask for approval anew."
                );
        }
    }

    public Task<IReadOnlyList<ApprovalRow>> ListAsync(CancellationToken cancellationToken) =>
        store.ReadApprovalsAsync(Now, MaxListed, cancellationToken);

    /// <summary>Decides, on record before and after. Null when there is no such call any more; else whether this decision is the one that counts, or why not.</summary>
    public async Task<string?> DecideAsync(string id, bool approve, Caller by, CancellationToken cancellationToken)
    {
        if (await store.FindApprovalAsync(id, Now, cancellationToken) is not { } row)
        {
            return "This call waits no longer: it was made, or its time is over.";
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
        return decided ? null : "Somebody else has decided this call already.";

        AuditRow Record(string phase, string outcome) =>
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
    /// Why this person may not approve the call; null when they may. Whoever asked must not answer itself, whatever it
    /// comes with this time: its key, a token that it signed in for with that key, or a token of the client that asked.
    /// </summary>
    public string? WhyNot(ApprovalRow row, Caller by) =>
        by != Caller.Local && Redactor.Storable(by.Subject) == row.Subject
            ? $"You asked for this call yourself. Somebody else approves it{Otherwise()}."
        : row.Client is not null && Redactor.Storable(by.Client) == row.Client
            ? $"The client {row.Client}, whose token this is, asked for the call. "
                + $"Approve it {(auth.Value.TakesKeys ? "with a key, or " : "")}through another client."
        : null;

    // What the mode in force offers: two people need two of them.
    private string Otherwise() =>
        (auth.Value.TakesKeys, auth.Value.TakesTokens) switch
        {
            (true, false) => ", with another key that has the scope mcp:admin (Auth:ApiKeys:NAME)",
            (true, true) => ", with another key or another sign-in that has the scope mcp:admin",
            (false, true) => ", with another sign-in that has the scope mcp:admin",
            _ => "",
        };

    // Where the person goes; the server's own address when nobody said how the world calls it.
    private string Address() =>
        (
            PublicUrl.Configured(configuration)
            ?? services.GetService<IServer>()?.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault()
        ) + "/dashboard";
}
