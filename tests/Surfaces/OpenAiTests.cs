using System.ClientModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Tests.Tools;
using OpenAI;
using OpenAI.Chat;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>
/// Definitions that can be handed to the OpenAI API as they are, and the loop that a program builds with them.
/// </summary>
public sealed class OpenAiTests
{
    [Fact]
    public async Task Chat_definitions_are_nested_and_Responses_definitions_flat()
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        var chat = await DefinitionsAsync(server, "openai");
        var responses = await DefinitionsAsync(server, "openai-responses");

        Assert.Equal(6, chat.Length);
        foreach (var (nested, flat) in chat.Zip(responses))
        {
            Assert.Equal(["type", "function"], nested.Select(member => member.Key));
            Assert.Equal(["type", "name", "description", "parameters", "strict"], flat.Select(member => member.Key));
            flat.Remove("type");
            Assert.True(JsonNode.DeepEquals(nested["function"], flat), flat.ToJsonString());
            Assert.Matches("^[a-zA-Z0-9_-]{1,64}$", flat["name"]!.GetValue<string>());
            Assert.False(flat["strict"]!.GetValue<bool>());
        }
    }

    [Fact]
    public async Task Strict_definitions_follow_the_rules_of_strict_mode_down_to_the_last_level()
    {
        await using var server = TestServer.Start(services =>
        {
            FixtureTools.WithNotes(services);
            WordyTools.AddTo(services);
        });
        var definitions = await DefinitionsAsync(server, "openai-responses", strict: true);

        foreach (var definition in definitions.Where(definition => definition["strict"]!.GetValue<bool>()))
        {
            Assert.Equal("object", definition["parameters"]!["type"]!.GetValue<string>());
            CheckStrict(definition["parameters"]!, definition["name"]!.GetValue<string>());
        }

        // What contains itself or takes any object cannot be said strictly.
        Assert.Equal(
            ["wordy"],
            definitions
                .Where(definition => !definition["strict"]!.GetValue<bool>())
                .Select(definition => definition["name"]!.GetValue<string>())
        );
        var echo = definitions.Single(definition => definition["name"]!.GetValue<string>() == "echo")["parameters"]!;
        Assert.Equal(
            ["object", "null"],
            echo["properties"]!["point"]!["type"]!.AsArray().Select(type => type!.GetValue<string>())
        );
    }

    [Fact]
    public async Task A_call_with_null_for_what_strict_mode_made_required_is_served()
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        using var response = await server.PostAsync(
            "/tools/find_notes",
            """{"query":"milk","topic":null,"limit":null}"""
        );

        Assert.Equal(200, (int)response.StatusCode);
    }

    [Fact]
    public async Task The_OpenAI_client_runs_a_whole_conversation_with_them()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        await using var model = await FakeModel.StartAsync();
        var client = new ChatClient(
            "fake",
            new ApiKeyCredential("key"),
            new OpenAIClientOptions { Endpoint = new Uri(model.Urls.Single() + "/v1") }
        );
        var options = new ChatCompletionOptions();
        foreach (
            var function in (await DefinitionsAsync(server, "openai", strict: true)).Select(definition =>
                definition["function"]!
            )
        )
        {
            options.Tools.Add(
                ChatTool.CreateFunctionTool(
                    function["name"]!.GetValue<string>(),
                    function["description"]!.GetValue<string>(),
                    BinaryData.FromString(function["parameters"]!.ToJsonString()),
                    function["strict"]!.GetValue<bool>()
                )
            );
        }

        List<ChatMessage> messages = [new UserChatMessage("What does milk cost?")];
        ChatCompletion answer = await client.CompleteChatAsync(
            messages,
            options,
            TestContext.Current.CancellationToken
        );
        Assert.Equal(ChatFinishReason.ToolCalls, answer.FinishReason);
        messages.Add(new AssistantChatMessage(answer));
        foreach (var call in answer.ToolCalls)
        {
            var request = new
            {
                jsonrpc = "2.0",
                id = call.Id,
                method = "tools/call",
                @params = new
                {
                    name = call.FunctionName,
                    arguments = JsonElement.Parse(call.FunctionArguments.ToString()),
                },
            };
            using var response = await server.PostAsync("/api/mcp/v1/call", JsonSerializer.Serialize(request));
            var result = JsonElement.Parse(
                await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
            );
            messages.Add(
                new ToolChatMessage(
                    result.GetProperty("id").GetString(),
                    result.GetProperty("result").GetProperty("content")[0].GetProperty("text").GetString()
                )
            );
        }

        answer = await client.CompleteChatAsync(messages, options, TestContext.Current.CancellationToken);
        Assert.Equal("The note says: Buy milk for 4.19.", answer.Content[0].Text);
    }

    private static void CheckStrict(JsonNode schema, string where)
    {
        var types = schema["type"] is JsonArray several
            ? several.Select(type => type!.GetValue<string>()).ToArray()
            : [schema["type"]!.GetValue<string>()];
        Assert.Null(schema["default"]);
        Assert.Null(schema["$ref"]);
        if (types.Contains("array"))
        {
            CheckStrict(schema["items"]!, where + "[]");
        }

        if (types.Contains("object"))
        {
            var properties = schema["properties"]!.AsObject();
            Assert.False(schema["additionalProperties"]!.GetValue<bool>(), where);
            Assert.Equal(
                properties.Select(property => property.Key).Order(),
                schema["required"]!.AsArray().Select(name => name!.GetValue<string>()).Order()
            );
            foreach (var (name, property) in properties)
            {
                CheckStrict(property!, $"{where}.{name}");
            }
        }

        if (schema["enum"] is JsonArray values)
        {
            Assert.Equal(types.Contains("null"), values.Contains(null));
        }
    }

    private static async Task<JsonObject[]> DefinitionsAsync(TestServer server, string format, bool strict = false) =>
        [
            .. JsonNode.Parse(
                (
                    await server.GetJsonAsync($"/api/mcp/v1/tools?format={format}{(strict ? "&strict=true" : "")}")
                ).GetRawText()
            )!["tools"]!
                .AsArray()
                .Select(tool => tool!.DeepClone().AsObject()),
        ];
}
