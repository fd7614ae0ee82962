using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Encodings.Web;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.SilverBullet;

[McpServerToolType]
public sealed partial class SilverBulletTools(SilverBulletClient space, SilverBulletSearch pages)
{
    private const string Name = "The page's name, folders separated by /, for example \"Projects/Roof\".";
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
        "Lists the pages (notes) of the SilverBullet space, last changed first. To find pages by what they say, use silverbullet_search_pages."
    )]
    public async Task<PageList> ListPages(
        [Description("Only pages whose name begins with this, for example \"Journal/\"."), StringLength(MaxName)]
            string? prefix = null,
        [Description("At most this many."), Range(1, 1000)] int limit = 100,
        [Description("true lists also SilverBullet's own library and what cannot be changed.")] bool all = false,
        CancellationToken ct = default
    )
    {
        var found = (await space.PagesAsync(all, ct))
            .Where(page => page.Name.StartsWith(prefix ?? "", StringComparison.OrdinalIgnoreCase))
            .ToArray();
        return new(
            found.Length,
            [
                .. found
                    .Take(limit)
                    .Select(page => new PageEntry(
                        page.Name,
                        page.LastModified,
                        page.Size,
                        page.Perm == "rw" ? null : true
                    )),
            ]
        );
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
        "Reads a SilverBullet page: its Markdown, and lastModified, which silverbullet_update_page takes to notice that somebody else changed it."
    )]
    public async Task<Page> GetPage(
        [Description(Name), StringLength(MaxName)] string page_name,
        [Description("Skip this many characters, to read on in a long page."), Range(0, int.MaxValue)] int offset = 0,
        [Description("At most this many characters."), Range(100, MaxAnswer)] int max_chars = 40_000,
        CancellationToken ct = default
    )
    {
        var name = PageName.Read(page_name);
        var page = await space.ReadAsync(name, ct) ?? throw await MissingAsync(name, ct);
        var start = Math.Min(offset, page.Text.Length);

        // In JSON an emoji takes twelve characters: what counts is how much of the text fits. Half an emoji at the end is left for the next part.
        JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(
            page.Text.AsSpan(start, Math.Min(max_chars, page.Text.Length - start)),
            new char[MaxAnswer],
            out var length,
            out _,
            isFinalBlock: false
        );
        var end = start + length;
        var more =
            end < page.Text.Length
                ? $"There is more: these are the characters {start} to {end} of {page.Text.Length}. Go on with offset {end}."
                : null;
        return new(
            name,
            page.Text[start..end],
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
        "Creates a new SilverBullet page. It never overwrites: when there is such a page already, it says so and writes nothing."
    )]
    public async Task<PageChange> CreatePage(
        [Description(Name), StringLength(MaxName)] string page_name,
        [Description("The page in Markdown."), StringLength(MaxContent)] string content,
        CancellationToken ct = default
    )
    {
        var name = PageName.ForWriting(page_name);
        return await space.ReadAsync(name, ct, metaOnly: true) is null
            ? Changed(name, await space.WriteAsync(name, content, ct))
            : throw new McpException(
                $"There is a page '{name}' already, and nothing was written. Use silverbullet_update_page to change it, or another name."
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
        "Replaces what a SilverBullet page says, or adds to it. There is no undo. Read the page first and pass its lastModified as expected_last_modified, so that nobody's edit is lost."
    )]
    public async Task<PageChange> UpdatePage(
        [Description(Name), StringLength(MaxName)] string page_name,
        [Description("The new Markdown: the whole page, or what is added."), StringLength(MaxContent)] string content,
        [Description("Whether content replaces the page or is added at its end or beginning.")]
            UpdateMode mode = UpdateMode.Replace,
        [Description("lastModified of the page when you read it. If the page was changed since, nothing is written.")]
            long? expected_last_modified = null,
        CancellationToken ct = default
    )
    {
        var name = PageName.ForWriting(page_name);
        var before = await ChangeableAsync(name, metaOnly: mode is UpdateMode.Replace, ct);
        if (expected_last_modified is { } expected && before.LastModified != expected)
        {
            throw new McpException(
                $"'{name}' was changed since you read it (lastModified is {before.LastModified?.ToString() ?? "unknown"} and not {expected}), and nothing was written. Read it again."
            );
        }

        var text = mode switch
        {
            UpdateMode.Append => Joined(before.Text, content),
            UpdateMode.Prepend => Joined(content, before.Text),
            _ => content,
        };
        return Changed(name, await space.WriteAsync(name, text, ct));
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
        "Deletes a SilverBullet page for good: there is no undo. Says how long the page was and how it began."
    )]
    public async Task<DeletedPage> DeletePage(
        [Description(Name), StringLength(MaxName)] string page_name,
        CancellationToken ct = default
    )
    {
        var name = PageName.ForWriting(page_name);
        var before = await ChangeableAsync(name, metaOnly: false, ct);
        return await space.DeleteAsync(name, ct)
            ? new(
                name,
                before.Text.Length,
                new([.. before.Text.TakeWhile(letter => letter is not ('\n' or '\r')).Take(200)])
            )
            : throw await MissingAsync(name, ct);
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
        "Finds SilverBullet pages by the words in their name or text, with the line where they stand. Every word must occur; upper and lower case are the same."
    )]
    public Task<SearchResult> SearchPages(
        [Description("Words to look for."), StringLength(200, MinimumLength = 1)] string query,
        [Description("At most this many pages."), Range(1, 200)] int limit = 20,
        CancellationToken ct = default
    ) => pages.FindAsync(query, limit, ct);

    private static string Joined(string first, string second) =>
        first.Length == 0 || first.EndsWith('\n') ? first + second : $"{first}\n{second}";

    private async Task<SilverBulletClient.Answer> ChangeableAsync(string name, bool metaOnly, CancellationToken ct)
    {
        var page = await space.ReadAsync(name, ct, metaOnly) ?? throw await MissingAsync(name, ct);
        return page.IsReadOnly ? throw new McpException($"'{name}' is read-only and was not changed.") : page;
    }

    private async Task<McpException> MissingAsync(string name, CancellationToken ct)
    {
        var last = name.Split('/')[^1];
        var near = (await space.PagesAsync(all: true, ct))
            .Select(page => page.Name)
            .Where(other => other.Contains(last, StringComparison.OrdinalIgnoreCase))
            .Take(3)
            .ToArray();
        return new(
            $"There is no page '{name}'. "
                + (
                    near.Length > 0
                        ? $"Did you mean {string.Join(" or ", near.Select(other => $"'{other}'"))}?"
                        : "silverbullet_list_pages and silverbullet_search_pages show what there is; silverbullet_create_page makes a new one."
                )
        );
    }

    private static PageChange Changed(string name, SilverBulletClient.Answer answer) => new(name, answer.LastModified);
}
