using System.ClientModel;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MinimalMcp.Auth;
using MinimalMcp.Configuration;
using MinimalMcp.Governance;
using MinimalMcp.Outgoing;
using MinimalMcp.Storage;
using MinimalMcp.Surfaces.Mcp;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tools;
using MinimalMcp.Tools.Clock;
using OpenAI;
using OpenAI.Chat;
using static MinimalMcp.Tests.Scripts.Page;

namespace MinimalMcp.Tests.Scripts;

/// <summary>What the README and the pages of docs/ say is run, compiled or compared, so that it stays true.</summary>
[Slow]
public sealed partial class ReadmeTests
{
    private const string FunctionCalling = "docs/connect/function-calling.md";

    /// <summary>The second becomes the first of a project that is made with the template.</summary>
    private static readonly string[] Readmes =
    [
        .. new[] { "README.md", "README-template.md" }.Where(file =>
            File.Exists(Path.Combine(ClientProcess.Root, file))
        ),
    ];

    internal static readonly string[] Pages =
    [
        .. Readmes,
        .. Directory
            .GetFiles(Path.Combine(ClientProcess.Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(ClientProcess.Root, file).Replace('\\', '/'))
            .Order(StringComparer.Ordinal),
        .. SampleFolders.Select(folder => $"samples/{folder}/README.md"),
    ];

    private static IEnumerable<string> SampleFolders =>
        Directory.Exists(Path.Combine(ClientProcess.Root, "samples"))
            ? Directory.GetDirectories(Path.Combine(ClientProcess.Root, "samples")).Select(Path.GetFileName).Order()!
            : [];

    /// <summary>The blocks fenced as bash; those fenced as sh are only shown.</summary>
    public static TheoryData<string, string> Commands =>
        [
            .. Pages.SelectMany(page =>
                Blocks(page, "bash").Select(block => new TheoryDataRow<string, string>(page, block))
            ),
        ];

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Their_commands_work(string page, string block)
    {
        Assert.NotEmpty(page);
        await using var server = StartWithClock();

        // curl is content with any answer, a test is not.
        const string Strict = "curl() { command curl --silent --show-error --fail-with-body --fail-early \"$@\"; }\n";
        var (exitCode, output, errors) = await Shell.RunAsync(
            Strict + block.Replace("http://localhost:3001", server.BaseUrl, StringComparison.Ordinal)
        );

        if (
            block.Contains("{\"qery\":", StringComparison.Ordinal)
            || block.Contains("{\"zon\":", StringComparison.Ordinal)
        )
        {
            Assert.Contains("did you mean '", output); // the calls that go wrong on purpose
            return;
        }

        Assert.True(exitCode == 0, $"{output}\n{errors}");
        Assert.NotEqual("", output);
        Assert.DoesNotContain("\"error\"", output);
        Assert.DoesNotContain("\"isError\":true", output);
    }

    [Fact]
    public void Their_first_tool_is_the_one_that_is_compiled_here() =>
        Assert.All(Readmes, readme =>
            Assert.Equal(File.ReadAllText(Sample("ClockTools.cs")).TrimEnd(), Blocks(readme, "csharp").Single())
        );

    [Fact]
    public void The_function_calling_in_csharp_is_the_code_that_is_compiled_here() =>
        Assert.Contains(
            Dedent(Blocks(FunctionCalling, "csharp").Single()),
            Dedent(File.ReadAllText(Sample("Chat.cs")))
        );

    [Fact]
    public async Task The_function_calling_in_csharp_calls_the_tool_that_the_model_chose()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        await using var model = FakeModel.Start();
        var chat = new ChatClient("any", new ApiKeyCredential("any"), new OpenAIClientOptions { Endpoint = model.Url });

        Assert.Contains("4.19", await Samples.Chat.AskAsync(chat, server.Http, "What does milk cost?"));
    }

