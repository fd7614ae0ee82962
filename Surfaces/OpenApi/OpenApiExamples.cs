using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Tool = MinimalMcp.Tools.Tool;

namespace MinimalMcp.Surfaces;

/// <summary>
/// A request of each tool and the answer to it, from <c>Tools/{Family}/examples.json</c>. The tests send every request;
/// run once with <c>UPDATE_SNAPSHOTS=1</c>, they write the files.
/// </summary>
internal static class OpenApiExamples
{
    private static readonly Lazy<Dictionary<(string Family, string Tool), JsonNode>> OfTools = new(Read);

    /// <summary>Adds the example of a tool to its operation.</summary>
    public static void AddTo(OpenApiOperation operation, Tool tool)
    {
        if (!OfTools.Value.TryGetValue((tool.Family, tool.Name), out var example))
        {
            return;
        }

        Set(operation.RequestBody?.Content, example["request"]);
        Set(operation.Responses!.GetValueOrDefault("200")?.Content, example["answer"]);
        Set(operation.Responses!.GetValueOrDefault("202")?.Content, example["preview"]);
    }

    private static void Set(IDictionary<string, OpenApiMediaType>? content, JsonNode? example)
    {
        if (content is not null && example is not null)
        {
            // Not as Example: the writer leaves an empty object out, which is what a tool takes that needs no argument.
            content["application/json"].Extensions = new Dictionary<string, IOpenApiExtension>
            {
                ["example"] = new JsonNodeExtension(example.DeepClone()),
            };
        }
    }

    private static Dictionary<(string Family, string Tool), JsonNode> Read()
    {
        var assembly = typeof(OpenApiExamples).Assembly;
        var examples = new Dictionary<(string Family, string Tool), JsonNode>();
        foreach (
            var name in assembly
                .GetManifestResourceNames()
                .Where(name => name.EndsWith(".examples.json", StringComparison.Ordinal))
        )
        {
            using var file = assembly.GetManifestResourceStream(name)!;
            var family = name.Split('.')[^3].ToLowerInvariant(); // the folder
            foreach (var (tool, example) in JsonNode.Parse(file)!.AsObject())
            {
                examples[(family, tool)] = example!;
            }
        }

        return examples;
    }
}
