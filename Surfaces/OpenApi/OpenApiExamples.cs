using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Tool = MinimalMcp.Tools.Tool;

namespace MinimalMcp.Surfaces;

/// <summary>
/// Example requests and responses of each tool, from <c>Tools/{Family}/examples.json</c>. Tests send every request;
/// with <c>UPDATE_SNAPSHOTS=1</c> they write the files.
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
            // Not as Example: the writer omits an empty object, which is valid for a tool without arguments.
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
