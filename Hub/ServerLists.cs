using ModelContextProtocol.Protocol;

namespace MinimalMcp.Hub;

/// <summary>What a server listed last: kept in the store, so that every replica lists the same at once.</summary>
internal sealed record ServerLists(
    IReadOnlyList<Tool> Tools,
    IReadOnlyList<Resource> Resources,
    IReadOnlyList<ResourceTemplate> ResourceTemplates,
    IReadOnlyList<Prompt> Prompts
)
{
    public static ServerLists Empty { get; } = new([], [], [], []);
}
