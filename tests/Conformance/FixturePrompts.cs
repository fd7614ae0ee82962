using System.ComponentModel;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using static ModelContextProtocol.Protocol.ElicitRequestParams;

namespace MinimalMcp.Tests.Conformance;

[McpServerPromptType]
public sealed class FixturePrompts
{
    [McpServerPrompt(Name = "test_simple_prompt"), Description("A prompt without arguments.")]
    public static PromptMessage Simple() => Text("This is a simple prompt for testing.");

    [McpServerPrompt(Name = "test_prompt_with_arguments"), Description("A prompt with two arguments.")]
    public static PromptMessage WithArguments(
        [Description("First test argument")] string arg1,
        [Description("Second test argument")] string arg2
    ) => Text($"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'");

    [McpServerPrompt(Name = "test_prompt_with_embedded_resource"), Description("A prompt that embeds a resource.")]
    public static IEnumerable<PromptMessage> WithResource(
        [Description("URI of the resource to embed")] string resourceUri
    ) =>
        [
            User(
                new EmbeddedResourceBlock
                {
                    Resource = new TextResourceContents
                    {
                        Uri = resourceUri,
                        MimeType = "text/plain",
                        Text = "Embedded resource content for testing.",
                    },
                }
            ),
            Text("Please process the embedded resource above."),
        ];

    [McpServerPrompt(Name = "test_prompt_with_image"), Description("A prompt with an image.")]
    public static IEnumerable<PromptMessage> WithImage() =>
        [User(ImageContentBlock.FromBytes(ContentTools.Png, "image/png")), Text("Please analyze the image above.")];

    [
        McpServerPrompt(Name = "test_input_required_result_prompt"),
        Description("A prompt that first asks the user for its context.")
    ]
    public static PromptMessage InputRequired(RequestContext<GetPromptRequestParams> context) =>
        Answers.User(context.Params, "user_context", "context") is { } answer
            ? Text("Context: " + answer)
            : throw new InputRequiredException(
                InputRequiredTools.Questions(
                    (
                        "user_context",
                        InputRequiredTools.Field("What context should the prompt use?", "context", new StringSchema())
                    )
                )
            );

    private static PromptMessage Text(string text) => User(new TextContentBlock { Text = text });

    private static PromptMessage User(ContentBlock content) => new() { Role = Role.User, Content = content };
}
