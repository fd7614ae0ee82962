using System.Diagnostics;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Surfaces;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Scripts;

/// <summary>
/// The programs of the pages about Gemini, LangChain, LlamaIndex and the HTTP API are run as they stand there.
/// </summary>
[Slow]
public sealed class IntegrationPageTests
{
    private const string Gemini = "docs/connect/gemini.md";
    private const string HttpApi = "docs/connect/http-api.md";

    [Fact]
    public async Task The_Python_for_Gemini_calls_the_tool_that_the_model_chose()
    {
        const string Ask = """
            assert '\\"milk\\"' in ask("any", '{"query":"milk"}'), ask("any", '{"query":"milk"}')
            assert "did you mean 'query'?" in ask("any", '{"qery":"milk"}')
            """;
        await using var gemini = await FakeGemini.StartAsync();
        await RunsAsync(Needs.Python(), ".py", Program(Gemini, "python", gemini.Urls.Single()) + "\n\n" + Ask);
    }

    [Fact]
    public async Task The_JavaScript_for_Gemini_calls_the_tool_that_the_model_chose()
    {
        const string Ask = """
            import assert from "node:assert";
            assert.match(await ask("any", '{"query":"milk"}'), /\\"milk\\"/);
            assert.match(await ask("any", '{"qery":"milk"}'), /did you mean 'query'\?/);
            """;
        await using var gemini = await FakeGemini.StartAsync();
        await RunsAsync(ClientProcess.Node, ".mjs", Program(Gemini, "js", gemini.Urls.Single()) + "\n\n" + Ask);
    }

    [Fact]
    public async Task The_JavaScript_for_LangChain_calls_the_tool_that_the_model_chose()
    {
        // LangChain's own class of a chat model, whose answers are written down.
        const string Ask = """
            import assert from "node:assert";
            import { AIMessage } from "@langchain/core/messages";
            import { BaseChatModel } from "@langchain/core/language_models/chat_models";

            class Scripted extends BaseChatModel {
              _llmType() { return "scripted"; }
              bindTools(tools) {
                assert.equal(tools.filter(({ name }) => name === "find_notes").length, 1);
                return this;
              }
              async _generate(messages) {
                const last = messages.at(-1);
                const [name] = last.content.split(" ", 1);
                const args = () => JSON.parse(last.content.slice(name.length));
                const message = last.getType() === "tool"
                  ? new AIMessage(last.content)
                  : new AIMessage({
                      content: "",
                      tool_calls: [{ type: "tool_call", id: "1", name, args: args() }],
                    });
                return { generations: [{ text: "", message }] };
              }
            }

            assert.match(await ask(new Scripted({}), 'find_notes {"query":"milk"}'), /Buy milk/);
            assert.match(await ask(new Scripted({}), 'send_picked {}'), /Use pick_note first/);
            await client.close();
            """;
        Needs.NodePackage("@langchain/mcp-adapters/package.json");
        await RunsAsync(ClientProcess.Node, ".mjs", Program("docs/connect/langchain.md", "js") + "\n\n" + Ask);
    }

    [Fact]
    public async Task The_JavaScript_for_LlamaIndex_calls_the_tool_that_the_model_chose()
    {
        const string Ask = """
            import assert from "node:assert";
            import { LLMAgent } from "@llamaindex/core/agent";
            import { BaseLLM } from "@llamaindex/core/llms";

            class Scripted extends BaseLLM {
              supportToolCall = true;
              metadata = { model: "scripted", temperature: 0, topP: 1, contextWindow: 1000, tokenizer: undefined };
              async chat({ messages }) {
                const last = messages.at(-1);
                const result = last.options?.toolResult;
                return {
                  raw: null,
                  message: result
                    ? { role: "assistant", content: JSON.stringify(result.result) }
                    : {
                        role: "assistant",
                        content: "",
                        options: { toolCall: [{ id: "1", name: "find_notes", input: JSON.parse(last.content) }] },
                      },
                };
              }
            }

            const tools = await getTools();
            const ask = async (message) =>
              `${(await new LLMAgent({ llm: new Scripted(), tools }).chat({ message })).message.content}`;
            assert.match(await ask('{"query":"milk"}'), /milk/);
            assert.match(await ask('{"qery":"milk"}'), /did you mean 'query'\?/);
            """;
        Needs.NodePackage("@llamaindex/core/package.json");
        await RunsAsync(ClientProcess.Node, ".mjs", Program("docs/connect/llamaindex.md", "js") + "\n\n" + Ask);
    }

    [Theory]
    [InlineData("docs/connect/langchain.md")]
    [InlineData("docs/connect/llamaindex.md")]
    public async Task Python_that_is_only_shown_is_Python(string page)
    {
        var file = await WriteAsync(
            Path.GetTempPath(),
            $"shown-{Guid.NewGuid():N}.py",
            Page.Blocks(page, "python").Single()
        );
        var (exitCode, output) = await ClientProcess.RunAsync(
            Needs.Python(),
            ["-c", "import ast, sys; ast.parse(open(sys.argv[1]).read())", file]
        );
        File.Delete(file);
        Assert.True(exitCode == 0, output);
    }

    // Go and Java are no part of what scripts/test installs: without a compiler these programs are only shown.
    [Theory]
    [InlineData("go", "go", "main.go", "run")]
    [InlineData("java", "java", "CallTool.java", null)]
    public async Task The_programs_of_the_HTTP_API_call_a_tool(
        string language,
        string compiler,
        string file,
        string? verb
    )
    {
        if (Load.Installed.Program(compiler) is not { } program)
        {
            TestContext.Current.SendDiagnosticMessage(
                $"{compiler} is not installed: the program of {HttpApi} was not run."
            );
            return;
        }

        await using var server = ReadmeTests.StartWithClock();
        var folder = Directory.CreateTempSubdirectory("http-api");
        var path = await WriteAsync(
            folder.FullName,
            file,
            Page.Blocks(HttpApi, language)
                .Single()
                .Replace("http://localhost:3001", server.BaseUrl, StringComparison.Ordinal)
        );
        var (exitCode, output, errors) = await ClientProcess.RunAsync(
            new ProcessStartInfo(program, verb is null ? [path] : [verb, path])
        );
        folder.Delete(recursive: true);

        Assert.True(exitCode == 0, output + errors);
        Assert.Contains("clock_now", output);
        Assert.Matches(@"\d{4}-\d\d-\d\dT", output);
    }

    private static string Program(string page, string language, string gemini = "") =>
        Page.Blocks(page, language)
            .Single()
            .Replace("https://generativelanguage.googleapis.com", gemini, StringComparison.Ordinal);

    private static async Task RunsAsync(string program, string extension, string text)
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        // Beside the packages, where Node.js finds them.
        var script = await WriteAsync(
            ClientProcess.Folder,
            $".page-{Guid.NewGuid():N}{extension}",
            text.Replace("http://localhost:3001", server.BaseUrl, StringComparison.Ordinal)
        );
        try
        {
            var start = new ProcessStartInfo(program, [script]);
            start.Environment["GEMINI_API_KEY"] = "any";
            start.Environment.Remove("MCP_API_KEY");
            var (exitCode, output, errors) = await ClientProcess.RunAsync(start);
            Assert.True(exitCode == 0, output + errors);
        }
        finally
        {
            File.Delete(script);
        }
    }

    private static async Task<string> WriteAsync(string folder, string name, string text)
    {
        var file = Path.Combine(folder, name);
        await File.WriteAllTextAsync(file, text, TestContext.Current.CancellationToken);
        return file;
    }
}
