using System.ComponentModel;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using static ModelContextProtocol.Protocol.ElicitRequestParams;

namespace MinimalMcp.Tests.Conformance;

/// <summary>Tools that let the suite see how the server itself behaves (scenario server-stateless).</summary>
[McpServerToolType]
public sealed class DiagnosticTools
{
    [McpServerTool(Name = "test_missing_capability"), Description("Works only for clients that declare sampling.")]
    public static string MissingCapability(McpServer server) =>
        server.ClientCapabilities?.Sampling is not null
            ? "The client supports sampling."
            : throw new MissingRequiredClientCapabilityException(
                new ClientCapabilities { Sampling = new() },
                "This tool needs sampling."
            );

    [
        McpServerTool(Name = "test_streaming_elicitation"),
        Description("Asks the user; the question must not become a request on the response stream.")
    ]
    public static string StreamingElicitation(RequestContext<CallToolRequestParams> context) =>
        Answers.User(context.Params, "answer", "text")
        ?? throw new InputRequiredException(
            InputRequiredTools.Questions(
                ("answer", InputRequiredTools.Field("Say something", "text", new StringSchema()))
            )
        );

    [McpServerTool(Name = "test_logging_tool"), Description("Logs once, if this request asked for log messages.")]
    public static async Task<string> Logging(
        RequestContext<CallToolRequestParams> context,
        CancellationToken cancellationToken
    )
    {
        await ContentTools.LogAsync(context, "test_logging_tool was called", cancellationToken);
        return "Logging finished.";
    }

    [McpServerTool(Name = "test_trigger_tool_change"), Description("Changes the list of tools.")]
    public static string TriggerToolChange(ListChanges lists)
    {
        lists.Tools();
        return "The list of tools has changed.";
    }

    [McpServerTool(Name = "test_trigger_prompt_change"), Description("Changes the list of prompts.")]
    public static string TriggerPromptChange(ListChanges lists)
    {
        lists.Prompts();
        return "The list of prompts has changed.";
    }
}
