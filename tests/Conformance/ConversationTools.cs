using System.ComponentModel;
using System.Text.Json;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using static ModelContextProtocol.Protocol.ElicitRequestParams;

namespace MinimalMcp.Tests.Conformance;

/// <summary>
/// Tools that send the client a request of their own while they run, as revisions before 2026-07-28 do.
/// </summary>
[McpServerToolType]
public sealed class ConversationTools
{
    [McpServerTool(Name = "test_sampling"), Description("Asks the client's model.")]
    public static async Task<string> Sampling(
        McpServer server,
        [Description("The prompt for the model")] string prompt,
        CancellationToken cancellationToken
    )
    {
        if (server.ClientCapabilities?.Sampling is null)
        {
            throw new McpException("The client does not support sampling.");
        }
        var answer = await server.SampleAsync(Ask.Model(prompt, maxTokens: 100), cancellationToken);
        return "LLM response: " + answer.Content.OfType<TextContentBlock>().FirstOrDefault()?.Text;
    }

    [McpServerTool(Name = "test_elicitation"), Description("Asks the user for a name and an e-mail address.")]
    public static async Task<string> Elicitation(
        McpServer server,
        [Description("The message for the user")] string message,
        CancellationToken cancellationToken
    ) =>
        "User response: "
        + await ElicitAsync(
            server,
            Ask.User(
                message,
                new()
                {
                    ["username"] = new StringSchema { Description = "User's response" },
                    ["email"] = new StringSchema { Description = "User's email address" },
                }
            ),
            cancellationToken
        );

    [
        McpServerTool(Name = "test_elicitation_sep1034_defaults"),
        Description("Asks with a default value for each primitive type.")
    ]
    public static async Task<string> Defaults(McpServer server, CancellationToken cancellationToken) =>
        "Elicitation completed: "
        + await ElicitAsync(
            server,
            Ask.User(
                "Please review the values",
                new()
                {
                    ["name"] = new StringSchema { Default = "John Doe" },
                    ["age"] = new NumberSchema { Type = "integer", Default = 30 },
                    ["score"] = new NumberSchema { Default = 95.5 },
                    ["status"] = new UntitledSingleSelectEnumSchema
                    {
                        Enum = ["active", "inactive", "pending"],
                        Default = "active",
                    },
                    ["verified"] = new BooleanSchema { Default = true },
                }
            ),
            cancellationToken
        );

    [
        McpServerTool(Name = "test_elicitation_sep1330_enums"),
        Description("Asks with each of the five kinds of enumeration.")
    ]
    public static async Task<string> Enums(McpServer server, CancellationToken cancellationToken) =>
        "Elicitation completed: "
        + await ElicitAsync(
            server,
            Ask.User(
                "Please choose",
                new()
                {
                    ["untitledSingle"] = new UntitledSingleSelectEnumSchema
                    {
                        Enum = ["option1", "option2", "option3"],
                    },
                    ["titledSingle"] = new TitledSingleSelectEnumSchema { OneOf = Titled("Option") },
#pragma warning disable MCP9001 // The old spelling of a titled enumeration is one of the five.
                    ["legacyEnum"] = new LegacyTitledEnumSchema
                    {
                        Enum = ["opt1", "opt2", "opt3"],
                        EnumNames = ["Option One", "Option Two", "Option Three"],
                    },
#pragma warning restore MCP9001
                    ["untitledMulti"] = new UntitledMultiSelectEnumSchema
                    {
                        Items = new() { Enum = ["option1", "option2", "option3"] },
                    },
                    ["titledMulti"] = new TitledMultiSelectEnumSchema { Items = new() { AnyOf = Titled("Choice") } },
                }
            ),
            cancellationToken
        );

    private static List<EnumSchemaOption> Titled(string noun) =>
        [
            new() { Const = "value1", Title = "First " + noun },
            new() { Const = "value2", Title = "Second " + noun },
            new() { Const = "value3", Title = "Third " + noun },
        ];

    private static async Task<string> ElicitAsync(
        McpServer server,
        ElicitRequestParams question,
        CancellationToken cancellationToken
    )
    {
        if (server.ClientCapabilities?.Elicitation is null)
        {
            throw new McpException("The client does not support elicitation.");
        }
        var answer = await server.ElicitAsync(question, cancellationToken);
        return $"action={answer.Action}, content={JsonSerializer.Serialize(answer.Content)}";
    }
}

/// <summary>The questions that fixtures put to a client, in either era.</summary>
internal static class Ask
{
    public static ElicitRequestParams User(string message, Dictionary<string, PrimitiveSchemaDefinition> fields) =>
        new()
        {
            Message = message,
            RequestedSchema = new() { Properties = fields, Required = [.. fields.Keys] },
        };

    public static CreateMessageRequestParams Model(string prompt, int maxTokens) =>
        new()
        {
            Messages = [new() { Role = Role.User, Content = [new TextContentBlock { Text = prompt }] }],
            MaxTokens = maxTokens,
        };
}
