using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace MinimalMcp.Surfaces;

/// <summary>
/// A request of each tool and the answer to it, from <c>Tools/{Family}/examples.json</c>. The tests send every request;
/// run once with <c>UPDATE_SNAPSHOTS=1</c>, they write the files.
/// </summary>
internal static class OpenApiExamples
{
    private static readonly Lazy<Dictionary<string, JsonNode>> OfTools = new(Read);

    /// <summary>Adds the example of a tool to its operation.</summary>
    public static void AddTo(OpenApiOperation operation)
    {
        if (!OfTools.Value.TryGetValue(operation.OperationId!, out var example))
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
            content["application/json"].Extensions =
                new Dictionary<string, IOpenApiExtension> { ["example"] = new JsonNodeExtension(example.DeepClone()) };
        }
    }

    private static Dictionary<string, JsonNode> Read()
    {
        var assembly = typeof(OpenApiExamples).Assembly;
        var examples = new Dictionary<string, JsonNode>(StringComparer.Ordinal);
        foreach (var name in assembly.GetManifestResourceNames()
            .Where(name => name.EndsWith(".examples.json", StringComparison.Ordinal)))
        {
            using var file = assembly.GetManifestResourceStream(name)!;
            foreach (var (tool, example) in JsonNode.Parse(file)!.AsObject())
            {
                examples[tool] = example!;
            }
        }

        return examples;
    }
}
