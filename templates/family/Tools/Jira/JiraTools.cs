using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Jira;

/// <summary>
/// What a model can do with Jira. It reads only names and descriptions: say what a tool does, what it returns, and when
/// to use another one.
/// </summary>
[McpServerToolType]
internal sealed class JiraTools(JiraClient jira)
{
    // ReadOnly: the call changes nothing, so clients make it without asking the user.
    [McpServerTool(
        Name = "jira_search",
        Title = "Search Jira",
        ReadOnly = true,
        OpenWorld = true,
        UseStructuredContent = true
    )]
    [Description("Search Jira by words. Returns ids and titles. Use it first: other tools need an id.")]
    public Task<FoundItems> Search(
        [Description("Words to search for, for example \"login page\"."), StringLength(200, MinimumLength = 1)]
            string query,
        [Description("Maximum number of items."), Range(1, 50)] int limit = 10,
        CancellationToken ct = default
    ) => jira.SearchAsync(query, limit, ct);

    // Destructive = false: the change can be undone. Without it clients warn the user of a loss.
    [McpServerTool(
        Name = "jira_create",
        Title = "Create in Jira",
        Destructive = false,
        OpenWorld = true,
        UseStructuredContent = true
    )]
    [Description("Create an item in Jira. Returns it with its id. Use jira_search first to avoid duplicates.")]
    public Task<Item> Create(
        [Description("Title in one line."), StringLength(200, MinimumLength = 1)] string title,
        CancellationToken ct = default
    ) => jira.CreateAsync(title, ct);
}
