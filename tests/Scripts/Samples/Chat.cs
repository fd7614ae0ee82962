using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenAI.Chat;

namespace MinimalMcp.Tests.Scripts.Samples;

/// <summary>
/// The function calling in C# of docs/connect/function-calling.md, compiled here so that it stays true.
/// </summary>
internal static class Chat
{
    public static async Task<string> AskAsync(ChatClient chat, HttpClient server, string question)
    {
        var options = new ChatCompletionOptions();
        var list = await server.GetFromJsonAsync<JsonElement>("/api/mcp/v1/tools");
        foreach (var tool in list.GetProperty("tools").EnumerateArray())
        {
            options.Tools.Add(
                ChatTool.CreateFunctionTool(
                    tool.GetProperty("name").GetString(),
                    tool.GetProperty("description").GetString(),
                    BinaryData.FromString(tool.GetProperty("inputSchema").GetRawText())
                )
            );
        }

        var messages = new List<ChatMessage> { new UserChatMessage(question) };
        while (true)
        {
            ChatCompletion reply = await chat.CompleteChatAsync(messages, options);
            if (reply.FinishReason != ChatFinishReason.ToolCalls)
            {
                return reply.Content[0].Text;
            }

            messages.Add(new AssistantChatMessage(reply));
            foreach (var call in reply.ToolCalls)
            {
                var parameters = new { name = call.FunctionName, arguments = JsonNode.Parse(call.FunctionArguments) };
                var answer = await server.PostAsJsonAsync(
                    "/api/mcp/v1/call",
                    new
                    {
                        jsonrpc = "2.0",
                        id = 1,
                        method = "tools/call",
                        @params = parameters,
                    }
                );
                // The model reads an error as well as a result, and corrects its call.
                messages.Add(new ToolChatMessage(call.Id, await answer.Content.ReadAsStringAsync()));
            }
        }
    }
}