    [Fact]
    public async Task The_function_calling_in_python_calls_the_tool_that_the_model_chose()
    {
        // A model that asks for one tool call, and then repeats what it was given.
        const string Model = """
            class Thing:
                def __init__(self, **members): self.__dict__.update(members)
            def create(model, messages, tools):
                assert [tool["function"]["name"] for tool in tools].count("find_notes") == 1
                if isinstance(messages[-1], dict) and messages[-1]["role"] == "tool":
                    reply = Thing(tool_calls=None, content=messages[-1]["content"])
                else:
                    function = Thing(name="find_notes", arguments=messages[-1]["content"])
                    reply = Thing(tool_calls=[Thing(id="1", function=function)])
                return Thing(choices=[Thing(message=reply)])
            client = Thing(chat=Thing(completions=Thing(create=create)))
            assert '"milk"' in ask(client, "any", '{"query":"milk"}')
            assert "did you mean 'query'?" in ask(client, "any", '{"qery":"milk"}')
            """;
        await RunsAsync(Needs.Python(), "py", Blocks(FunctionCalling, "python").Single(), Model);
    }

    [Fact]
    public async Task The_function_calling_in_javascript_calls_the_tool_that_the_model_chose()
    {
        const string Model = """
            import assert from "node:assert";
            const create = async ({ messages, tools }) => {
              assert.equal(tools.filter((tool) => tool.function.name === "find_notes").length, 1);
              const last = messages.at(-1);
              const message = last.role === "tool"
                ? { content: last.content }
                : { tool_calls: [{ id: "1", function: { name: "find_notes", arguments: last.content } }] };
              return { choices: [{ message }] };
            };
            const client = { chat: { completions: { create } } };
            assert.match(await ask(client, "any", '{"query":"milk"}'), /"milk"/);
            assert.match(await ask(client, "any", '{"qery":"milk"}'), /did you mean 'query'\?/);
            """;
        await RunsAsync(ClientProcess.Node, "mjs", Blocks(FunctionCalling, "js").Single(), Model);
    }

    [Fact]
    public void The_page_of_settings_has_every_setting_and_every_environment_name()
    {
        var settings = Properties<ServerOptions>("Server")
            .Concat(Properties<AuthOptions>("Auth"))
            .Concat(Properties<MinimalMcp.Auth.Provider.ProviderOptions>("Auth:Provider"))
            .Concat(Properties<GovernanceOptions>("Governance"))
            .Concat(Properties<StorageOptions>("Storage"))
            .Concat(Properties<McpOptions>("Mcp"))
            .Concat(Properties<OutgoingOptions>("Outgoing"))
            .Concat(Properties<MinimalMcp.Auth.Server.AuthorizationServerOptions>("Auth:Server"))
            .Concat(EnvironmentNames.Table.SelectMany(row => new[] { row.Name, row.Setting }))
            .Concat(SettingsReadByName());

        Assert.All(settings.Distinct(), setting => Assert.Contains($"`{setting}", Text("docs/reference/settings.md")));
    }

    [Fact]
    public void Their_json_is_json() =>
        Assert.All(Pages.SelectMany(page => Blocks(page, "json")), block => JsonElement.Parse(block));

    [Fact]
    public void Their_links_lead_to_files_and_headings()
    {
        var dead = Pages
            .SelectMany(page => LocalLink().Matches(WithoutBlocks(page)).Select(match => (page, match)))
            .Where(link => !Leads(link.page, link.match.Groups[1].Value, link.match.Groups[2].Value))
            .Select(link => $"{link.page}: {link.match.Value}");
        Assert.Empty(dead);
    }

    [Fact]
    public void Every_page_is_linked_from_the_index()
    {
        const string Index = "docs/README.md";
        var linked = LocalLink()
            .Matches(Text(Index))
            .Select(match => "docs/" + match.Groups[1].Value.Replace("../", "", StringComparison.Ordinal))
            .Concat(Readmes.SelectMany(page => LocalLink().Matches(Text(page)).Select(match => match.Groups[1].Value)))
            .ToHashSet();
        Assert.DoesNotContain(Pages.Except(Readmes).Except(linked), page => !linked.Contains("docs/" + page));
        Assert.All(Readmes, readme => Assert.Contains($"]({Index})", Text(readme)));
    }

    [Fact]
    public void Their_lines_are_at_most_120_characters_wide()
    {
        var wide = Pages
            .Except(["docs/template.md"])
            .SelectMany(page =>
                Text(page)
                    .Split('\n')
                    .Select((line, index) => (line, Where: $"{page}:{index + 1}"))
                    .Where(line => line.line.Length > 120 && !line.line.StartsWith('|')) // a table's row has one line
            );
        Assert.Empty(wide.Select(line => line.Where));
    }

    // Somebody may have pasted the README's first tool, which the server then finds by itself.
    internal static TestServer StartWithClock() =>
        TestServer.Start(services =>
        {
            if (typeof(ClockTools).Assembly != typeof(Program).Assembly)
            {
                services.AddSingleton(new ToolType(typeof(ClockTools)));
            }
        });

