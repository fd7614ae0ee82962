using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Tools;
using ModelContextProtocol.Protocol;
using Tool = ModelContextProtocol.Protocol.Tool;

namespace MinimalMcp.Hub;

/// <summary>What a server listed last: kept in the store, so that every replica lists the same at once.</summary>
internal sealed record ServerLists(
    IReadOnlyList<Tool> Tools,
    IReadOnlyList<Resource> Resources,
    IReadOnlyList<ResourceTemplate> ResourceTemplates,
    IReadOnlyList<Prompt> Prompts
)
{
    /// <summary>Of the registration that it was listed for; see <see cref="ServerDefinition.Generation"/>.</summary>
    public long Generation { get; init; }

    public static ServerLists Empty { get; } = new([], [], [], []);

    /// <summary>As it is stored. The entries are written as in the answers that they came with.</summary>
    public string ToJson()
    {
        var json = new JsonObject { ["generation"] = Generation };
        Add(new ListToolsResult { Tools = [.. Tools] }, "tools");
        Add(new ListResourcesResult { Resources = [.. Resources] }, "resources");
        Add(new ListResourceTemplatesResult { ResourceTemplates = [.. ResourceTemplates] }, "resourceTemplates");
        Add(new ListPromptsResult { Prompts = [.. Prompts] }, "prompts");
        return json.ToJsonString();

        void Add<T>(T list, string member) =>
            json[member] = JsonSerializer.SerializeToNode(list, McpTypeInfo.Of<T>())![member]!.DeepClone();
    }

    /// <exception cref="JsonException">It is not what <see cref="ToJson"/> writes.</exception>
    public static ServerLists Read(byte[] json)
    {
        using var lists = JsonDocument.Parse(json);
        var root = lists.RootElement;
        return new(
            [.. root.Deserialize(McpTypeInfo.Of<ListToolsResult>())!.Tools],
            [.. root.Deserialize(McpTypeInfo.Of<ListResourcesResult>())!.Resources],
            [.. root.Deserialize(McpTypeInfo.Of<ListResourceTemplatesResult>())!.ResourceTemplates],
            [.. root.Deserialize(McpTypeInfo.Of<ListPromptsResult>())!.Prompts]
        )
        {
            Generation = root.TryGetProperty("generation", out var generation) ? generation.GetInt64() : 0,
        };
    }
}
