using System.Text.Json;
using MinimalMcp.Governance;
using MinimalMcp.Tools;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using ToolCall = MinimalMcp.Governance.ToolCall;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// Confirms a call by elicitation, where the client supports it: one call instead of two. Before 2026-07-28 the server
/// asks during the call (elicitation); since then the client repeats the call with the user's response (SEP-2322).
/// Manual approval does not use it.
/// </summary>
internal static class ConfirmedCall
{
    private const string Question = "confirm";
    private const string Field = "agreed";

    public static async ValueTask<ToolResult> MakeAsync(
        MinimalMcp.Tools.Tool tool,
        RequestContext<CallToolRequestParams> request,
        Func<ToolCall> newCall,
        CancellationToken cancellationToken
    )
    {
        var parameters = request.Params!;
        if (
            parameters.RequestState is { } state
            && parameters.InputResponses?.TryGetValue(Question, out var response) is true
        )
        {
            return Read(response) is { } answer && Agreed(answer)
                ? await tool.CallAsync(With(newCall(), state), cancellationToken)
                : Declined(tool);
        }

        var result = await tool.CallAsync(newCall(), cancellationToken);
        if (
            result.Preview is not { ConfirmationToken: { } token, ApprovalUrl: null } preview
            || request.Server.ClientCapabilities?.Elicitation is null
        )
        {
            return result;
        }

        result.Dispose();
        var question = new ElicitRequestParams
        {
            Message = preview.Question,
            RequestedSchema = new()
            {
                Properties =
                {
                    [Field] = new ElicitRequestParams.BooleanSchema
                    {
                        Title = "Do it",
                        Description = "Nothing is done without your agreement.",
                    },
                },
                Required = [Field],
            },
        };
        if (request.Server.IsMrtrSupported)
        {
            throw new InputRequiredException(
                new Dictionary<string, InputRequest> { [Question] = InputRequest.ForElicitation(question) },
                token
            );
        }

        return Agreed(await request.Server.ElicitAsync(question, cancellationToken))
            ? await tool.CallAsync(With(newCall(), token), cancellationToken)
            : Declined(tool);
    }

    private static ToolCall With(ToolCall call, string token)
    {
        call[ConfirmationPolicy.Token] = JsonSerializer.SerializeToElement(token);
        return call;
    }

    private static bool Agreed(ElicitResult answer) =>
        answer.IsAccepted
        && answer.Content?.TryGetValue(Field, out var agreed) is true
        && agreed.ValueKind is JsonValueKind.True;

    private static ElicitResult? Read(InputResponse? response)
    {
        try
        {
            return response?.Deserialize(InputResponse.ElicitResultJsonTypeInfo);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static ToolResult Declined(MinimalMcp.Tools.Tool tool) =>
        ToolResult.Of(
            new CallToolResult
            {
                IsError = true,
                Content = [new TextContentBlock { Text = $"The user did not agree, so {tool.Name} was not called." }],
            }
        );
}
