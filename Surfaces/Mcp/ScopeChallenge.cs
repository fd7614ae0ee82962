using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Auth;
using MinimalMcp.Governance;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// Challenges a call whose caller lacks the tool's scope, where OAuth is enabled, so that the client can request more.
/// HTTP reports it as 403 (MCP authorization, "Scope Challenge Handling"), which every client supports. Where guests
/// are admitted, or the response is not that of the request, the result carries the challenge, which ChatGPT supports.
/// </summary>
internal sealed class ScopeChallenge(BearerChallenges challenges)
{
    private const string MetaKey = "mcp/www_authenticate";

    private static readonly string[] Reading = ["resources/", "prompts/", "completion/"];

    /// <summary>
    /// Refuses such a call, whichever path would have served it. Governance refuses it, so that it is audited like all
    /// others.
    /// </summary>
    public ValueTask RequireScopeAsync(HttpContext http, in JsonRpcEnvelope envelope, ToolSet tools)
    {
        var caller = Caller.From(http.User);
        if (caller.Level >= ToolSet.MaxLevel)
        {
            return default; // not refused, which is the usual case
        }

        RequireRead(envelope, caller, http);
        return
            challenges.AreOfHttp
            && envelope is { IsRequest: true, Method: "tools/call" }
            && envelope.Param("name"u8) is { ValueKind: JsonValueKind.String } name
            && tools.Find(name.GetString()!) is { IsDenied: false } tool
            && !caller.HasScope(tool.Scope)
            ? RefuseAsync(http, envelope, tool)
            : default;
    }

    /// <summary>The same for other reads: resources, prompts and completions.</summary>
    /// <param name="http">The request, when HTTP can carry the challenge.</param>
    public static void RequireRead(in JsonRpcEnvelope envelope, Caller caller, HttpContext? http = null)
    {
        if (
            !caller.HasScope(Scopes.Read)
            && envelope.Method is { } method
            && Reading.Contains(method[..(method.IndexOf('/') + 1)])
        )
        {
            var why = caller.LacksScope(method, Scopes.Read);
            throw new JsonRpcException(
                JsonRpcErrorCode.InvalidRequest,
                why,
                envelope.Id,
                StatusCodes.Status403Forbidden
            )
            {
                Challenge = http?.RequestServices.GetRequiredService<BearerChallenges>() is { AreOn: true }
                    ? BearerChallenges.StepUp(http, Scopes.Read, why)
                    : null,
            };
        }
    }

    /// <summary>The challenge in the result of a refused call; null when signing in would not help.</summary>
    public JsonObject? MetaOf(ToolResult result, ToolCall call) =>
        challenges.AreOn && result.Failure is { Scope: { } scope } failure
            ? new()
            {
                [MetaKey] = new JsonArray(
                    challenges.StepUp(
                        call.Surface == "sse" ? ProtectedResource.Sse : ProtectedResource.Mcp,
                        scope,
                        failure.Message
                    )
                ),
            }
            : null;

    private static async ValueTask RefuseAsync(HttpContext http, JsonRpcEnvelope envelope, MinimalMcp.Tools.Tool tool)
    {
        using var result = await tool.CallAsync(
            new ToolCall("http", CallOrigin.Of(http)).WithMeta(envelope.Param("_meta"u8)),
            http.RequestAborted
        );
        var failure = result.Failure!;
        throw new JsonRpcException(
            JsonRpcErrorCode.InvalidRequest,
            failure.Message,
            envelope.Id,
            StatusCodes.Status403Forbidden
        )
        {
            Challenge = BearerChallenges.StepUp(http, tool.Scope, failure.Message),
        };
    }
}
