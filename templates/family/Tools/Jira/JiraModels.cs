using System.ComponentModel;

namespace MinimalMcp.Tools.Jira;

public sealed record FoundItems(
    [property: Description("How many items match, listed or not.")] int Total,
    IReadOnlyList<Item> Items
);

public sealed record Item([property: Description("What other tools take.")] string Id, string Title);