    private static IEnumerable<string> Properties<T>(string section) =>
        typeof(T)
            .GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanWrite)
            .Select(property => $"{section}:{property.Name}");

    // Some settings are read where they are used, without an options class.
    private static IEnumerable<string> SettingsReadByName() =>
        from file in Directory.EnumerateFiles(ClientProcess.Root, "*.cs", SearchOption.AllDirectories)
        let path = Path.GetRelativePath(ClientProcess.Root, file)
        where
            !path.StartsWith("tests", StringComparison.Ordinal)
            && !path.Split(Path.DirectorySeparatorChar)
                .Any(part => part is "obj" or "bin" or "artifacts" or "templates")
        from match in ReadByName().Matches(File.ReadAllText(file))
        select match.Groups[1].Value.TrimEnd(':');

    private static async Task RunsAsync(string program, string extension, string sample, string model)
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        var script = Path.Combine(Path.GetTempPath(), $"page-{Guid.NewGuid():N}.{extension}");
        await File.WriteAllTextAsync(
            script,
            sample.Replace("http://localhost:3001", server.BaseUrl, StringComparison.Ordinal) + "\n\n" + model,
            TestContext.Current.CancellationToken
        );
        try
        {
            var (exitCode, output) = await ClientProcess.RunAsync(program, [script]);
            Assert.True(exitCode == 0, output);
        }
        finally
        {
            File.Delete(script);
        }
    }

    private static bool Leads(string page, string target, string heading)
    {
        var file = Path.GetFullPath(
            target == "" ? page : Path.Combine(Path.GetDirectoryName(page)!, target),
            ClientProcess.Root
        );
        return heading == ""
            ? File.Exists(file) || Directory.Exists(file)
            : File.Exists(file)
                && File.ReadLines(file).Where(line => line.StartsWith('#')).Select(Anchor).Contains(heading);
    }

    // As GitHub makes them: letters, digits, hyphens and underscores stay.
    private static string Anchor(string heading) =>
        new([
            .. heading
                .TrimStart('#', ' ')
                .ToLowerInvariant()
                .Replace(' ', '-')
                .Where(letter => char.IsLetterOrDigit(letter) || letter is '-' or '_'),
        ]);

    private static string Dedent(string code) => string.Join('\n', code.Split('\n').Select(line => line.Trim()));

    private static string Sample(string file) => Path.Combine(ClientProcess.Root, "tests", "Scripts", "Samples", file);

    [GeneratedRegex(@"onfiguration(?:\.GetValue(?:<[^>]+>)?\(|\[)\$?""([A-Za-z]+(?::[A-Za-z]+)*:?)")]
    private static partial Regex ReadByName();

    [GeneratedRegex(@"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)")]
    private static partial Regex LocalLink();

    /// <summary>Chat Completions of a model that asks for one tool call, and then repeats what it was given.</summary>
    private sealed class FakeModel(WebApplication app) : IAsyncDisposable
    {
        public Uri Url { get; } = new(app.Urls.Single());

        public static FakeModel Start()
        {
            var app = WebApplication.CreateSlimBuilder(["--urls", "http://127.0.0.1:0"]).Build();
            app.MapPost("/chat/completions", async (HttpRequest request) =>
            {
                var question = await request.ReadFromJsonAsync<JsonElement>();
                var last = question.GetProperty("messages").EnumerateArray().Last();
                return last.GetProperty("role").GetString() == "tool"
                    ? Reply("stop", new { role = "assistant", content = last.GetProperty("content").ToString() })
                    : Reply(
                        "tool_calls",
                        new
                        {
                            role = "assistant",
                            tool_calls = new[]
                            {
                                new
                                {
                                    id = "1",
                                    type = "function",
                                    function = new { name = "find_notes", arguments = """{"query":"milk"}""" },
                                },
                            },
                        }
                    );
            });
            app.Start();
            return new(app);
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();

        private static IResult Reply(string reason, object message) =>
            Results.Json(
                new
                {
                    id = "1",
                    @object = "chat.completion",
                    created = 0,
                    model = "any",
                    choices = new[]
                    {
                        new
                        {
                            index = 0,
                            finish_reason = reason,
                            message,
                        },
                    },
                }
            );
    }
}
