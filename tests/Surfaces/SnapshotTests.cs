using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>
/// What hosts and models see of this server, as files: a change to it shows up in a review. After a change that is meant, run the tests once
/// with UPDATE_SNAPSHOTS=1.
/// </summary>
public sealed class SnapshotTests
{
    private static readonly JsonSerializerOptions Pretty = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly bool Update = Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") == "1";

    private static string Folder([CallerFilePath] string path = "") => Path.Combine(Path.GetDirectoryName(path)!, "Snapshots");

    [Fact]
    public async Task Every_tool_looks_as_its_snapshot()
    {
        await using var server = TestServer.Start();
        var tools = (await server.McpAsync("tools/list")).Result.GetProperty("tools").EnumerateArray().ToDictionary(tool => tool.GetProperty("name").GetString()!);

        var differences = new List<string?>();
        foreach (var (name, tool) in tools)
        {
            differences.Add(Compare(name + ".json", JsonNode.Parse(tool.GetRawText())!));
        }

        differences.AddRange(Directory.GetFiles(Folder(), "*.json").Select(Path.GetFileNameWithoutExtension)
            .Where(name => !name!.StartsWith("openapi-", StringComparison.Ordinal) && !tools.ContainsKey(name))
            .Select(name => $"{name}.json: there is no such tool any more; delete the file"));
        Assert.All(differences, Assert.Null);
    }

    [Theory]
    [InlineData("3.1")]
    [InlineData("3.0")]
    public async Task The_OpenAPI_document_looks_as_its_snapshot(string version)
    {
        await using var server = TestServer.Start(("Server:PublicUrl", "https://shop.example"), ("Server:Port", "3001"));

        var document = JsonNode.Parse((await server.GetJsonAsync($"/openapi.json?v={version}")).GetRawText())!;

        Assert.Null(Compare($"openapi-{version}.json", document));
    }

    private static string? Compare(string file, JsonNode seen)
    {
        var path = Path.Combine(Folder(), file);
        var text = seen.ToJsonString(Pretty) + "\n";
        if (Update)
        {
            Directory.CreateDirectory(Folder());
            File.WriteAllText(path, text);
        }

        return !File.Exists(path) ? $"{file}: there is no snapshot; run with UPDATE_SNAPSHOTS=1"
            : File.ReadAllText(path) != text ? $"{file} differs; if that is meant, run with UPDATE_SNAPSHOTS=1. Now it is:\n{text}"
            : null;
    }
}
