using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Surfaces;
using MinimalMcp.Tests.Tools;
using MinimalMcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tests.Governance;

/// <summary>
/// Text from elsewhere that is no tool's result: there too what nobody sees is shown, and secrets are not.
/// </summary>
public sealed class HostileMessageTests
{
    private const string Key = "hostile-message-Wq7Zr2Kx9Lm4Np6Tv8Yb1";

    // An escape sequence, an override, a line separator, and a tag character in two halves.
    private static readonly string[] Hidden = ["\u001b", "\u202e", "\u2028", "\U000E0041"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Questions =>
        new()
        {
            { "prompts/list", "{}" },
            {
                "prompts/get",
                $$$"""{"name":"hostile_prompt","arguments":{"words":"""
                    + $$$"""{{{JsonSerializer.Serialize(HostilePrompts.Text)}}}}}"""
            },
            { "prompts/get", """{"name":"hostile_prompt","arguments":{"words":"fail"}}""" },
            { "prompts/get", """{"name":"no\u202e\u001b\u2028\udb40\udc41"}""" },
            { "resources/list", "{}" },
            { "resources/templates/list", "{}" },
            { "resources/read", """{"uri":"hostile://page"}""" },
            { "resources/read", """{"uri":"hostile://json"}""" },
            { "resources/read", """{"uri":"hostile://one/fail"}""" },
            {
                "completion/complete",
                """{"ref":{"type":"ref/prompt","name":"hostile_prompt"},"argument":{"name":"words","value":"s"}}"""
            },
            { "tools/list", "{}" },
            { "tools/call", """{"name":"no\u202e\u001b\u2028\udb40\udc41","arguments":{}}""" },
            { "tools/call", """{"name":"described","arguments":{"no\u202e\u001b\u2028\udb40\udc41":1}}""" },
            { "no/such\u202emethod\u001b\u2028\udb40\udc41", "{}" },
        };

    [Theory, MemberData(nameof(Questions))]
    public async Task Every_answer_shows_what_nobody_sees(string method, string parameters)
    {
        await using var server = TestServer.Start(HostilePrompts.Add);
        var asked = JsonNode.Parse(parameters)!.AsObject();
        var session = await server.InitializeAsync();

        Check("/mcp", await server.McpAsync(method, asked));
        Check("/mcp with a session", await server.McpAsync(method, asked, session: session));
        Check("/mcp as JSON only", await server.McpAsync(method, asked, accept: "application/json"));
        if (!method.Contains('\u202e') && !parameters.Contains("udb40", StringComparison.Ordinal))
        {
            Check("/mcp 2026", await server.McpAsync(method, asked, "2026-07-28")); // names are headers there
        }

        var message = new JsonObject
        {
            ["jsonrpc"] = "2.0",
            ["id"] = 1,
            ["method"] = method,
            ["params"] = asked.DeepClone(),
        };
        using var functions = await server.PostAsync("/api/mcp/v1/call", message.ToJsonString());
        Check("functions", JsonElement.Parse(await functions.Content.ReadAsStringAsync(Stop)));

        using var stream = await server.OpenAsync("/sse");
        using var posted = await server.PostAsync(await stream.DataAsync(), message.ToJsonString());
        Assert.Equal(HttpStatusCode.Accepted, posted.StatusCode);
        Check("/sse", await stream.MessageAsync());
    }

    [Fact]
    public async Task Definitions_of_tools_are_shown_on_every_surface()
    {
        await using var server = TestServer.Start(HostilePrompts.Add);

        foreach (
            var path in (string[])["/tools", "/api/mcp/v1/tools", "/api/mcp/v1/tools?format=openai", "/openapi.json"]
        )
        {
            Check(path, await server.GetJsonAsync(path));
        }

        var page = await server.Http.GetStringAsync(new Uri("/", UriKind.Relative), Stop);
        Assert.Contains("described", page, StringComparison.Ordinal);
        Assert.DoesNotContain(Hidden, hidden =>
            page.Contains(hidden, StringComparison.Ordinal)
            || page.Contains($"&#x{char.ConvertToUtf32(hidden, 0):X};", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_page_shows_it_in_the_values_that_it_is_made_of()
    {
        var name = $"Acme {string.Concat(Hidden)} Bank";
        await using var server = TestServer.Start(NotesTools.Alone, ("Server:Name", name));

        var page = await server.Http.GetStringAsync(new Uri("/", UriKind.Relative), Stop);

        Assert.Contains(@"Acme \u{1B}\u{202E}\u{2028}\u{E0041} Bank", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rest_shows_it_in_what_it_refuses()
    {
        await using var server = TestServer.Start(HostilePrompts.Add);
        using var unknown = await server.PostAsync("/tools/no%E2%80%AE%1B%E2%80%A8%F3%A0%81%81", "{}");
        using var argument = await server.PostAsync("/tools/described", """{"no\u202e\u001b\u2028\udb40\udc41":1}""");

        Assert.Equal((404, 400), ((int)unknown.StatusCode, (int)argument.StatusCode));
        Check("tool", JsonElement.Parse(await unknown.Content.ReadAsStringAsync(Stop)));
        Check("argument", JsonElement.Parse(await argument.Content.ReadAsStringAsync(Stop)));
    }

    [Fact]
    public async Task Standard_output_shows_it()
    {
        using var stdio = StdioClient.Start();
        await stdio.AskAsync("initialize", JsonSerializer.SerializeToNode(Way.Hello("2025-11-25"))!.AsObject());

        var prompt = await stdio.AskAsync(
            "prompts/get",
            new()
            {
                ["name"] = "plan_shopping",
                ["arguments"] = new JsonObject { ["occasion"] = HostilePrompts.Text },
            }
        );
        var refused = await stdio.AskAsync("prompts/get", new() { ["name"] = HostilePrompts.Text });

        Check("prompt", JsonElement.Parse(prompt.ToJsonString()));
        Check("refused", JsonElement.Parse(refused.ToJsonString()));
        await stdio.EndAsync();
    }

    [Fact]
    public async Task A_page_says_how_many_and_JSON_stays_JSON()
    {
        await using var server = TestServer.Start(HostilePrompts.Add);

        var (page, json, plain) = (
            await ReadAsync(server, "page"),
            await ReadAsync(server, "json"),
            await ReadAsync(server, "one/plain")
        );

        Assert.EndsWith("[4 invisible characters are shown as \\u{...}; they are not part of the original.]", page);
        var read = JsonElement.Parse(json);
        Assert.Equal("say\\u{1B}[2J\\u{202E}\\u{2028}\\u{E0041}", read.GetProperty("said").GetString());
        Assert.StartsWith("4 invisible characters", read.GetProperty("escaped").GetString());
        Assert.Equal("Übung, 日本語, 👨‍👩‍👧, می‌خواهم", plain);
    }

    [Fact]
    public async Task Secrets_of_the_settings_leave_in_no_prompt_and_no_resource()
    {
        await using var server = TestServer.Start(HostilePrompts.Add, ("Grafana:Token", Key));

        var prompt = await server.McpAsync(
            "prompts/get",
            new { name = "hostile_prompt", arguments = new { words = Key } }
        );
        var resource = await server.McpAsync("resources/read", new { uri = "hostile://one/" + Key });
        var failed = await server.McpAsync("prompts/get", new { name = Key });

        foreach (var answer in (McpAnswer[])[prompt, resource])
        {
            Assert.Contains("[REDACTED]", answer.Message.GetRawText(), StringComparison.Ordinal);
            Assert.DoesNotContain(Key, answer.Result.GetRawText(), StringComparison.Ordinal);
        }

        Assert.NotEqual(0, failed.ErrorCode);
    }

    [Fact]
    public async Task What_has_to_come_back_as_it_was_does()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        var id = "an id\u202e";

        var answer = await server.McpAsync("prompts/list", id: id);

        Assert.Equal(id, answer.Message.GetProperty("id").GetString());
    }

    private static async Task<string> ReadAsync(TestServer server, string page) =>
        (await server.McpAsync("resources/read", new { uri = "hostile://" + page }))
            .Result.GetProperty("contents")[0]
            .GetProperty("text")
            .GetString()!;

    private static void Check(string way, McpAnswer answer) => Check(way, answer.Message);

    private static void Check(string way, JsonElement answer)
    {
        var strings = HostileTextTests.Strings(answer).ToArray();
        Assert.DoesNotContain(strings, said => Hidden.Any(hidden => said.Contains(hidden, StringComparison.Ordinal)));
        Assert.True(strings.Any(said => said.Contains("\\u{202E}", StringComparison.Ordinal)), $"{way}: {answer}");
    }
}

internal sealed class HostilePrompts
{
    public const string Text = "say\u001b[2J\u202e\u2028\U000E0041";

    public static void Add(IServiceCollection services)
    {
        services.AddSingleton(new ToolType(typeof(HostilePrompts)));
        services.AddMcpServer().WithPrompts<HostilePrompts>().WithResources<HostilePrompts>();
    }

    [McpServerTool(Name = "described", Title = Text, ReadOnly = true), Description(Text)]
    public static string Described([Description(Text)] string? words = null) => words ?? "";

    [McpServerPrompt(Name = "hostile_prompt", Title = Text), Description(Text)]
    public static string Prompt([Description(Text), AllowedValues(Text, "other")] string words) =>
        words == "fail" ? throw new McpException(Text) : $"It says: {words}";

    [McpServerResource(UriTemplate = "hostile://page", Name = "page", Title = Text, MimeType = "text/plain")]
    [Description(Text)]
    public static string Page() => Text;

    [McpServerResource(UriTemplate = "hostile://json", Name = "json", MimeType = "application/json"), Description(Text)]
    public static string Json() => JsonSerializer.Serialize(new { said = Text });

    [McpServerResource(UriTemplate = "hostile://one/{name}", Name = "one", MimeType = "text/plain"), Description(Text)]
    public static string One(string name) =>
        name switch
        {
            "fail" => throw new McpException(Text),
            "plain" => "Übung, 日本語, 👨‍👩‍👧, می‌خواهم",
            _ => name,
        };
}
