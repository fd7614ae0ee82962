using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>
/// Decides whether an allowed call runs now: budgets, dry run, and the confirmation of dangerous calls. A tool that
/// changes something takes <c>dry_run</c>, and one that needs confirmation takes <c>confirmation_token</c>, in addition
/// to its own arguments.
/// </summary>
internal sealed class ConfirmationPolicy
{
    private const string DryRun = "dry_run";

    private static readonly JsonElement True = JsonElement.Parse("true");

    /// <summary>The name of the argument that confirms a call.</summary>
    public const string Token = "confirmation_token";

    private readonly string _tool;
    private readonly ToolPolicy _policy;
    private readonly GovernanceServices _services;
    private readonly bool _takesDryRun,
        _takesToken,
        _looksItself;

    public ConfirmationPolicy(string tool, JsonElement schema, ToolPolicy policy, GovernanceServices services)
    {
        (_tool, _policy, _services) = (tool, policy, services);
        var properties = schema.TryGetProperty("properties", out var own) ? own : default;
        var hasDryRun = properties.ValueKind is JsonValueKind.Object && properties.TryGetProperty(DryRun, out _);
        _looksItself = hasDryRun && !policy.IsOfOtherServer;
        _takesDryRun = policy.Effect is not Effect.Read && !hasDryRun;
        _takesToken = policy.NeedsConfirmation;
        Schema = _takesDryRun || _takesToken ? Extended(schema) : schema;
    }

    /// <summary>The tool's schema with the added arguments.</summary>
    public JsonElement Schema { get; }

    /// <summary>False for tools that only read and have no budget.</summary>
    public bool IsNeeded => _takesDryRun || _takesToken || _policy.Budgets.Count > 0;

    /// <summary>Returns when the call may run. The arguments have been validated.</summary>
    /// <param name="look">Runs the tool's own dry run and returns its result as JSON.</param>
    public async ValueTask RequireAsync(
        ToolCall call,
        Func<ToolCall, CancellationToken, ValueTask<string?>> look,
        CancellationToken cancellationToken
    )
    {
        var dryRun =
            _takesDryRun && call.Remove(DryRun, out var dry) && dry is JsonElement { ValueKind: JsonValueKind.True };
        var token =
            _takesToken
            && call.Remove(Token, out var given)
            && given is JsonElement { ValueKind: JsonValueKind.String } text
                ? text.GetString()
                : null;
        try
        {
            // A tool's own dry run is more precise. It changes nothing, so it needs no confirmation.
            var looks =
                _looksItself
                && call.TryGetValue(DryRun, out var own)
                && own is JsonElement { ValueKind: JsonValueKind.True };
            if (dryRun || (_takesToken && token is null && !looks))
            {
                await _services.Budgets.RequireAsync(_tool, _policy, call.Caller, spend: false, cancellationToken);
                throw new PreviewException(await PreviewAsync(call, dryRun, look, cancellationToken));
            }

            if (token is not null && _policy.NeedsApproval)
            {
                // a refusal must not consume the approval
                await _services.Budgets.RequireAsync(_tool, _policy, call.Caller, spend: false, cancellationToken);
                await _services.Approvals.RedeemAsync(token, Describe(call), call, cancellationToken);
            }
            else if (token is not null)
            {
                await _services.Confirmations.RedeemAsync(token, _tool, call, Canonical(call), cancellationToken);
            }

            // Looking changes nothing, so it spends nothing.
            await _services.Budgets.RequireAsync(_tool, _policy, call.Caller, spend: !looks, cancellationToken);
        }
        catch (StorageException gone)
        {
            throw new ToolRefusedException(
                Refusal.Unavailable,
                $"{_tool} was not called, because the server's store is unavailable and the call cannot be counted. "
                    + "Try again in a minute.",
                gone
            );
        }
    }

    private async ValueTask<Preview> PreviewAsync(
        ToolCall call,
        bool dryRun,
        Func<ToolCall, CancellationToken, ValueTask<string?>> look,
        CancellationToken cancellationToken
    )
    {
        var preview = Describe(call);
        if (_looksItself)
        {
            // A call that cannot succeed is refused here, before anybody is asked to confirm it.
            var given = call.GetValueOrDefault(DryRun);
            call[DryRun] = True;
            preview = preview with { Would = await look(call, cancellationToken) };
            call.Remove(DryRun);
            if (given is not null)
            {
                call[DryRun] = given;
            }
        }

        if (dryRun || _policy.NeedsApproval)
        {
            return dryRun ? preview : await _services.Approvals.OpenAsync(preview, call, cancellationToken);
        }

        var (token, expires) = await _services.Confirmations.OpenAsync(
            _tool,
            call,
            preview.Arguments,
            cancellationToken
        );
        return preview with { ConfirmationToken = token, Expires = expires };
    }

    private Preview Describe(ToolCall call) =>
        new(
            _tool,
            _policy.Level,
            _policy.Effect switch
            {
                Effect.Read => "only reads",
                Effect.Write => "changes something",
                _ => "cannot be undone",
            },
            Canonical(call),
            null,
            null
        );

    private JsonElement Extended(JsonElement schema)
    {
        var extended = JsonObject.Create(schema)!;
        var properties =
            extended["properties"] as JsonObject ?? (JsonObject)(extended["properties"] = new JsonObject());
        if (_takesDryRun)
        {
            properties[DryRun] = new JsonObject
            {
                ["type"] = "boolean",
                ["description"] = "true only shows what the call would do, and does nothing.",
            };
        }

        if (_takesToken)
        {
            properties[Token] = new JsonObject
            {
                ["type"] = "string",
                ["minLength"] = 1, // callers that fill in every argument send an empty string for one that they omit
                ["description"] =
                    "Leave out at first: the answer then shows what the call would do, and has a token. "
                    + (
                        _policy.NeedsApproval
                            ? "When a person has approved it where the answer says, call again with the same "
                                + "arguments and that token."
                            : "When the user has agreed, call again with the same arguments and that token."
                    ),
            };
        }

        return JsonSerializer.SerializeToElement(extended);
    }

    /// <summary>The arguments in canonical form, whatever order and spaces they came with.</summary>
    private static string Canonical(ToolCall call) =>
        JsonRewriter.Of(
            call.Select(argument =>
                KeyValuePair.Create(
                    argument.Key,
                    argument.Value is JsonElement json ? json : JsonSerializer.SerializeToElement(argument.Value)
                )
            ),
            sorted: true
        );
}
