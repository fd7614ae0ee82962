using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using MinimalMcp.Governance;
using MinimalMcp.Storage;
using MinimalMcp.Tools;
using ModelContextProtocol.Protocol;
using Tool = ModelContextProtocol.Protocol.Tool;

namespace MinimalMcp.Hub;

/// <summary>How operators see the tools of a server, and what changed in a definition that is withheld.</summary>
internal static class ServerToolRoutes
{
    private const int MaxDifferences = 50;

    private static readonly JsonTypeInfo<Tool> DefinitionInfo = McpTypeInfo.Of<Tool>();

    public static object Shown(ServerTool tool) =>
        new
        {
            name = tool.Name,
            own_name = SanitizedText.Show(tool.Definition.Name),
            hash = tool.Hash,
            risk = tool.Risk,
            state = State(tool),
            notice = tool.Notice,
            description = SanitizedText.Show(tool.Definition.Description ?? ""),
            change = tool.Replaces is { } approved ? Change(approved, tool) : null,
        };

    /// <summary>The tool by its own name, or by its name here.</summary>
    public static ServerTool Find(IEnumerable<ServerTool>? tools, string name)
    {
        var all = tools ?? [];
        return all.FirstOrDefault(tool => tool.Definition.Name == name)
            ?? all.FirstOrDefault(tool => tool.Name == name)
            ?? throw new ServerRefusedException(404, "The server has no tool of that name.");
    }

    /// <summary>The hash that is approved: what the caller has seen, so that nothing else is approved.</summary>
    public static async Task<string> ReadHashAsync(HttpContext http)
    {
        var body = await ServerBody.ReadAsync(http);
        return
            body.EnumerateObject().Count() == 1
            && body.TryGetProperty("hash", out var hash)
            && hash.ValueKind is JsonValueKind.String
            ? hash.GetString()!
            : throw new ServerRefusedException(
                StatusCodes.Status422UnprocessableEntity,
                "The body must be {\"hash\": \"…\"} with the hash of the definition, which GET …/tools shows."
            );
    }

    private static string State(ServerTool tool) =>
        tool.Replaces is not null ? "withheld"
        : tool.Notice is null ? "listed"
        : "not listed";

    private static object Change(ApprovedTool approved, ServerTool tool) =>
        new
        {
            approved_hash = approved.Hash,
            approved = Json(approved.Definition),
            now = Json(JoinedTools.Approvable(tool.Definition).Definition),
            differences = Differences(approved, tool)
                .Select(difference => new
                {
                    path = difference.Path,
                    approved = difference.Approved,
                    now = difference.Now,
                }),
        };

    /// <summary>Where the definition of a tool differs from the approved one, by JSON pointer.</summary>
    public static IReadOnlyList<ToolDifference> Differences(ApprovedTool approved, ServerTool tool)
    {
        List<ToolDifference> differences = [];
        var now = Json(JoinedTools.Approvable(tool.Definition).Definition);
        Compare("", Json(approved.Definition), now, differences);
        return differences;
    }

    // Hidden characters are shown: they may be all that changed.
    private static JsonNode? Json(string definition) => new SanitizedJson().Show(JsonNode.Parse(definition));

    private static void Compare(string path, JsonNode? before, JsonNode? after, List<ToolDifference> differences)
    {
        if (differences.Count >= MaxDifferences || JsonNode.DeepEquals(before, after))
        {
            return;
        }

        if (before is JsonObject one && after is JsonObject other)
        {
            foreach (var name in one.Select(member => member.Key).Union(other.Select(member => member.Key)))
            {
                Compare($"{path}/{name}", one[name], other[name], differences);
            }

            return;
        }

        differences.Add(new(path, before?.DeepClone(), after?.DeepClone()));
    }
}

/// <summary>A part of a tool's definition that was approved, and what it is now.</summary>
internal sealed record ToolDifference(string Path, JsonNode? Approved, JsonNode? Now);
