using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Tools.Documents.Books;
using MinimalMcp.Tools;
using MinimalMcp.Tools.Documents;

namespace MinimalMcp.Tests.Tools.Documents;

/// <summary>search and fetch, as ChatGPT's deep research calls them.</summary>
[Slow]
public sealed class DocumentsTests
{
    [Fact]
    public async Task Their_results_are_exactly_what_deep_research_reads_as_structured_content_and_as_the_same_text()
    {
        await using var server = Start();

        var search = await server.McpAsync("tools/call", new { name = "search", arguments = new { query = "night" } });
        var fetch = await server.McpAsync(
            "tools/call",
            new { name = "fetch", arguments = new { id = "books:shelf/1:a" } }
        );

        foreach (var answer in (McpAnswer[])[search, fetch])
        {
            Assert.Equal(1, answer.Result.GetProperty("content").GetArrayLength());
            Assert.True(
                JsonElement.DeepEquals(JsonElement.Parse(answer.Text), answer.Result.GetProperty("structuredContent"))
            );
        }

        var results = search.Result.GetProperty("structuredContent");
        Assert.Equal(["results"], results.EnumerateObject().Select(member => member.Name));
        Assert.All(results.GetProperty("results").EnumerateArray(), result =>
            Assert.Equal(["id", "title", "url"], result.EnumerateObject().Select(member => member.Name))
        );
        Assert.Equal(
            """{"id":"books:shelf/1:a","title":"Book 1","text":"It was a dark """
                + """night.","url":"https://books.example/1","metadata":{"author":"Ann"}}""",
            fetch.Result.GetProperty("structuredContent").GetRawText()
        );
    }

    [Fact]
    public async Task Search_reports_each_family_to_a_client_that_asks_for_progress()
    {
        await using var server = Start();

        var (steps, result) = await server.CallWithProgressAsync("search", new { query = "night" });

        Assert.Equal((string[])["1 of 2", "2 of 2"], steps.Select(step => step.Count));
        Assert.Equal((string[])["Searched books", "Searched films"], steps.Select(step => step.Message).Order());
        Assert.True(result.TryGetProperty("structuredContent", out _));
    }

    [Fact]
    public async Task They_only_read_and_publish_the_shapes_of_their_results()
    {
        await using var server = Start();

        var tools = (await server.McpAsync("tools/list"))
            .Result.GetProperty("tools")
            .EnumerateArray()
            .Where(tool => tool.GetProperty("name").GetString() is "search" or "fetch")
            .ToArray();

        Assert.Equal(2, tools.Length);
        Assert.All(tools, tool =>
        {
            Assert.True(tool.GetProperty("annotations").GetProperty("readOnlyHint").GetBoolean());
            Assert.Equal(
                tool.GetProperty("name").GetString() == "search" ? ["query"] : ["id"],
                tool.GetProperty("inputSchema")
                    .GetProperty("properties")
                    .EnumerateObject()
                    .Select(property => property.Name)
            );
            Assert.Equal("object", tool.GetProperty("outputSchema").GetProperty("type").GetString());
        });
    }

    [Fact]
    public async Task Results_of_the_families_take_turns_each_family_within_its_bound_with_links_that_open()
    {
        await using var server = Start();

        var results = (await server.CallAsync("search", new { query = "night" }))
            .GetProperty("results")
            .EnumerateArray()
            .Select(result =>
                (
                    Id: result.GetProperty("id").GetString()!,
                    Title: result.GetProperty("title").GetString()!,
                    Url: result.GetProperty("url").GetString()!
                )
            )
            .ToArray();

        Assert.Equal(
            ["books:shelf/1:a", "films:1", "books:shelf/2:a", "films:2", "books:shelf/3:a"],
            results.Take(5).Select(result => result.Id)
        );
        Assert.Equal(10 + 2, results.Length);
        Assert.Equal(
            ("https://tools.example/films/1", "https://tools.example/", "2"),
            (results[1].Url, results[3].Url, results[3].Title)
        );
    }

    [Theory]
    [InlineData("refused", "books is left out: Books are lent out.")]
    [InlineData("bug", "books is left out: it failed unexpectedly, and the operator finds the reason in the log.")]
    public async Task A_family_that_fails_leaves_the_others_and_a_note(string query, string note)
    {
        await using var server = Start();

        var found = await server.CallAsync("search", new { query });

        Assert.Equal(
            ["films:1", "films:2"],
            found.GetProperty("results").EnumerateArray().Select(result => result.GetProperty("id").GetString())
        );
        Assert.Equal(note, found.GetProperty("note").GetString());
    }

    [Fact]
    public async Task A_family_that_hangs_is_left_out_when_its_time_is_up()
    {
        var time = new ManualTime();
        BooksTools.Hangs = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = TestServer.Start(services =>
        {
            DocumentsParity.AddTo(services);
            // The deadline of the call keeps its own clock.
            services.AddSingleton(provider => ActivatorUtilities.CreateInstance<DocumentsTools>(provider, time));
        });

        var search = server.CallAsync("search", new { query = "slow" });
        await BooksTools.Hangs.Task.WaitAsync(TestContext.Current.CancellationToken);
        time.Fire();
        var found = await search;

        Assert.Equal(2, found.GetProperty("results").GetArrayLength());
        Assert.Equal("books is left out: it did not answer in time.", found.GetProperty("note").GetString());
    }

