using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Jira;

/// <summary>
/// What a model can do with Jira. It reads only names and descriptions: say when to use a tool, what comes back, and which tool comes
/// before or after it.
/// </summary>
[McpServerToolType]
public sealed class JiraTools(JiraClient jira)
{
    // ReadOnly: the call changes nothing, so hosts make it without asking the user.
    [McpServerTool(
        Name = "jira_search",
        Title = "Search Jira",
        ReadOnly = true,
        OpenWorld = true,
        UseStructuredContent = true
    )]
    [Description("Finds items in Jira by their words. Start here: other tools need the id that this returns.")]
    public Task<FoundItems> Search(
        [Description("What to look for, for example \"login page\"."), StringLength(200, MinimumLength = 1)]
            string query,
        [Description("At most this many items."), Range(1, 50)] int limit = 10,
        CancellationToken ct = default
    ) => jira.SearchAsync(query, limit, ct);

    // Destructive = false: the change can be undone. Without it hosts warn the user of a loss.
    [McpServerTool(
        Name = "jira_create",
        Title = "Create in Jira",
        Destructive = false,
        OpenWorld = true,
        UseStructuredContent = true
    )]
    [Description("Creates an item in Jira and returns it with its id. Search first, so that nothing is there twice.")]
    public Task<Item> Create(
        [Description("One line that says what it is about."), StringLength(200, MinimumLength = 1)] string title,
        CancellationToken ct = default
    ) => jira.CreateAsync(title, ct);
}
