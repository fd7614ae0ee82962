using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Surfaces;
using MinimalMcp.Tests.Tools;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tests.Hub;

/// <summary>Prompts, resources and completions of another server, through the front door.</summary>
[Slow]
public sealed class JoinedContentTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("2024-11-05")]
    [InlineData("2025-03-26")]
    [InlineData("2025-06-18")]
    [InlineData("2025-11-25")]
    [InlineData("2026-07-28")]
    public async Task They_are_listed_read_and_completed_in_every_revision(string version)
    {
        await using var hub = await HubServer.StartAsync();

        Assert.Contains("hub://up/demo://notes/1", await ListAsync("resources/list", "resources", "uri"));
        var templates = await ListAsync("resources/templates/list", "resourceTemplates", "uriTemplate");
        Assert.Contains("hub://up/demo://notes/{id}", templates);
        Assert.Contains("up_greet", await ListAsync("prompts/list", "prompts", "name"));

        var read = (await AskAsync("resources/read", new { uri = "hub://up/demo://notes/7" })).Result;
        var content = Assert.Single(read.GetProperty("contents").EnumerateArray());
        Assert.Equal("note 7", content.GetProperty("text").GetString());
        Assert.Equal("hub://up/demo://notes/7", content.GetProperty("uri").GetString());

        var prompt = await AskAsync("prompts/get", new { name = "up_greet", arguments = new { who = "Ada" } });
        var messages = prompt.Result.GetProperty("messages").EnumerateArray().Select(one => one.GetProperty("content"));
        Assert.Equal("greet Ada", messages.First().GetProperty("text").GetString());
        var embedded = messages.Last().GetProperty("resource").GetProperty("uri").GetString();
        Assert.Equal("hub://up/demo://notes/1", embedded);

        var argument = new { name = "who", value = "A" };
        var ofPrompt = new { type = "ref/prompt", name = "up_greet" };
        Assert.Equal("greet who A", await CompleteAsync(ofPrompt, argument));
        var ofTemplate = new { type = "ref/resource", uri = "hub://up/demo://notes/{id}" };
        Assert.Equal("demo://notes/{id} id 1", await CompleteAsync(ofTemplate, new { name = "id", value = "1" }));

        await RefusedAsync("prompts/get", new { name = "up_greet" }, "needs the argument \"who\"");
        await RefusedAsync("resources/read", new { uri = "hub://up/demo://none" }, "up refused resources/read");
        await RefusedAsync("resources/read", new { uri = "hub://nobody/demo://notes/1" }, "nobody");
        await RefusedAsync("resources/read", new { uri = "hub://up/demo://large" }, "at most 4194304 are passed on");

        async Task<string[]> ListAsync(string method, string list, string member) =>
            [
                .. (await AskAsync(method, new { }))
                    .Result.GetProperty(list)
                    .EnumerateArray()
                    .Select(entry => entry.GetProperty(member).GetString()!),
            ];

        async Task<string?> CompleteAsync(object reference, object value) =>
            (await AskAsync("completion/complete", new { @ref = reference, argument = value }))
                .Result.GetProperty("completion")
                .GetProperty("values")[0]
                .GetString();

        async Task RefusedAsync(string method, object parameters, string why) =>
            Assert.Contains(why, (await AskAsync(method, parameters)).Error.GetProperty("message").GetString());

        Task<McpAnswer> AskAsync(string method, object parameters) => hub.Server.McpAsync(method, parameters, version);
    }

    [Theory]
    [InlineData(SdkClient.Streamable)]
    [InlineData(SdkClient.Sse)]
    public async Task A_changed_list_reaches_clients(string transport)
    {
        await using var hub = await HubServer.StartAsync();
        var version = transport == SdkClient.Sse ? "2024-11-05" : "2025-11-25";
        await using var client = await SdkClient.ConnectAsync(hub.Server, transport, version);
        var changed = new ConcurrentDictionary<string, int>();
        string[] lists = ["tools", "resources", "prompts"];
        foreach (var list in lists)
        {
            client.RegisterNotificationHandler($"notifications/{list}/list_changed", (_, _) =>
            {
                changed.AddOrUpdate(list, 1, (_, count) => count + 1);
                return default;
            });
        }

        var read = await client.ReadResourceAsync("hub://up/demo://notes/4", cancellationToken: Stop);
        Assert.Equal("note 4", Assert.IsType<TextResourceContents>(read.Contents[0]).Text);
        await client.CallToolAsync("up_grow", cancellationToken: Stop);
        await Wait.Until(() => lists.All(changed.ContainsKey));

        Assert.Contains(await client.ListToolsAsync(cancellationToken: Stop), tool => tool.Name == "up_late");
        Assert.Contains(await client.ListPromptsAsync(cancellationToken: Stop), one => one.Name == "up_late");
        Assert.Contains(await client.ListResourcesAsync(cancellationToken: Stop), one =>
            one.Uri == "hub://up/demo://notes/9"
        );
        Assert.All(changed.Values, count => Assert.Equal(1, count)); // once each
    }

    [Fact]
    public async Task Over_stdio_they_are_served_from_what_was_listed_last()
    {
        var store = TestStores.New();
        await using (var hub = await HubServer.StartAsync("full", ("Storage:Path", store)))
        {
            await hub.CallAsync("up_echo", new { text = "hi" });
        }

        using var client = StdioClient.Start(
            new Dictionary<string, string> { ["Storage__Path"] = store, ["Hub__CommandsWithoutAuth"] = "true" }
        );
        await Wait.Until(async () =>
            (await client.AskAsync("resources/list", []))["result"]!["resources"]!
                .AsArray()
                .Any(one => (string?)one!["uri"] == "hub://up/demo://notes/1")
        );
        // While it starts, what needs it is answered with a sentence.
        JsonNode answer = new JsonObject();
        await Wait.Until(async () =>
        {
            answer = await client.AskAsync("resources/read", new() { ["uri"] = "hub://up/demo://notes/5" });
            return answer["result"] is not null
                || !((string)answer["error"]!["message"]!).Contains("starting", StringComparison.Ordinal);
        });
        Assert.Equal("note 5", (string?)answer["result"]!["contents"]![0]!["text"]);
        var prompts = (await client.AskAsync("prompts/list", []))["result"]!["prompts"]!.AsArray();
        Assert.Contains(prompts, one => (string?)one!["name"] == "up_greet");
        Assert.Equal(0, await client.EndAsync());
    }

    [Fact]
    public async Task A_server_that_does_not_answer_or_is_stopped_is_a_sentence()
    {
        await using var hub = await HubServer.StartAsync("full", ("Hub:ServerTimeout", "00:00:01"));
        var late = await hub.Server.McpAsync("resources/read", new { uri = "hub://up/demo://mute" });
        Assert.Contains("did not answer within 1 s", late.Error.GetProperty("message").GetString());
        Assert.Equal("hi", await hub.CallAsync("up_echo", new { text = "hi" }));

        await hub.SendAsync("POST", "/1/stop");
        var listed = await hub.Server.McpAsync("resources/list");
        Assert.DoesNotContain("hub://up", listed.Result.GetRawText());
        Assert.DoesNotContain("up_greet", (await hub.Server.McpAsync("prompts/list")).Result.GetRawText());
    }

    [Fact]
    public async Task A_path_of_its_own_serves_its_own_names_and_only_those()
    {
        await using var hub = await HubServer.StartAsync();
        await hub.AddAsync("second", "other");

        var own = await ToolNames.OfAsync(hub.Server, "/mcp/up");
        Assert.Contains("echo", own[0]);
        Assert.Contains("up_x_y", (await ToolNames.OfAsync(hub.Server, "/mcp"))[0]);
        Assert.DoesNotContain(own[0], name => name.StartsWith("up_", StringComparison.Ordinal));
        Assert.Equal("hi", await hub.CallAsync("echo", new { text = "hi" }, "/mcp/up"));
        var resources = (await OwnAsync("resources/list")).Result.GetProperty("resources").EnumerateArray();
        Assert.Equal("demo://notes/1", Assert.Single(resources).GetProperty("uri").GetString());
        var prompts = (await OwnAsync("prompts/list")).Result.GetProperty("prompts").EnumerateArray();
        Assert.Equal("greet", Assert.Single(prompts).GetProperty("name").GetString());
        var read = (await OwnAsync("resources/read", new { uri = "demo://notes/6" })).Result.GetRawText();
        Assert.Contains("\"demo://notes/6\"", read);
        var got = await OwnAsync("prompts/get", new { name = "greet", arguments = new { who = "Ada" } });
        Assert.Contains("\"demo://notes/1\"", got.Result.GetRawText());

        Assert.Equal(["demo://notes/2", "demo://notes/3"], await LinksAsync("link", "/mcp/up"));
        Assert.Equal(["hub://up/demo://notes/2", "hub://up/demo://notes/3"], await LinksAsync("up_link", "/mcp"));
        var part = (await hub.Server.McpAsync("resources/list", path: "/mcp?profile=up")).Result.GetRawText();
        Assert.Contains("hub://up/demo://notes/1", part);
        Assert.DoesNotContain("hub://second/", part);
        Assert.Contains("up_echo", (await ToolNames.OfAsync(hub.Server, "/mcp?profile=up"))[0]);

        Task<McpAnswer> OwnAsync(string method, object? parameters = null) =>
            hub.Server.McpAsync(method, parameters, path: "/mcp/up");

        async Task<string?[]> LinksAsync(string tool, string path) =>
            [
                .. (await hub.Server.McpAsync("tools/call", new { name = tool }, path: path))
                    .Result.GetProperty("content")
                    .EnumerateArray()
                    .Select(block => block.TryGetProperty("resource", out var inner) ? inner : block)
                    .Select(block => block.GetProperty("uri").GetString()),
            ];
    }

    [Fact]
    public async Task A_server_may_keep_its_names_where_they_are_free()
    {
        await using var hub = HubServer.Empty();
        await hub.AddAsync("up", "full", new { names = "own" });
        var id = await hub.AddAsync("second", "other", new { names = "own" });

        Assert.Contains("echo", (await ToolNames.OfAsync(hub.Server, "/mcp"))[0]);
        var read = await hub.Server.McpAsync("resources/read", new { uri = "demo://notes/8" });
        Assert.Contains("note 8", read.Result.GetRawText());
        var shown = (await hub.SendAsync("GET", $"/{id}")).Json.GetProperty("notices").EnumerateArray();
        var notices = shown.Select(notice => notice.GetString()!).ToArray();
        Assert.Contains(notices, one => one.Contains("'echo' is not listed: its name here would be echo, which up"));
        Assert.Contains(notices, one => one.Contains("'greet' is not listed: its name here would be greet, which up"));
        Assert.Contains(notices, one => one.Contains("'demo://notes/1' is not listed: up has that URI already"));
        Assert.Equal("not listed", (await hub.ToolAsync("echo", id)).GetProperty("state").GetString());
    }

    [Theory]
    [InlineData("shop")]
    [InlineData("readonly")]
    [InlineData("grafana")]
    [InlineData("ops")]
    public async Task A_name_of_a_family_or_profile_is_refused(string name)
    {
        await using var hub = HubServer.Empty(("Profiles:ops:ReadOnly", "true"));
        var (status, answer) = await hub.SendAsync(
            "POST",
            "",
            new
            {
                name,
                command = "npx",
                args = (string[])["x"],
            }
        );
        Assert.Equal(400, status);
        Assert.Contains($"'{name}' is that of a tool family or profile", answer.GetProperty("detail").GetString());
    }
}
