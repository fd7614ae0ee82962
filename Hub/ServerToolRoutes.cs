using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using MinimalMcp.Governance;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Hub;

/// <summary>How operators see the tools of a server, and what changed in a definition that is withheld.</summary>
internal static class ServerToolRoutes
{
    private const int MaxDifferences = 50;

    private static readonly JsonTypeInfo<Tool> DefinitionInfo =
        (JsonTypeInfo<Tool>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(Tool));

    public static object Shown(ServerTool tool) =>
        new
        {
            name = tool.Name,
            own_name = SanitizedText.Show(tool.Definition.Name, out _),
            hash = tool.Hash,
            risk = tool.Risk,
            state = State(tool),
            notice = tool.Notice,
            description = SanitizedText.Show(tool.Definition.Description ?? "", out _),
            change = tool.Replaces is { } approved ? Change(approved.Hash, Json(approved.Definition), tool) : null,
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

    private static object Change(string hash, JsonNode? approved, ServerTool tool)
    {
        var now = Json(JoinedTools.Approvable(tool.Definition).Definition);
        var differences = new JsonArray();
        Compare("", approved, now, differences);
        return new
        {
            approved_hash = hash,
            approved,
            now,
            differences,
        };
    }

    // Hidden characters are shown: they may be all that changed.
    private static JsonNode? Json(string definition) => new SanitizedJson().Show(JsonNode.Parse(definition));

    private static void Compare(string path, JsonNode? before, JsonNode? after, JsonArray differences)
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

        differences.Add(
            (JsonNode)
                new JsonObject
                {
                    ["path"] = path,
                    ["approved"] = before?.DeepClone(),
                    ["now"] = after?.DeepClone(),
                }
        );
    }
}
