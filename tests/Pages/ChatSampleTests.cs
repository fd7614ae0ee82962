using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Tools;
using static Microsoft.Playwright.Assertions;

namespace MinimalMcp.Tests.Pages;

/// <summary>
/// The chat page of samples/chat in a browser, with its own server part, over a real server and a scripted model.
/// </summary>
[Collection(nameof(Browser))]
[Slow]
public sealed class ChatSampleTests(Browser browser)
{
    [Fact]
    public async Task A_tool_that_reads_is_called_at_once_and_its_result_reaches_the_model()
    {
        await using var chat = await Chat.StartAsync();
        await using var visit = await browser.OpenAsync(chat.Origin, "/");

        await AskAsync(visit, """find_notes {"query":"milk"}""");

        await Expect(Entries(visit, "Tool")).ToContainTextAsync("find_notes");
        await Expect(Entries(visit, "Tool")).ToContainTextAsync("Buy milk for 4.19");
        await Expect(Entries(visit, "Model")).ToContainTextAsync("Buy milk for 4.19");
        Assert.Empty(visit.Problems);
    }

    [Fact]
    public async Task A_tool_that_changes_something_waits_for_a_click_and_can_be_refused()
    {
        await using var chat = await Chat.StartAsync();
        await using var visit = await browser.OpenAsync(chat.Origin, "/");
        const string Call = """pick_note {"code":"milk"}""";

        await AskAsync(visit, Call);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Do not run" }).ClickAsync();
        await Expect(Entries(visit, "Model")).ToContainTextAsync("The user did not allow this call.");

        await AskAsync(visit, Call);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Run", Exact = true }).ClickAsync();
        await Expect(Entries(visit, "Model").Last).ToContainTextAsync("Buy milk for 4.19");
        await AskAsync(visit, "list_picked {}");
        await Expect(Entries(visit, "Model").Nth(2)).ToContainTextAsync("\"total\":1");
        Assert.Empty(visit.Problems);
    }

    [Fact]
    public async Task What_a_tool_says_is_text_and_an_error_is_shown()
    {
        await using var chat = await Chat.StartAsync();
        await using var visit = await browser.OpenAsync(chat.Origin, "/");

        await AskAsync(visit, """find_notes {"qery":"<img src=x>"}""");
        await Expect(Entries(visit, "Model")).ToContainTextAsync("did you mean 'query'?");
        await Expect(visit.Page.Locator("img")).ToHaveCountAsync(0);
        Assert.Empty(visit.Problems);

        await AskAsync(visit, "broken");
        await Expect(Entries(visit, "Error")).ToContainTextAsync("answered 500");
    }

    [Theory]
    [InlineData("evil.example", "application/json", 403)]
    [InlineData("localhost", "text/plain", 403)]
    [InlineData("localhost", "application/json", 200)]
    public async Task Only_its_own_page_uses_the_keys(string host, string type, int status)
    {
        await using var chat = await Chat.StartAsync();
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, chat.Origin + "/api/call");
        request.Headers.Host = host;
        request.Content = new StringContent("""{"name":"get_topics","arguments":{}}""");
        request.Content.Headers.ContentType = new(type);

        using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(status, (int)response.StatusCode);
    }

    private static async Task AskAsync(Visit visit, string question)
    {
        await visit.Page.GetByLabel("Question").FillAsync(question);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Send" }).ClickAsync();
    }

    private static ILocator Entries(Visit visit, string who) => visit.Page.Locator($"li[data-who='{who}']");

    /// <summary>
    /// The sample's server part, between a server with notes and a model that calls what the user names and repeats
    /// what it got.
    /// </summary>
    private sealed class Chat : IAsyncDisposable
    {
        private readonly TestServer _tools = TestServer.Start(NotesTools.Alone);
        private readonly WebApplication _model = WebApplication
            .CreateSlimBuilder(["--urls", "http://127.0.0.1:0"])
            .Build();
        private Process? _process;

        public string Origin { get; private set; } = "";

        public static async Task<Chat> StartAsync()
        {
            var chat = new Chat();
            chat._model.MapPost("/chat/completions", Reply);
            await chat._model.StartAsync(TestContext.Current.CancellationToken);
            var start = new ProcessStartInfo(
                ClientProcess.Node,
                [Path.Combine(ClientProcess.Root, "samples", "chat", "server.mjs")]
            )
            {
                RedirectStandardOutput = true,
            };
            start.Environment["OPENAI_API_KEY"] = "any";
            start.Environment["OPENAI_BASE_URL"] = chat._model.Urls.Single();
            start.Environment["MCP_URL"] = chat._tools.BaseUrl;
            start.Environment["PORT"] = "0";
            start.Environment.Remove("MCP_API_KEY");
            chat._process = Process.Start(start)!;
            chat.Origin = (await chat._process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))!;
            return chat;
        }

        public async ValueTask DisposeAsync()
        {
            _process?.Kill();
            _process?.Dispose();
            await _model.DisposeAsync();
            await _tools.DisposeAsync();
        }

        private static IResult Reply(JsonElement request)
        {
            var last = request.GetProperty("messages").EnumerateArray().Last();
            var text = last.GetProperty("content").GetString()!;
            var name = text.Split(' ')[0];
            if (name == "broken")
            {
                return Results.Text("out of order", statusCode: 500);
            }

            object message =
                last.GetProperty("role").GetString() == "tool"
                    ? new { role = "assistant", content = text }
                    : new
                    {
                        role = "assistant",
                        tool_calls = new[]
                        {
                            new
                            {
                                id = "1",
                                type = "function",
                                function = new { name, arguments = text[name.Length..] },
                            },
                        },
                    };
            return Results.Json(new { choices = new[] { new { message } } });
        }
    }
}
