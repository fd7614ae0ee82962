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
    /// <summary>Of the registration that it was listed for; see <see cref="ServerDefinition.Generation"/>.</summary>
    public long Generation { get; init; }

    public static ServerLists Empty { get; } = new([], [], [], []);
}
