using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Encodings.Web;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.SilverBullet;

/// <summary>The pages of one SilverBullet space.</summary>
[McpServerToolType]
internal sealed partial class SilverBulletTools(SilverBulletClient space, SilverBulletSearch search)
{
    private const string Name =
        "Name of the page, with folders separated by /, as silverbullet_list_pages shows it."
        + " For example `Projects/Garden`.";

    private const int MaxName = 500,
        MaxContent = 2_000_000,
        MaxAnswer = 90_000;

    [McpServerTool(
        Name = "silverbullet_list_pages",
        Title = "List pages",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "List the pages (notes) of the SilverBullet space, last changed first. Returns name, time of the"
            + " last change and size of each page, and how many there are. To find pages by their text, use"
            + " silverbullet_search_pages."
    )]
    public async Task<PageList> ListPages(
        [
            Description(
                "Only pages whose name begins with this; upper and lower case are the same. For example `Projects/`."
            ),
            StringLength(MaxName)
        ]
            string? prefix = null,
        [Description("Number of pages to return, 1 to 1000."), Range(1, 1000)] int limit = 100,
        [Description("true also lists SilverBullet's own library and read-only pages.")] bool all = false,
        CancellationToken ct = default
    )
    {
        var found = (await space.PagesAsync(all, ct))
            .Where(page => page.Name.StartsWith(prefix ?? "", StringComparison.OrdinalIgnoreCase))
            .ToArray();
        var entries = found
            .Take(limit)
            .Select(page => new PageEntry(page.Name, page.LastModified, page.Size, page.Perm == "rw" ? null : true));
        return new(found.Length, [.. entries]);
    }

    [McpServerTool(
        Name = "silverbullet_get_page",
        Title = "Read a page",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Read a SilverBullet page, whole or in parts. Returns its Markdown, its link, and lastModified, which"
            + " silverbullet_update_page takes as expected_last_modified. A long page comes with a note that gives the"
            + " offset of the next part."
    )]
    public async Task<Page> GetPage(
        [Description(Name), StringLength(MaxName)] string page_name,
        [Description("Number of characters to skip, to read on in a long page. For example `40000`.")]
        [Range(0, int.MaxValue)]
            int offset = 0,
        [Description("Number of characters to return, 100 to 90000."), Range(100, MaxAnswer)] int max_chars = 40_000,
        CancellationToken ct = default
    )
    {
        var name = await space.ResolveAsync(page_name, ct);
        var page = await space.ReadPartAsync(name, offset, max_chars, ct)
            ?? throw await MissingAsync(page_name, name, ct);

        // In JSON an emoji takes twelve characters: what counts is how much of the text fits. Half an emoji at the end
        // is left for the next part.
        JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(
            page.Text,
            new char[MaxAnswer],
            out var length,
            out _,
            isFinalBlock: false
        );
        var start = Math.Min(offset, page.Total);
        var end = start + length;
        var more =
            end < page.Total
                ? $"These are the characters {start} to {end} of {page.Total}. Call again with offset {end} to read on."
                : null;
        return new(
            name,
            page.Text[..length],
            page.LastModified,
            page.IsReadOnly ? true : null,
            space.LinkTo(name),
            more
        );
    }

    [McpServerTool(
        Name = "silverbullet_create_page",
        Title = "Create a page",
        ReadOnly = false,
        Destructive = false,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Create a SilverBullet page. Returns its name and the time of the change. It never overwrites: when there is"
            + " such a page already, nothing is written. To change a page, use silverbullet_update_page."
    )]
    public async Task<PageChange> CreatePage(
        [
            Description(
                "Name of the new page, with folders separated by /. It must not contain @ # | < > $, begin with a dot,"
                    + " _ or ^, or end in a dot and letters such as .js. For example `Journal/2026-02-01`."
            ),
            StringLength(MaxName)
        ]
            string page_name,
        [Description("Text of the page in Markdown. For example `Snow. See [[Projects/Garden]].`")]
        [StringLength(MaxContent)]
            string content,
        CancellationToken ct = default
    )
    {
        var name = PageName.ForCreating(page_name);
        return await space.CreateAsync(name, content, ct)
            ?? throw new McpException(
                $"There is a page '{name}' already, and nothing was written."
                    + " Change it with silverbullet_update_page, or use another name."
            );
    }

    [McpServerTool(
        Name = "silverbullet_update_page",
        Title = "Change a page",
        ReadOnly = false,
        Destructive = true,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Replace the text of a SilverBullet page, or add to its end or beginning. Returns the time of the change. There"
            + " is no undo. Before a replace, read the page with silverbullet_get_page and pass its lastModified as"
            + " expected_last_modified, so that nobody's edit is lost. Several calls at once take turns."
    )]
    public async Task<PageChange> UpdatePage(
        [Description(Name), StringLength(MaxName)] string page_name,
        [Description("Markdown: the whole page, or the text to add. For example `Ferry at 8.`")]
        [StringLength(MaxContent)]
            string content,
        [Description(
            "replace writes content instead of the page, append adds it at the end, prepend adds it at the beginning,"
                + " below the frontmatter."
        )]
            UpdateMode mode = UpdateMode.Replace,
        [Description(
            "lastModified of the page as you read it, in milliseconds since 1970. If the page was changed since then,"
                + " nothing is written. Omit it to write in any case."
        )]
            long? expected_last_modified = null,
        CancellationToken ct = default
    )
    {
        var name = PageName.ForWriting(await space.ResolveAsync(page_name, ct));
        return await space.UpdateAsync(name, mode, content, expected_last_modified, ct)
            ?? throw await MissingAsync(page_name, name, ct);
    }

    [McpServerTool(
        Name = "silverbullet_delete_page",
        Title = "Delete a page",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Delete a SilverBullet page. There is no undo. Returns how long the page was and its first line. Links to it on"
            + " other pages stay as they are."
    )]
    public async Task<DeletedPage> DeletePage(
        [Description(Name), StringLength(MaxName)] string page_name,
        CancellationToken ct = default
    )
    {
        var name = PageName.ForWriting(await space.ResolveAsync(page_name, ct));
        return await space.DeleteAsync(name, ct) ?? throw await MissingAsync(page_name, name, ct);
    }

    [McpServerTool(
        Name = "silverbullet_search_pages",
        Title = "Search pages",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Search the SilverBullet pages by words in their name or text. Returns each page with the first line that"
            + " matches. Every word must occur, in any order; upper and lower case are the same. To list pages by"
            + " folder, use silverbullet_list_pages; to search other systems too, use search."
    )]
    public Task<SearchResult> SearchPages(
        [Description("Words to look for, separated by spaces. For example `summer roof`.")]
        [StringLength(200, MinimumLength = 1)]
            string query,
        [Description("Number of pages to return, 1 to 200."), Range(1, 200)] int limit = 20,
        CancellationToken ct = default
    ) => search.FindAsync(query, limit, ct);

    private async Task<McpException> MissingAsync(string written, string name, CancellationToken ct)
    {
        var last = name.Split('/')[^1];
        var near = (await space.PagesAsync(all: true, ct))
            .Select(page => page.Name)
            .Where(other => other != written && other.Contains(last, StringComparison.OrdinalIgnoreCase))
            .Take(3)
            .Select(other => $"'{other}'")
            .ToArray();
        return new(
            $"There is no page '{name}'. "
                + (
                    near.Length > 0
                        ? $"Did you mean {string.Join(" or ", near)}?"
                        : "Find pages with silverbullet_list_pages or silverbullet_search_pages,"
                            + " or make this one with silverbullet_create_page."
                )
        );
    }
}
