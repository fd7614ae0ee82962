using System.ComponentModel;

namespace MinimalMcp.Tools.Jira;

internal sealed record FoundItems(
    [property: Description("How many items match, listed or not.")] int Total,
    IReadOnlyList<Item> Items
);

internal sealed record Item([property: Description("The id that other tools take.")] string Id, string Title);
