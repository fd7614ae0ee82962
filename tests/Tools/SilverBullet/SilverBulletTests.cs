using System.Text.Json;

namespace MinimalMcp.Tests.Tools.SilverBullet;

/// <summary>
/// What a model does with notes: on the stand-in, and on a real SilverBullet when E2E_SILVERBULLET_URL and
/// E2E_SILVERBULLET_KEY are set.
/// </summary>
public sealed class SilverBulletTests
{
    public static TheoryData<string> Systems =>
        Environment.GetEnvironmentVariable("E2E_SILVERBULLET_URL") is { Length: > 0 }
            ? ["stand-in", "real"]
            : ["stand-in"];

    [Theory, MemberData(nameof(Systems))]
    public async Task A_page_is_created_read_changed_and_deleted(string system)
    {
        await using var notes = await NotesAsync(system);
        var name = notes.Name("Trips/Åland & co: 100% 1?");

        await notes.Server.CallAsync(
            "silverbullet_create_page",
            new { page_name = name, content = "# Åland\nFerry at 7.\n" }
        );
        var created = await notes.Server.CallAsync("silverbullet_get_page", new { page_name = name });
        Assert.Equal(
            (name, "# Åland\nFerry at 7.\n"),
            (created.GetProperty("name").GetString(), created.GetProperty("content").GetString())
        );

        var changed = await notes.Server.CallAsync(
            "silverbullet_update_page",
            new
            {
                page_name = name,
                content = "Ferry at 8.",
                expected_last_modified = created.GetProperty("lastModified").GetInt64(),
            }
        );
        Assert.Equal(
            "Ferry at 8.",
            (await notes.Server.CallAsync("silverbullet_get_page", new { page_name = name }))
                .GetProperty("content")
                .GetString()
        );
        Assert.True(changed.GetProperty("lastModified").GetInt64() >= created.GetProperty("lastModified").GetInt64());

        var deleted = await notes.Server.CallAsync("silverbullet_delete_page", new { page_name = name });
        Assert.Equal(
            (11, "Ferry at 8."),
            (deleted.GetProperty("size").GetInt32(), deleted.GetProperty("firstLine").GetString())
        );
        Assert.Contains(
            "There is no page",
            await notes.Server.FailAsync(422, "silverbullet_get_page", new { page_name = name })
        );
    }

    [Theory, MemberData(nameof(Systems))]
    public async Task Creating_never_overwrites_a_page(string system)
    {
        await using var notes = await NotesAsync(system);
        var name = notes.Name("Roof");
        await notes.Server.CallAsync("silverbullet_create_page", new { page_name = name, content = "first" });

        Assert.Contains(
            "already, and nothing was written",
            await notes.Server.FailAsync(422, "silverbullet_create_page", new { page_name = name, content = "second" })
        );

        Assert.Equal(
            "first",
            (await notes.Server.CallAsync("silverbullet_get_page", new { page_name = name }))
                .GetProperty("content")
                .GetString()
        );
    }

    [Theory, MemberData(nameof(Systems))]
    public async Task An_update_of_a_page_that_was_changed_since_writes_nothing(string system)
    {
        await using var notes = await NotesAsync(system);
        var name = notes.Name("Roof");
        var first = (
            await notes.Server.CallAsync("silverbullet_create_page", new { page_name = name, content = "mine" })
        )
            .GetProperty("lastModified")
            .GetInt64();

        Assert.Contains(
            "Read it again",
            await notes.Server.FailAsync(
                422,
                "silverbullet_update_page",
                new
                {
                    page_name = name,
                    content = "late",
                    expected_last_modified = first - 60_000,
                }
            )
        );

        Assert.Equal(
            "mine",
            (await notes.Server.CallAsync("silverbullet_get_page", new { page_name = name }))
                .GetProperty("content")
                .GetString()
        );
    }

    [Theory, MemberData(nameof(Systems))]
    public async Task An_update_can_add_at_either_end_and_wants_a_page_that_is_there(string system)
    {
        await using var notes = await NotesAsync(system);
        var name = notes.Name("Journal");
        await notes.Server.CallAsync("silverbullet_create_page", new { page_name = name, content = "noon" });
        await notes.Server.CallAsync(
            "silverbullet_update_page",
            new
            {
                page_name = name,
                content = "night",
                mode = "append",
            }
        );
        await notes.Server.CallAsync(
            "silverbullet_update_page",
            new
            {
                page_name = name,
                content = "dawn",
                mode = "prepend",
            }
        );

        Assert.Equal(
            "dawn\nnoon\nnight",
            (await notes.Server.CallAsync("silverbullet_get_page", new { page_name = name }))
                .GetProperty("content")
                .GetString()
        );
        Assert.Contains(
            "silverbullet_create_page",
            await notes.Server.FailAsync(
                422,
                "silverbullet_update_page",
                new { page_name = notes.Name("Diary"), content = "x" }
            )
        );
    }

