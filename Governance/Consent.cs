using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>
/// Whether a call that may be made is made now: the caller's budgets, a dry run, and the confirmation of what is dangerous. A tool that changes something
/// takes <c>dry_run</c>, and one that is confirmed takes <c>confirmation_token</c>, beside its own arguments.
/// </summary>
internal sealed class Consent
{
    private const string DryRun = "dry_run";

    private static readonly JsonElement True = JsonElement.Parse("true");

    /// <summary>The argument that confirms a call.</summary>
    public const string Token = "confirmation_token";

    private readonly string _tool;
    private readonly Policy _policy;
    private readonly Gate _gate;
    private readonly bool _takesDryRun,
        _takesToken,
        _looksItself;

    public Consent(string tool, JsonElement schema, Policy policy, Gate gate)
    {
        (_tool, _policy, _gate) = (tool, policy, gate);
        var properties = schema.TryGetProperty("properties", out var own) ? own : default;
        _looksItself = properties.ValueKind is JsonValueKind.Object && properties.TryGetProperty(DryRun, out _);
        _takesDryRun = policy.Effect is not Effect.Read && !_looksItself;
        _takesToken = policy.NeedsConfirmation;
        Schema = _takesDryRun || _takesToken ? Extended(schema) : schema;
    }

    /// <summary>The tool's own schema, and what is asked here.</summary>
    public JsonElement Schema { get; }

    /// <summary>Nothing is asked of a tool that only reads and has no budget.</summary>
    public bool IsNeeded => _takesDryRun || _takesToken || _policy.Budgets.Count > 0;

    /// <summary>Returns when the call may happen now. The arguments have been checked.</summary>
    /// <param name="look">Makes the call as the tool's own dry run and gives what it answered, as JSON.</param>
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
            // A tool with a dry run of its own knows better what it would do; that changes nothing, so nobody has to confirm it.
            var looks =
                _looksItself
                && call.TryGetValue(DryRun, out var own)
                && own is JsonElement { ValueKind: JsonValueKind.True };
            if (dryRun || (_takesToken && token is null && !looks))
            {
                await _gate.Budgets.RequireAsync(_tool, _policy, call.Caller, spend: false, cancellationToken);
                throw new PreviewException(await PreviewAsync(call, dryRun, look, cancellationToken));
            }

            if (token is not null && _policy.NeedsApproval)
            {
                await _gate.Budgets.RequireAsync(_tool, _policy, call.Caller, spend: false, cancellationToken); // an approval is not spent on a refusal
                await _gate.Approvals.RedeemAsync(token, Describe(call), call, cancellationToken);
            }
            else if (token is not null)
            {
                await _gate.Confirmations.RedeemAsync(token, _tool, call, Canonical(call), cancellationToken);
            }

            // Looking changes nothing, so it spends nothing.
            await _gate.Budgets.RequireAsync(_tool, _policy, call.Caller, spend: !looks, cancellationToken);
        }
        catch (StorageException gone)
        {
            throw new ToolRefusedException(
                Refusal.Unavailable,
                $"{_tool} was not called, because the server cannot keep count of it now. Try again in a minute.",
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
            // What cannot be done is refused here, before anybody is asked to agree to it.
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
            return dryRun ? preview : await _gate.Approvals.OpenAsync(preview, call, cancellationToken);
        }

        var (token, expires) = await _gate.Confirmations.OpenAsync(_tool, call, preview.Arguments, cancellationToken);
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
                ["minLength"] = 1, // an empty one was left out by a caller that fills in every argument
                ["description"] =
                    "Leave out at first: the answer then shows what the call would do, and has a token. "
                    + (
                        _policy.NeedsApproval
                            ? "When a person has approved it where the answer says, call again with the same arguments and that token."
                            : "When the user has agreed, call again with the same arguments and that token."
                    ),
            };
        }

        return JsonSerializer.SerializeToElement(extended);
    }

    /// <summary>The arguments in one spelling, whatever order and spaces they came with.</summary>
    private static string Canonical(ToolCall call) =>
        JsonText.Of(
            call.Select(argument =>
                KeyValuePair.Create(
                    argument.Key,
                    argument.Value is JsonElement json ? json : JsonSerializer.SerializeToElement(argument.Value)
                )
            ),
            sorted: true
        );
}
