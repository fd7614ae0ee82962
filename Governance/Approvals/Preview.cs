using System.Text.Json;
using System.Text.Json.Nodes;

namespace MinimalMcp.Governance;

/// <summary>What a call would do. Nothing was done yet.</summary>
/// <param name="Arguments">The arguments that the tool would receive, as JSON.</param>
/// <param name="ConfirmationToken">
/// Confirms the call, once, together with the same arguments; after approval when there is an approval URL. Null after
/// a dry run.
/// </param>
internal sealed record Preview(
    string Tool,
    string Risk,
    string Effect,
    string Arguments,
    string? ConfirmationToken,
    DateTimeOffset? Expires
)
{
    /// <summary>The schema of <see cref="ToJson"/>, which replaces the result when nothing was done yet.</summary>
    public static readonly JsonElement Schema = JsonElement.Parse(
        """
        {
          "type": "object",
          "properties": {
            "status": { "type": "string", "enum": ["dry_run", "confirmation_required", "approval_required"] },
            "message": { "type": "string", "description": "What the call would do, and how to go on." },
            "tool": { "type": "string" },
            "risk": { "type": "string" },
            "effect": { "type": "string" },
            "arguments": { "type": "object", "properties": {}, "additionalProperties": true },
            "preview": { "description": "What the tool itself says that it would do, where it can say." },
            "confirmation_token": {
              "type": "string",
              "description": "Given with the same arguments, after the user agreed, it makes the call happen."
            },
            "expires": { "type": "string" },
            "approval_url": {
              "type": "string",
              "description": "Where a person approves the call before the token is worth anything."
            }
          },
          "required": ["status", "message", "tool", "risk", "effect", "arguments"]
        }
        """
    );

    // The message truncates a long preview; the JSON has all of it.
    private const int MaxShown = 2000;

    /// <summary>The result of the tool's own dry run as JSON; null without one.</summary>
    public string? Would { get; init; }

    /// <summary>Where a person approves the call; null when the caller's user confirms it.</summary>
    public string? ApprovalUrl { get; init; }

    /// <summary>The call was already pending.</summary>
    public bool StillWaits { get; init; }

    public string Message =>
        ConfirmationToken is null ? $"Dry run, nothing was done. {What}"
        : ApprovalUrl is not null
            ? $"Nothing was done yet: this {(StillWaits ? "still waits" : "waits")} for approval by a person at "
                + $"{ApprovalUrl}. {What} Tell the user. When it was approved, call {Tool} again before "
                + $"{Expires:HH:mm:ss} UTC with the same arguments and {ConfirmationPolicy.Token} "
                + $"\"{ConfirmationToken}\"."
        : $"Nothing was done yet, because this needs a confirmation. {What} If the user agrees, call {Tool} again "
            + $"before {Expires:HH:mm:ss} UTC with the same arguments and {ConfirmationPolicy.Token} "
            + $"\"{ConfirmationToken}\".";

    /// <summary>The preview for surfaces that respond with JSON.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject
        {
            ["status"] =
                ConfirmationToken is null ? "dry_run"
                : ApprovalUrl is null ? "confirmation_required"
                : "approval_required",
            ["message"] = Message,
            ["tool"] = Tool,
            ["risk"] = Risk,
            ["effect"] = Effect,
            ["arguments"] = JsonNode.Parse(Arguments),
        };
        if (Would is not null)
        {
            json["preview"] = JsonNode.Parse(Would);
        }

        if (ConfirmationToken is not null)
        {
            json[ConfirmationPolicy.Token] = ConfirmationToken;
            json["expires"] = Expires;
            if (ApprovalUrl is not null)
            {
                json["approval_url"] = ApprovalUrl;
            }
        }

        _ = new SanitizedJson().Show(json);
        return json;
    }

    /// <summary>The question for a user who is asked directly.</summary>
    public string Question => $"Call {Tool} (risk {Risk}, {Effect}) with {Arguments}?{Shown(" It would do this: ")}";

    private string What => $"It would call {Tool} (risk {Risk}, {Effect}) with {Arguments}.{Shown(" It shows: ")}";

    private string? Shown(string before) => Would is null ? null : before + TextLimit.Cut(Would, MaxShown);
}

/// <summary>Ends a call that is a dry run or awaits confirmation. It is a response and not a failure.</summary>
internal sealed class PreviewException(Preview preview) : Exception(preview.Message)
{
    public Preview Preview { get; } = preview;
}
