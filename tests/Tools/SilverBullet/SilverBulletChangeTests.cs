using System.Text;

namespace MinimalMcp.Tests.Tools.SilverBullet;

/// <summary>No change of a page is lost, none damages what is there, and each is reported as it is.</summary>
public sealed class SilverBulletChangeTests
{
    [Fact]
    public async Task Parallel_additions_to_one_page_are_all_in_it()
    {
        await using var space = await Space.StartAsync();
        await using var server = TestServer.Start(space.Settings);

        await Task.WhenAll(
            Enumerable
                .Range(1, 8)
                .Select(number =>
                    server.CallAsync(
                        "silverbullet_update_page",
                        new
                        {
                            page_name = "index",
                            content = $"line {number}",
                            mode = number % 2 == 0 ? "append" : "prepend",
                        }
                    )
                )
        );

        var lines = space["index.md"]!.Split('\n');
        Assert.Equal(
            Enumerable.Range(1, 8).Select(number => $"line {number}").Append("# Welcome").Append("Start here.").Order(),
            lines.Order()
        );
    }

    [Fact]
    public async Task Of_parallel_creations_of_one_page_one_is_made_and_the_others_say_so()
    {
        await using var space = await Space.StartAsync();
        await using var server = TestServer.Start(space.Settings);

        var answers = await Task.WhenAll(
            Enumerable
                .Range(1, 8)
                .Select(async number =>
                {
                    using var response = await server.PostAsync(
                        "/tools/silverbullet_create_page",
                        $$"""{"page_name":"new","content":"{{number}}"}"""
                    );
                    return (number, (int)response.StatusCode);
                })
        );

        var made = Assert.Single(answers, answer => answer.Item2 == 200);
        Assert.Equal($"{made.number}", space["new.md"]);
        Assert.All(answers.Except([made]), answer => Assert.Equal(422, answer.Item2));
    }

    [Theory]
    [InlineData("silverbullet_update_page", "replace")]
    [InlineData("silverbullet_update_page", "append")]
    public async Task A_change_that_lost_to_somebody_else_says_try_again(string tool, string mode)
    {
        await using var space = await Space.StartAsync();
        space.AfterWrite = name => space.Put(name, "theirs");
        await using var server = TestServer.Start(space.Settings);
        var change = new
        {
            page_name = "index",
            content = "mine",
            mode,
        };

        Assert.EndsWith("then try again.", await server.FailAsync(422, tool, change));
    }

    [Fact]
    public async Task A_change_that_somebody_else_added_to_is_made_and_told_so()
    {
        await using var space = await Space.StartAsync();
        space.AfterWrite = name => space.Put(name, space[name] + "\ntheirs");
        await using var server = TestServer.Start(space.Settings);

        var changed = await server.CallAsync(
            "silverbullet_update_page",
            new
            {
                page_name = "index",
                content = "mine",
                mode = "append",
            }
        );

        Assert.Contains("this change is in it", changed.GetProperty("note").GetString());
    }

    [Theory]
    [InlineData("silverbullet_create_page", """{"page_name":"new","content":"x"}""", 429)]
    [InlineData("silverbullet_update_page", """{"page_name":"index","content":"x"}""", 500)]
    [InlineData("silverbullet_delete_page", """{"page_name":"index"}""", 503)]
    public async Task A_change_that_was_made_is_reported_as_made_whatever_reading_it_back_answers(
        string tool,
        string arguments,
        int status
    )
    {
        await using var space = await Space.StartAsync();
        space.FaultAfterChange = true;
        space.Fault = ("GET", status, "no", "text/plain");
        await using var server = TestServer.Start(space.Settings);

        var changed = await server.CallAsync(tool, System.Text.Json.JsonElement.Parse(arguments));

        Assert.StartsWith("The page was", changed.GetProperty("note").GetString());
    }

    [Theory]
    [InlineData("append")]
    [InlineData("prepend")]
    public async Task A_page_that_is_not_UTF_8_is_not_added_to(string mode)
    {
        await using var space = await Space.StartAsync();
        byte[] latin = [.. "Caf"u8, 0xE9, .. " au lait\n"u8];
        space.Put("Latin.md", latin);
        await using var server = TestServer.Start(space.Settings);

        Assert.Contains(
            "not UTF-8",
            await server.FailAsync(
                422,
                "silverbullet_update_page",
                new
                {
                    page_name = "Latin",
                    content = "more",
                    mode,
                }
            )
        );

        Assert.Equal(latin, space.Bytes("Latin.md"));
    }

    [Theory]
    [InlineData("---\ntags: a\n---\nold", "---\ntags: a\n---\nnew\nold")]
    [InlineData("---\r\ntags: a\r\n---\r\nold", "---\r\ntags: a\r\n---\r\nnew\nold")]
    [InlineData("---\ntags: a\n---", "---\ntags: a\n---\nnew\n")]
    [InlineData("---\nno end", "new\n---\nno end")]
    [InlineData("old\n---\nmore", "new\nold\n---\nmore")]
    [InlineData("\ufeffold", "\ufeffnew\nold")]
    [InlineData("\ufeff---\na: 1\n---\nold", "\ufeff---\na: 1\n---\nnew\nold")]
    public async Task What_is_added_at_the_beginning_comes_below_frontmatter_and_byte_order_mark(
        string before,
        string after
    )
    {
        await using var space = await Space.StartAsync();
        space.Put("Page.md", before);
        await using var server = TestServer.Start(space.Settings);

        await server.CallAsync(
            "silverbullet_update_page",
            new
            {
                page_name = "Page",
                content = "new",
                mode = "prepend",
            }
        );

        Assert.Equal(Encoding.UTF8.GetBytes(after), space.Bytes("Page.md"));
    }

