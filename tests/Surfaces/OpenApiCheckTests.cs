using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>The document, judged by checkers that other people wrote.</summary>
[Slow]
public sealed class OpenApiCheckTests
{
    [Theory]
    [InlineData("3.1")]
    [InlineData("3.0")]
    public async Task Redocly_finds_no_errors(string version) =>
        await PassesAsync(version, "@redocly/cli/bin/cli.js", "lint", "--config", Beside("redocly.yaml"));

    [Theory]
    [InlineData("3.1")]
    [InlineData("3.0")]
    public async Task Spectral_finds_no_errors(string version) =>
        await PassesAsync(
            version,
            "@stoplight/spectral-cli/dist/index.js",
            "lint",
            "--ruleset",
            Beside("spectral.yaml")
        );

    [Theory]
    [InlineData("/openapi.json?v=3.1&family=notes")]
    [InlineData("/openapi.json?v=3.1&family=fixture")]
    [InlineData("/tools")]
    public async Task Every_answer_conforms_to_the_schema_that_is_published(string document)
    {
        await using var server = TestServer.Start(FixtureTools.WithNotes);
        var schemas = Schemas(await server.GetJsonAsync(document));
        var calls = Cases.Good.Concat(Cases.Shapes).Where(call => schemas.ContainsKey(call.Tool)).ToArray();

        Assert.True(calls.Length >= 5);
        await ConformAsync(server, schemas, calls.Select(call => (call.Tool, call.Arguments, new Action(() => { }))));
    }

    [Theory]
    [InlineData("/openapi.json?v=3.1")]
    [InlineData("/tools")]
    public async Task Every_answer_of_the_products_families_conforms(string document)
    {
        await using var product = await ProductFamilies.StartAsync();
        await using var server = TestServer.Start(product.Settings);
        var schemas = Schemas(await server.GetJsonAsync(document));
        await ConformAsync(
            server,
            schemas,
            product.All.SelectMany(family =>
                family
                    .Calls.Where(call => call.Failure is null)
                    .Select(call => (call.Tool, call.Arguments, (Action)family.Reset))
            )
        );
    }

    private static async Task ConformAsync(
        TestServer server,
        Dictionary<string, JsonElement> schemas,
        IEnumerable<(string Tool, string Arguments, Action Reset)> calls
    )
    {
        var pairs = new JsonArray();
        foreach (var (tool, arguments, reset) in calls.Where(call => schemas.ContainsKey(call.Tool)))
        {
            reset();
            using var response = await server.PostAsync($"/tools/{tool}", arguments);
            var value = JsonNode.Parse(
                await response
                    .EnsureSuccessStatusCode()
                    .Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
            );
            pairs.Add(
                new JsonObject
                {
                    ["name"] = $"{tool} {arguments}",
                    ["schema"] = JsonNode.Parse(schemas[tool].GetRawText()),
                    ["value"] = value,
                }
            );
        }

        await ConformAsync(pairs);
    }

    /// <summary>
    /// Holds each value against its schema: <c>[{ name, schema, value }]</c>, in one process for all.
    /// </summary>
    internal static Task ConformAsync(JsonArray pairs) => RunAsync([Beside("conforms.cjs")], pairs.ToJsonString());

    private static Dictionary<string, JsonElement> Schemas(JsonElement document) =>
        document.TryGetProperty("paths", out var paths)
            ? paths
                .EnumerateObject()
                .ToDictionary(
                    path => path.Name["/tools/".Length..],
                    path =>
                        path.Value.GetProperty("post")
                            .GetProperty("responses")
                            .GetProperty("200")
                            .GetProperty("content")
                            .GetProperty("application/json")
                            .GetProperty("schema")
                )
            : document
                .GetProperty("tools")
                .EnumerateArray()
                .Where(tool =>
                    tool.TryGetProperty("outputSchema", out var schema) && schema.ValueKind is JsonValueKind.Object
                )
                .ToDictionary(tool => tool.GetProperty("name").GetString()!, tool => tool.GetProperty("outputSchema"));

    private static async Task PassesAsync(string version, string program, params string[] arguments)
    {
        await using var server = TestServer.Start(services =>
        {
            FixtureTools.AddTo(services);
            WordyTools.AddTo(services);
        });
        var document = await server.GetJsonAsync($"/openapi.json?v={version}");
        await RunAsync(
            [Path.Combine(ClientProcess.Folder, "node_modules", program), .. arguments],
            document.GetRawText()
        );
    }

    /// <summary>Runs a Node.js program; its last argument is a file with the text.</summary>
    private static async Task RunAsync(IEnumerable<string> program, string text)
    {
        var file = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.json");
        await File.WriteAllTextAsync(file, text, TestContext.Current.CancellationToken);
        try
        {
            var (exitCode, output) = await ClientProcess.RunAsync(ClientProcess.Node, [.. program, file]);
            Assert.True(exitCode == 0, output);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string Beside(string file, [CallerFilePath] string path = "") =>
        Path.Combine(Path.GetDirectoryName(path)!, file);
}
