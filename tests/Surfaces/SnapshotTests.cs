using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>
/// What hosts and models see of this server, as files: a change to it shows up in a review. After a change that is
/// meant, run the tests once with UPDATE_SNAPSHOTS=1.
/// </summary>
public sealed class SnapshotTests
{
    private static readonly JsonSerializerOptions Pretty = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly bool Update = Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") == "1";

    /// <summary>The folders of families; each keeps the snapshots of its tools in the folder of its tests.</summary>
    private static IEnumerable<string> Families =>
        Directory.GetDirectories(Path.Combine(ClientProcess.Root, "Tools")).Select(folder => Path.GetFileName(folder)!);

    [Fact]
    public async Task Every_tool_of_the_product_looks_as_its_snapshot()
    {
        await using var product = await ProductFamilies.StartAsync();
        await using var server = TestServer.Start(product.Settings);
        var families = await FamiliesOfToolsAsync(server);
        var tools = (await server.McpAsync("tools/list"))
            .Result.GetProperty("tools")
            .EnumerateArray()
            .ToDictionary(tool => tool.GetProperty("name").GetString()!);

        var differences = new List<string?>();
        foreach (var (name, tool) in tools)
        {
            differences.Add(Compare(PathOf(families[name], name), JsonNode.Parse(tool.GetRawText())!));
        }

        // Of a family that is off nothing can be said: Status is, where no other family asks a system.
        differences.AddRange(
            Families
                .Intersect(families.Values)
                .Select(family => Path.GetDirectoryName(PathOf(family, ""))!)
                .Where(Directory.Exists)
                .SelectMany(folder => Directory.GetFiles(folder, "*.json"))
                .Where(file =>
                    Path.GetFileNameWithoutExtension(file) is var name
                    && !name.StartsWith("openapi-", StringComparison.Ordinal)
                    && !tools.ContainsKey(name)
                )
                .Select(file => $"{file}: there is no such tool any more; delete the file")
        );
        Assert.All(differences, Assert.Null);
    }

    [Theory]
    [InlineData("3.1")]
    [InlineData("3.0")]
    public async Task The_OpenAPI_document_of_each_family_looks_as_its_snapshot(string version)
    {
        await using var product = await ProductFamilies.StartAsync();
        await using var server = TestServer.Start([
            .. product.Settings,
            ("Server:PublicUrl", "https://tools.example"),
            ("Server:Port", "3001"),
        ]);
        foreach (var family in (await FamiliesOfToolsAsync(server)).Values.Distinct())
        {
            Assert.Null(
                Compare(
                    PathOf(family, "openapi-" + version),
                    JsonNode.Parse(
                        (await server.GetJsonAsync($"/openapi.json?v={version}&family={family}")).GetRawText()
                    )!
                )
            );
        }
    }

    [Theory]
    [InlineData("3.1")]
    [InlineData("3.0")]
    public async Task The_OpenAPI_document_looks_as_its_snapshot(string version)
    {
        await using var server = TestServer.Start(
            NotesTools.Alone,
            ("Server:PublicUrl", "https://notes.example"),
            ("Server:Port", "3001")
        );

        var document = JsonNode.Parse((await server.GetJsonAsync($"/openapi.json?v={version}")).GetRawText())!;

        Assert.Null(
            Compare(
                Path.Combine(ClientProcess.Root, "tests", "Surfaces", "Snapshots", $"openapi-{version}.json"),
                document
            )
        );
    }

    private static async Task<Dictionary<string, string>> FamiliesOfToolsAsync(TestServer server) =>
        (await server.GetJsonAsync("/tools"))
            .GetProperty("tools")
            .EnumerateArray()
            .ToDictionary(
                tool => tool.GetProperty("name").GetString()!,
                tool =>
                    Families.Single(folder =>
                        folder.Equals(tool.GetProperty("family").GetString(), StringComparison.OrdinalIgnoreCase)
                    )
            );

    private static string PathOf(string family, string name) =>
        Path.Combine(ClientProcess.Root, "tests", "Tools", family, "Snapshots", name + ".json");

    private static string? Compare(string path, JsonNode seen)
    {
        var text = seen.ToJsonString(Pretty) + "\n";
        if (Update)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
        }

        return !File.Exists(path) ? $"{path}: there is no snapshot; run with UPDATE_SNAPSHOTS=1"
            : File.ReadAllText(path) != text
                ? $"{path} differs; if that is meant, run with UPDATE_SNAPSHOTS=1. Now it is:\n{text}"
            : null;
    }
}
