using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.SilverBullet;

/// <summary>The pages as documents, for a client that searches all systems at once (search and fetch).</summary>
internal sealed partial class SilverBulletTools
{
    private const int MaxDocument = 2_000_000;

    [McpMeta("documents", "search")]
    [McpMeta("documents_from", "silverbullet_search_pages")]
    public async Task<IReadOnlyList<PageDocument>> SearchDocuments(string query, CancellationToken ct) =>
        [
            .. (await search.FindAsync(query, 10, ct)).Pages.Select(page => new PageDocument(
                page.Name,
                page.Name,
                page.Snippet,
                space.LinkTo(page.Name)
            )),
        ];

    [McpMeta("documents", "fetch")]
    [McpMeta("documents_from", "silverbullet_get_page")]
    public async Task<PageDocument?> FetchDocument(string id, CancellationToken ct)
    {
        var name = await space.ResolveAsync(id, ct);
        return await space.ReadPartAsync(name, 0, MaxDocument, ct) is { } page
            ? new(
                name,
                name,
                page.Total > MaxDocument
                    ? $"{page.Text}\n\n[The page goes on: silverbullet_get_page with offset {MaxDocument} reads on.]"
                    : page.Text,
                space.LinkTo(name)
            )
            : null;
    }
}