    [Theory, MemberData(nameof(Systems))]
    public async Task A_search_finds_by_text_and_by_name_what_it_was_asked_for_and_nothing_else(string system)
    {
        await using var notes = await NotesAsync(system);
        var word = "w" + Guid.NewGuid().ToString("N")[..10];
        await notes.Server.CallAsync(
            "silverbullet_create_page",
            new { page_name = notes.Name("By text"), content = $"one\ntwo the {word.ToUpperInvariant()} house\nthree" }
        );
        await notes.Server.CallAsync(
            "silverbullet_create_page",
            new { page_name = notes.Name(word), content = "by name, a house" }
        );
        await notes.Server.CallAsync(
            "silverbullet_create_page",
            new { page_name = notes.Name("Other"), content = "a house" }
        );

        var found = await notes.Server.CallAsync("silverbullet_search_pages", new { query = $"{word} house" });

        Assert.Equal(
            [notes.Name(word), notes.Name("By text")],
            found.GetProperty("pages").EnumerateArray().Select(page => page.GetProperty("name").GetString())
        );
        Assert.Equal(
            (2, 2),
            (found.GetProperty("total").GetInt32(), found.GetProperty("pages")[1].GetProperty("line").GetInt32())
        );
        Assert.Contains("house", found.GetProperty("pages")[1].GetProperty("snippet").GetString());
        Assert.Equal(
            0,
            (await notes.Server.CallAsync("silverbullet_search_pages", new { query = word + "x" }))
                .GetProperty("total")
                .GetInt32()
        );
    }

    [Theory, MemberData(nameof(Systems))]
    public async Task A_list_holds_pages_and_not_what_came_with_SilverBullet(string system)
    {
        await using var notes = await NotesAsync(system);
        await notes.Server.CallAsync("silverbullet_create_page", new { page_name = notes.Name("A"), content = "a" });

        var names = (await notes.Server.CallAsync("silverbullet_list_pages", new { limit = 1000 }))
            .GetProperty("pages")
            .EnumerateArray()
            .Select(page => page.GetProperty("name").GetString()!)
            .ToArray();

        Assert.Equal(notes.Name("A"), names[0]); // last changed first
        Assert.DoesNotContain(names, name =>
            name.StartsWith("Library/Std/", StringComparison.Ordinal)
            || name.EndsWith(".md", StringComparison.Ordinal)
            || name.EndsWith(".png", StringComparison.Ordinal)
        );
        Assert.Equal(
            [notes.Name("A")],
            (await notes.Server.CallAsync("silverbullet_list_pages", new { prefix = notes.Name("") }))
                .GetProperty("pages")
                .EnumerateArray()
                .Select(page => page.GetProperty("name").GetString())
        );
    }

    private static async Task<NotesServer> NotesAsync(string system)
    {
        if (system == "real")
        {
            var (url, key) = (
                Environment.GetEnvironmentVariable("E2E_SILVERBULLET_URL")!,
                Environment.GetEnvironmentVariable("E2E_SILVERBULLET_KEY") ?? ""
            );
            return new(TestServer.Start(("SilverBullet:Url", url), ("SilverBullet:Token", key)), null);
        }

        var space = await Space.StartAsync();
        return new(TestServer.Start(space.Settings), space);
    }

    /// <summary>Pages in a folder of the test's own, which is emptied at the end.</summary>
    private sealed class NotesServer(TestServer server, Space? space) : IAsyncDisposable
    {
        private readonly string _folder = $"Test {Guid.NewGuid():N}/";

        public TestServer Server => server;

        public string Name(string page) => _folder + page;

        public async ValueTask DisposeAsync()
        {
            foreach (
                var page in (await server.CallAsync("silverbullet_list_pages", new { prefix = _folder }))
                    .GetProperty("pages")
                    .EnumerateArray()
            )
            {
                await server.CallAsync(
                    "silverbullet_delete_page",
                    new { page_name = page.GetProperty("name").GetString() }
                );
            }

            await server.DisposeAsync();
            if (space is not null)
            {
                await space.DisposeAsync();
            }
        }
    }
}
