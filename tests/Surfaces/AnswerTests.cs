using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>
/// What tools answer keeps what their schemas promise, whatever an outside system sends: strict clients throw away an
/// answer that does not. The judge is ajv in strict mode.
/// </summary>
[Slow(Minutes = true)]
public sealed class AnswerTests
{
    private const int Rounds = 12;

    [Fact]
    public async Task Every_answer_conforms_whatever_the_systems_send()
    {
        await using var product = await ProductFamilies.StartAsync();
        var proxies = new List<DamagingProxy>();
        var settings = new List<(string, string)>();
        foreach (var (key, value) in product.Settings)
        {
            var isSystem =
                key.EndsWith(":Url", StringComparison.Ordinal) && value.StartsWith("http://", StringComparison.Ordinal);
            if (isSystem)
            {
                proxies.Add(await DamagingProxy.StartAsync(value));
            }

            settings.Add((key, isSystem ? proxies[^1].Url + new Uri(value).AbsolutePath.TrimEnd('/') : value));
        }

        var log = new CapturedLog();
        await using var server = TestServer.Start(
            services => services.AddSingleton<ILoggerProvider>(log),
            [.. settings, ("Logging:LogLevel:Default", "Error")]
        );
        var schemas = (await server.McpAsync("tools/list"))
            .Result.GetProperty("tools")
            .EnumerateArray()
            .ToDictionary(tool => tool.GetProperty("name").GetString()!, tool => tool);
        var (pairs, failures, answered) = (new JsonArray(), new List<string>(), new HashSet<string>());
        for (var round = 0; round <= Rounds; round++)
        {
            foreach (var family in product.All)
            {
                foreach (var (tool, arguments, _) in family.Calls.Where(call => call.Failure is null))
                {
                    family.Reset();
                    foreach (var proxy in proxies)
                    {
                        proxy.Percent = round == 0 ? 0 : 1 + (round * 2);
                        proxy.Seed(round);
                    }

                    var answer = await server.McpAsync(
                        "tools/call",
                        new { name = tool, arguments = JsonNode.Parse(arguments) },
                        caller: $"round {round}"
                    );
                    if (answer.IsError)
                    {
                        if (answer.Text.Contains("failed unexpectedly", StringComparison.Ordinal))
                        {
                            failures.Add($"round {round}: {tool} {arguments}: {log.Lines.Last().Text}");
                        }
                    }
                    else if (answer.Result.TryGetProperty("structuredContent", out var structured))
                    {
                        answered.Add(tool);
                        pairs.Add(
                            new JsonObject
                            {
                                ["name"] = $"round {round}: {tool} {arguments}",
                                ["schema"] = JsonNode.Parse(schemas[tool].GetProperty("outputSchema").GetRawText()),
                                ["value"] = JsonNode.Parse(structured.GetRawText()),
                            }
                        );
                    }
                }
            }
        }

        foreach (var proxy in proxies)
        {
            await proxy.DisposeAsync();
        }

        Assert.True(
            failures.Count == 0,
            $"{failures.Count} failed unexpectedly\n{string.Join('\n', failures.Take(20))}"
        );
        // Those that work over other families are asked in the tests of their own.
        var silent = schemas
            .Where(tool => tool.Value.TryGetProperty("outputSchema", out _))
            .Select(tool => tool.Key)
            .Except(answered)
            .Except(product.Apart.SelectMany(family => family.Calls).Select(call => call.Tool));
        Assert.Empty(silent);
        await OpenApiCheckTests.ConformAsync(pairs);
    }

    [Fact]
    public async Task Every_preview_conforms_to_the_schema_of_its_tool()
    {
        await using var product = await ProductFamilies.StartAsync();
        await using var server = TestServer.Start([.. product.Settings, ("Governance:Confirm", "*")]);
        var tools = (await server.McpAsync("tools/list"))
            .Result.GetProperty("tools")
            .EnumerateArray()
            .ToDictionary(tool => tool.GetProperty("name").GetString()!);
        var pairs = new JsonArray();
        var seen = new HashSet<string>();
        foreach (var family in product.All)
        {
            foreach (var (tool, arguments, _) in family.Calls.Where(call => call.Failure is null))
            {
                family.Reset();
                var answer = await server.McpAsync(
                    "tools/call",
                    new { name = tool, arguments = JsonNode.Parse(arguments) }
                );
                if (!answer.IsError && tools[tool].TryGetProperty("outputSchema", out var schema))
                {
                    var shown = answer.Result.GetProperty("structuredContent");
                    // A call that asks for a dry run gets one, and no confirmation.
                    Assert.True(
                        tool == "docker_prune"
                            || shown.GetProperty("status").GetString() is "confirmation_required" or "dry_run",
                        tool
                    );
                    seen.Add(tool);
                    pairs.Add(
                        new JsonObject
                        {
                            ["name"] = tool,
                            ["schema"] = JsonNode.Parse(schema.GetRawText()),
                            ["value"] = JsonNode.Parse(shown.GetRawText()),
                        }
                    );
                }
            }
        }

        Assert.True(seen.Count >= 70, $"only {seen.Count} tools were previewed");
        await OpenApiCheckTests.ConformAsync(pairs);
    }

