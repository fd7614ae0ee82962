using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Auth;
using MinimalMcp.Governance;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// A call whose caller lacks the tool's scope, where OAuth is on: the client can ask for more. HTTP says it (403, MCP
/// authorization, "Scope Challenge Handling"), which all clients understand; where guests are admitted, and where the
/// answer does not come with the request, the result says it, which ChatGPT understands.
/// </summary>
internal sealed class ScopeChallenge(BearerChallenges challenges)
{
    private const string MetaKey = "mcp/www_authenticate";

    private static readonly string[] Reading = ["resources/", "prompts/", "completion/"];

    /// <summary>
    /// Refuses such a call, whichever lane would have taken it. Governance refuses it, so that it is recorded like all
    /// others.
    /// </summary>
    public ValueTask RequireScopeAsync(HttpContext http, in JsonRpcEnvelope envelope, ToolSet tools)
    {
        var caller = Caller.From(http.User);
        if (caller.Level >= ToolSet.MaxLevel)
        {
            return default; // no call is refused, as nearly always
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

    /// <summary>What is no tool, and yet reads: resources, prompts, and what they are completed with.</summary>
    /// <param name="http">When HTTP can say it.</param>
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

    /// <summary>What a refused call's result says beside its sentence; null when signing in would not help.</summary>
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