    [Fact]
    public async Task A_page_above_the_limit_of_an_answer_is_read_in_parts_added_to_and_deleted()
    {
        await using var space = await Space.StartAsync();
        var big = string.Concat(Enumerable.Range(0, 600_000).Select(number => $"{number:D7}\n"));
        Assert.True(big.Length > 4 << 20);
        space.Put("Big.md", big);
        await using var server = TestServer.Start(space.Settings);

        var part = await server.CallAsync(
            "silverbullet_get_page",
            new
            {
                page_name = "Big",
                offset = 4_400_000,
                max_chars = 100,
            }
        );
        await server.CallAsync(
            "silverbullet_update_page",
            new
            {
                page_name = "Big",
                content = "end",
                mode = "append",
            }
        );
        Assert.Equal(big[4_400_000..4_400_100], part.GetProperty("content").GetString());
        Assert.Contains($"of {big.Length}", part.GetProperty("note").GetString());
        Assert.Equal(big + "end", space["Big.md"]);

        var deleted = await server.CallAsync("silverbullet_delete_page", new { page_name = "Big" });
        Assert.Equal(
            (big.Length + 3, "0000000"),
            (deleted.GetProperty("size").GetInt32(), deleted.GetProperty("firstLine").GetString())
        );
        Assert.Null(space["Big.md"]);
    }

    [Theory]
    [InlineData("Node.js", ".js")]
    [InlineData("pic.png", ".png")]
    [InlineData("Release 1.2", ".2")]
    [InlineData("C# notes", "#")]
    [InlineData("@tag", "@")]
    [InlineData("a:b|c*d", "|")]
    [InlineData("a<b", "<")]
    [InlineData("a>b", ">")]
    [InlineData("cost $5", "$")]
    [InlineData("a [[b", "[[")]
    [InlineData("^lua", "^")]
    [InlineData("a\\b", "separated by /")]
    [InlineData("a\u0001b", "control character")]
    public async Task A_page_that_SilverBullet_cannot_use_is_not_created(string name, string part)
    {
        await using var space = await Space.StartAsync();
        await using var server = TestServer.Start(space.Settings);

        Assert.Contains(
            part,
            await server.FailAsync(422, "silverbullet_create_page", new { page_name = name, content = "x" })
        );

        Assert.Empty(space.Asked);
    }

    [Theory]
    [InlineData("a space at the end ")]
    [InlineData("back\\slash")]
    [InlineData("double.md")]
    [InlineData("Node.js")]
    [InlineData("a?b#c%d&e=f+g")]
    public async Task An_odd_name_that_exists_is_found_when_it_is_asked_for_exactly(string name)
    {
        await using var space = await Space.StartAsync();
        space.Put(name + ".md", "odd");
        space.Put(name.Trim().Replace(".md", "", StringComparison.Ordinal) + ".md", "odd");
        await using var server = TestServer.Start(space.Settings);

        var page = await server.CallAsync("silverbullet_get_page", new { page_name = name });
        await server.CallAsync("silverbullet_update_page", new { page_name = name, content = "new" });

        Assert.Equal(name, page.GetProperty("name").GetString());
        Assert.Equal("new", space[name + ".md"]);
        await server.CallAsync("silverbullet_delete_page", new { page_name = name });
        Assert.Null(space[name + ".md"]);
    }

    [Theory]
    [InlineData("silverbullet_create_page", """{"page_name":"new","content":"x"}""")]
    [InlineData("silverbullet_update_page", """{"page_name":"index","content":"x"}""")]
    [InlineData("silverbullet_delete_page", """{"page_name":"index"}""")]
    public async Task A_space_that_is_read_only_is_told_with_the_setting(string tool, string arguments)
    {
        await using var space = await Space.StartAsync();
        space.IsReadOnly = true;
        await using var server = TestServer.Start(space.Settings);

        var sentence = await server.FailAsync(422, tool, System.Text.Json.JsonElement.Parse(arguments));

        Assert.Contains("SB_READ_ONLY", sentence);
        Assert.Contains("nothing was changed", sentence);
    }

    [Theory]
    [InlineData("Retry-After", "17", "in 17 seconds")]
    [InlineData("X-RateLimit-Reset", null, "in 4")]
    public async Task A_rate_limit_says_when_it_ends(string header, string? value, string part)
    {
        await using var space = await Space.StartAsync();
        space.Header = (header, value ?? $"{DateTimeOffset.UtcNow.AddSeconds(4999).ToUnixTimeSeconds()}");
        space.Fault = (null, 429, "slow down", "text/plain");
        await using var server = TestServer.Start(space.Settings);

        Assert.Contains(part, await server.FailAsync(502, "silverbullet_list_pages"));
    }
}
