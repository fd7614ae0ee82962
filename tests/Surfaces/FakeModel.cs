using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>
/// An endpoint like OpenAI's, whose model looks milk up when it is offered the tool and reads the note in the answer.
/// </summary>
internal static class FakeModel
{
    public static async Task<WebApplication> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseSetting("urls", "http://127.0.0.1:0");
        var app = builder.Build();
        app.MapPost("/v1/chat/completions", (JsonElement request) =>
        {
            var last = request.GetProperty("messages").EnumerateArray().Last();
            var offered = request
                .GetProperty("tools")
                .EnumerateArray()
                .Any(tool => tool.GetProperty("function").GetProperty("name").GetString() == "find_notes");
            object message =
                last.GetProperty("role").GetString() == "tool"
                    ? new
                    {
                        role = "assistant",
                        content = $"The note says: {FirstNote(last.GetProperty("content").GetString()!)}.",
                    }
                    : new
                    {
                        role = "assistant",
                        content = (string?)null,
                        tool_calls = new[]
                        {
                            new
                            {
                                id = "call_1",
                                type = "function",
                                function = new
                                {
                                    name = offered ? "find_notes" : "none",
                                    arguments = """{"query":"milk","topic":null,"limit":null}""",
                                },
                            },
                        },
                    };
            return Results.Json(
                new
                {
                    id = "c",
                    @object = "chat.completion",
                    created = 1,
                    model = "fake",
                    choices = new[]
                    {
                        new
                        {
                            index = 0,
                            message,
                            finish_reason = last.GetProperty("role").GetString() == "tool" ? "stop" : "tool_calls",
                        },
                    },
                }
            );
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }

    private static string? FirstNote(string result) =>
        JsonElement.Parse(result).GetProperty("notes")[0].GetProperty("text").GetString();
}