    [Fact]
    public async Task When_all_fail_it_is_a_failure_and_no_empty_list()
    {
        await using var server = Start();

        var sentence = await server.FailAsync(502, "search", new { query = "down" });

        Assert.Contains("Books answered 503.", sentence);
        Assert.Contains("Films are cut.", sentence);
    }

    [Theory]
    [InlineData("nothing", "Ids begin with books: or films:")]
    [InlineData("wiki:1", "Ids begin with books: or films:")]
    [InlineData("books:shelf/99:a", "There is no document")]
    public async Task An_id_that_search_did_not_give_is_told_so(string id, string part)
    {
        await using var server = Start();

        Assert.Contains(part, await server.FailAsync(422, "fetch", new { id }));
    }

    [Fact]
    public async Task A_long_text_is_read_in_parts_and_each_names_the_next()
    {
        await using var server = Start();
        var (read, id, parts) = ("", "books:long", 0);
        while (id is not null && parts++ < 20)
        {
            using var response = await server.PostAsync("/tools/fetch", JsonSerializer.Serialize(new { id }));
            var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            var document = JsonElement.Parse(body);
            Assert.InRange(body.Length, 1, 99_000);
            Assert.Equal(
                (id, "books:long", "https://tools.example/books/long"),
                (
                    document.GetProperty("id").GetString(),
                    document.GetProperty("title").GetString(),
                    document.GetProperty("url").GetString()
                )
            );

            var text = document.GetProperty("text").GetString()!;
            var note = text.LastIndexOf("\n\n[This is part", StringComparison.Ordinal);
            read += note < 0 ? text : text[..note];
            id = note < 0 ? null : text[note..].Split('"')[1];
        }

        Assert.Equal(string.Concat(Enumerable.Repeat("\"quoted\" 🌍\n", 30_000)), read);
        Assert.InRange(parts, 3, 19);
        Assert.Contains("fewer than 99 parts", await server.FailAsync(422, "fetch", new { id = "books:long#part=99" }));
    }

    [Theory]
    [InlineData("echo", "echo")]
    [InlineData("What is the ECHO?", "ECHO")]
    [InlineData("where are (the) echo, books?", "echo books")]
    [InlineData("echo-001 node.js", "echo-001 node.js")]
    public async Task A_question_is_asked_by_its_words(string query, string asked)
    {
        await using var server = Start();

        var found = await server.CallAsync("search", new { query });

        Assert.Equal(asked, found.GetProperty("results")[0].GetProperty("title").GetString());
    }

    [Fact]
    public async Task What_has_most_of_the_words_comes_first()
    {
        await using var server = Start();

        var found = await server.CallAsync("search", new { query = "one two three" });

        Assert.Equal(
            ["books:both", "books:1", "books:2"],
            found
                .GetProperty("results")
                .EnumerateArray()
                .Select(result => result.GetProperty("id").GetString()!)
                .Where(id => id.StartsWith("books:", StringComparison.Ordinal))
        );
    }

    [Theory]
    [InlineData("Governance:Deny", "count_books")]
    [InlineData("Governance:Approve", "count_books")]
    [InlineData("Governance:Confirm", "count_books")]
    [InlineData("Governance:Risk:count_books", "HIGH")]
    public async Task What_an_operator_closed_is_neither_searched_nor_read(string setting, string value)
    {
        await using var server = Start((setting, value));

        Assert.DoesNotContain("books:", (await server.CallAsync("search", new { query = "night" })).GetRawText());
        Assert.Contains("Ids begin with films:", await server.FailAsync(422, "fetch", new { id = "books:shelf/1:a" }));
    }

    [Fact]
    public async Task Without_a_public_address_links_lead_to_where_the_server_listens()
    {
        await using var server = TestServer.Start(DocumentsParity.AddTo);

        Assert.Contains(
            $"\"{server.BaseUrl}/films/1\"",
            (await server.CallAsync("search", new { query = "night" })).GetRawText()
        );
    }

    [Fact]
    public void They_are_tools_only_where_a_family_has_documents()
    {
        var configuration = new ConfigurationBuilder().Build();

        Assert.DoesNotContain(
            new ServiceCollection().AddSingleton(new ToolType(typeof(NotesTools))).AddDocuments(configuration),
            service => service.ServiceType == typeof(DocumentsTools)
        );
        Assert.Contains(
            new ServiceCollection().AddSingleton(new ToolType(typeof(BooksTools))).AddDocuments(configuration),
            service => service.ServiceType == typeof(DocumentsTools)
        );
    }

    private static TestServer Start(params (string, string)[] settings) =>
        TestServer.Start(DocumentsParity.AddTo, [("Server:PublicUrl", "https://tools.example/"), .. settings]);
}
