using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.SilverBullet;

/// <summary>The pages as documents, for a client that searches all systems at once (search and fetch).</summary>
public sealed partial class SilverBulletTools
{
    [McpMeta("documents", "search")]
    [McpMeta("documents_from", "silverbullet_search_pages")]
    public async Task<IReadOnlyList<PageDocument>> SearchDocuments(string query, CancellationToken ct) =>
        [
            .. (await pages.FindAsync(query, 10, ct)).Pages.Select(page => new PageDocument(
                page.Name,
                page.Name,
                page.Snippet,
                space.LinkTo(page.Name)
            )),
        ];

    [McpMeta("documents", "fetch")]
    [McpMeta("documents_from", "silverbullet_get_page")]
    public async Task<PageDocument?> FetchDocument(string id, CancellationToken ct) =>
        PageName.Read(id) is var name && await space.ReadAsync(name, ct) is { } page
            ? new(name, name, page.Text, space.LinkTo(name))
            : null;
}
