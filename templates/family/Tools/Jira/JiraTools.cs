using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Jira;

/// <summary>
/// What a model can do with Jira. It reads only names and descriptions: write what a tool does (verb first), what it
/// returns, and when to use it rather than its neighbour.
/// </summary>
[McpServerToolType]
public sealed class JiraTools(JiraClient jira)
{
    // ReadOnly: the call changes nothing, so clients make it without asking the user.
    [McpServerTool(
        Name = "jira_search",
        Title = "Search Jira",
        ReadOnly = true,
        OpenWorld = true,
        UseStructuredContent = true
    )]
    [Description("Search the items of Jira by words. Returns id and title of each; other tools take the id.")]
    public Task<FoundItems> Search(
        [Description("Words to look for. For example `login`."), StringLength(200, MinimumLength = 1)]
            string query,
        [Description("Number of items to return, 1 to 50."), Range(1, 50)] int limit = 10,
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
    [Description("Create an item in Jira. Returns its id. Use jira_search first, so that there are not two of it.")]
    public Task<Item> Create(
        [Description("Title of the item, in one line. For example `A new page`."), StringLength(200, MinimumLength = 1)]
            string title,
        CancellationToken ct = default
    ) => jira.CreateAsync(title, ct);
}