    [Fact]
    public async Task Every_schema_is_one_that_strict_readers_take()
    {
        await using var product = await ProductFamilies.StartAsync();
        await using var server = TestServer.Start(product.Settings);
        var tools = (await server.McpAsync("tools/list")).Result.GetProperty("tools").EnumerateArray().ToArray();
        var pairs = new JsonArray();
        foreach (var tool in tools)
        {
            var name = tool.GetProperty("name").GetString();
            var input = tool.GetProperty("inputSchema").GetRawText();
            // Semantic Kernel, AutoGen, google-genai and three OpenAPI generators read no union with null.
            Assert.False(HasNull(JsonNode.Parse(input)), $"{name}: {input}");
            Assert.DoesNotContain("\"$ref\"", tool.GetRawText());
            pairs.Add(Pair($"{name}, input", input));
            if (tool.TryGetProperty("outputSchema", out var output))
            {
                Assert.Equal("object", output.GetProperty("type").GetString());
                pairs.Add(Pair($"{name}, output", output.GetRawText()));
            }
        }

        await OpenApiCheckTests.ConformAsync(pairs);

        var functions = await server.GetJsonAsync("/api/mcp/v1/tools?format=openai");
        Assert.All(functions.GetProperty("tools").EnumerateArray(), function =>
            Assert.False(
                HasNull(JsonNode.Parse(function.GetProperty("function").GetProperty("parameters").GetRawText()))
            )
        );
        var document = await server.GetJsonAsync("/openapi.json");
        Assert.All(document.GetProperty("paths").EnumerateObject(), path =>
            Assert.False(
                path.Value.GetProperty("post").TryGetProperty("requestBody", out var body)
                    && HasNull(JsonNode.Parse(body.GetRawText())),
                path.Name
            )
        );
    }

    [Fact]
    public async Task No_name_is_a_reserved_word_of_a_language_that_clients_are_generated_in()
    {
        await using var product = await ProductFamilies.StartAsync();
        await using var server = TestServer.Start(product.Settings);
        var found = new List<string>();
        foreach (var tool in (await server.McpAsync("tools/list")).Result.GetProperty("tools").EnumerateArray())
        {
            var name = tool.GetProperty("name").GetString()!;
            Find(JsonNode.Parse(tool.GetProperty("inputSchema").GetRawText()), name, found);
            Find(
                tool.TryGetProperty("outputSchema", out var output) ? JsonNode.Parse(output.GetRawText()) : null,
                name,
                found
            );
        }

        Assert.Empty(found.Distinct());

        static void Find(JsonNode? node, string path, List<string> found)
        {
            foreach (var (keyword, value) in node as JsonObject ?? [])
            {
                if (keyword == "properties")
                {
                    found.AddRange(
                        ((JsonObject)value!)
                            .Select(property => property.Key)
                            .Where(name => name != "type" && Reserved.Contains(name))
                            .Select(name => $"{path}: {name}")
                    );
                }

                Find(value, path, found);
            }

            (node as JsonArray)?.ToList().ForEach(item => Find(item, path, found));
        }
    }

    // Python 3.14, ECMAScript 2025, Go 1.26, Java 25, C# 14; what is reserved in some places only is left out.
    private static readonly HashSet<string> Reserved =
    [
        .. """
            False None True and as assert async await break class continue def del elif else except finally for from
            global if import in is lambda nonlocal not or pass raise return try while with yield
            case catch const debugger default delete do enum export extends false function implements instanceof
            interface let new null package private protected public static super switch this throw true typeof var void
            chan defer fallthrough func go goto map range select struct type
            abstract boolean byte char double final float int long native short strictfp synchronized throws transient
            volatile
            base bool checked decimal delegate event explicit extern fixed foreach implicit internal lock namespace
            object operator out override params readonly ref sbyte sealed sizeof stackalloc string uint ulong unchecked
            unsafe ushort using virtual
            """.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries),
    ];

    private static JsonObject Pair(string name, string schema) =>
        new() { ["name"] = name, ["schema"] = JsonNode.Parse(schema) };

    private static bool HasNull(JsonNode? node) =>
        node switch
        {
            JsonObject members => members.Any(member => member.Value is null || HasNull(member.Value)),
            JsonArray items => items.Any(item => item is null || HasNull(item)),
            JsonValue value => value.TryGetValue<string>(out var text) && text == "null",
            _ => false,
        };
}
