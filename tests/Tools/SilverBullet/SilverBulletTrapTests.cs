using System.Text;
using System.Text.Json;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Tools.SilverBullet;

/// <summary>Where SilverBullet bites, and what a model is told when it does.</summary>
[Slow]
public sealed class SilverBulletTrapTests
{
    private static readonly (string Tool, object Arguments)[] All =
    [
        ("silverbullet_list_pages", new { }),
        ("silverbullet_get_page", new { page_name = "index" }),
        ("silverbullet_create_page", new { page_name = "new", content = "x" }),
        ("silverbullet_update_page", new { page_name = "index", content = "x" }),
        ("silverbullet_delete_page", new { page_name = "index" }),
        ("silverbullet_search_pages", new { query = "roof" }),
    ];

    private static readonly (int Status, string Body, string Type, string Part)[] Failures =
    [
        (200, "<!DOCTYPE html><html>Please sign in</html>", "text/html", "a web page"),
        (200, "<html>Please sign in</html>", "text/plain", "a web page"),
        (302, "", "text/html", "Redirects are not followed"),
        (401, "Unauthorized", "text/plain", "Check SilverBullet:Token"),
        (403, "no", "text/plain", "Check SilverBullet:Token"),
        (404, "<html>nothing here</html>", "text/html", "Check SilverBullet:Url"),
        (429, "slow down", "text/plain", "Try again in a minute"),
        (500, "kaput", "text/plain", "SilverBullet answered 500"),
        (503, "down", "text/plain", "SilverBullet answered 503"),
    ];

    public static TheoryData<string> Tools => [.. All.Select(call => call.Tool)];

    [Theory, MemberData(nameof(Tools))]
    public async Task A_failure_is_told_with_what_to_do_and_is_never_a_success(string tool)
    {
        await using var space = await Space.StartAsync();
        await using var server = TestServer.Start(space.Settings);
        foreach (var (status, body, type, part) in Failures)
        {
            space.Fault = (null, status, body, type);

            var sentence = await server.FailAsync(502, tool, All.Single(call => call.Tool == tool).Arguments);

            Assert.Contains(part, sentence);
            Assert.DoesNotContain(Space.Token, sentence);
            Assert.DoesNotContain("sign in", sentence);
            Assert.Equal("# Welcome\nStart here.", space["index.md"]);
        }
    }

    [Theory]
    [InlineData(
        "PUT",
        "silverbullet_create_page",
        200,
        "<!doctype html>login",
        502,
        "read the page before trying again"
    )]
    [InlineData(
        "PUT",
        "silverbullet_update_page",
        200,
        "<!doctype html>login",
        502,
        "read the page before trying again"
    )]
    [InlineData(
        "DELETE",
        "silverbullet_delete_page",
        200,
        "<!doctype html>login",
        502,
        "read the page before trying again"
    )]
    [InlineData("PUT", "silverbullet_update_page", 403, "read-only", 422, "read-only")]
    [InlineData("DELETE", "silverbullet_delete_page", 403, "read-only", 422, "read-only")]
    [InlineData("PUT", "silverbullet_update_page", 409, "conflict", 422, "Read it again")]
    [InlineData("PUT", "silverbullet_update_page", 412, "precondition", 422, "Read it again")]
    [InlineData("PUT", "silverbullet_create_page", 413, "large", 422, "Split it")]
    [InlineData("PUT", "silverbullet_update_page", 500, "oops", 502, "may have been made all the same")]
    [InlineData("DELETE", "silverbullet_delete_page", 404, "404 page not found\n", 422, "There is no page")]
    public async Task A_change_that_fails_halfway_says_so(
        string method,
        string tool,
        int status,
        string body,
        int expected,
        string part
    )
    {
        await using var space = await Space.StartAsync();
        space.Fault = (method, status, body, body[0] == '<' ? "text/html" : "text/plain");
        await using var server = TestServer.Start(space.Settings);

        Assert.Contains(part, await server.FailAsync(expected, tool, All.Single(call => call.Tool == tool).Arguments));
        // Nothing that writes is sent twice.
        Assert.Single(space.Asked, asked => asked.Line.StartsWith(method, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("   ", "it is empty")]
    [InlineData(".md", "it is empty")]
    [InlineData("[[]]", "it is empty")]
    [InlineData("..", "begin with a dot")]
    [InlineData("../secrets", "begin with a dot")]
    [InlineData("a/../../b", "begin with a dot")]
    [InlineData("./a", "begin with a dot")]
    [InlineData(".shell", "begin with a dot")]
    [InlineData("a/.hidden", "begin with a dot")]
    [InlineData("/etc/passwd", "has no name")]
    [InlineData("a//b", "has no name")]
    [InlineData("a/", "has no name")]
    [InlineData("a\nb", "control character")]
    [InlineData("a\0b", "control character")]
    public async Task A_name_that_is_a_trick_is_refused_and_nothing_is_sent(string name, string part)
    {
        await using var space = await Space.StartAsync();
        await using var server = TestServer.Start(space.Settings);

        foreach (var tool in (string[])["silverbullet_get_page", "silverbullet_delete_page"])
        {
            Assert.Contains(part, await server.FailAsync(422, tool, new { page_name = name }));
        }

        Assert.Contains(
            part,
            await server.FailAsync(422, "silverbullet_create_page", new { page_name = name, content = "x" })
        );
        Assert.Contains(
            part,
            await server.FailAsync(422, "silverbullet_update_page", new { page_name = name, content = "x" })
        );
        Assert.Empty(space.Asked);
    }

    [Theory]
    [InlineData("_plug/mine")]
    [InlineData("Roof.conflicted")]
    public async Task A_name_of_SilverBullets_own_is_not_written(string name)
    {
        await using var space = await Space.StartAsync();
        await using var server = TestServer.Start(space.Settings);

        Assert.Contains(
            "SilverBullet's own",
            await server.FailAsync(422, "silverbullet_create_page", new { page_name = name, content = "x" })
        );
        Assert.Empty(space.Asked);
    }

    [Theory]
    [InlineData("index", "/.fs/index.md")]
    [InlineData("index.md", "/.fs/index.md")]
    [InlineData("[[index]]", "/.fs/index.md")]
    [InlineData("[[index#Heading|shown]]", "/.fs/index.md")]
    [InlineData("Projects/Åland & co", "/.fs/Projects/%C3%85land%20%26%20co.md")]
    [InlineData("100% #1? x=y&z", "/.fs/100%25%20%231%3F%20x%3Dy%26z.md")]
    [InlineData("a/%2e%2e/b", "/.fs/a/%252e%252e/b.md")]
    [InlineData("notes.md.md", "/.fs/notes.md.md")]
    [InlineData("日本/計画", "/.fs/%E6%97%A5%E6%9C%AC/%E8%A8%88%E7%94%BB.md")]
    public async Task A_name_becomes_one_path_with_its_slashes_kept_and_the_rest_encoded(string name, string path)
    {
        await using var space = await Space.StartAsync();
        await using var server = TestServer.Start(space.Settings);

        using var response = await server.PostAsync(
            "/tools/silverbullet_get_page",
            JsonSerializer.Serialize(new { page_name = name })
        );

        Assert.Contains(Space.Prefix + path, space.Targets);
    }

    [Fact]
    public async Task A_token_with_a_colon_is_sent_as_Basic()
    {
        await using var space = await Space.StartAsync();
        space.Authorization = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("ann:pass:word-1"));
        await using var server = TestServer.Start(
            ("SilverBullet:Url", space.Url + "/"),
            ("SilverBullet:Token", "ann:pass:word-1")
        );

        Assert.Equal(
            "# Welcome\nStart here.",
            (await server.CallAsync("silverbullet_get_page", new { page_name = "index" }))
                .GetProperty("content")
                .GetString()
        );
    }

    [Fact]
    public async Task Without_a_token_nothing_is_sent_as_one()
    {
        await using var space = await Space.StartAsync();
        space.Authorization = "";
        await using var server = TestServer.Start(("SilverBullet:Url", space.Url));

        await server.CallAsync("silverbullet_list_pages");

        Assert.False(Assert.Single(space.Asked).Headers.ContainsKey("Authorization"));
    }

    [Fact]
    public async Task A_page_that_begins_like_HTML_is_a_page()
    {
        await using var space = await Space.StartAsync();
        space.Put("Html.md", "<html> is where it begins");
        await using var server = TestServer.Start(space.Settings);

        Assert.StartsWith(
            "<html>",
            (await server.CallAsync("silverbullet_get_page", new { page_name = "Html" }))
                .GetProperty("content")
                .GetString()
        );
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_read_only_page_is_not_sent_a_change_also_when_the_server_does_not_say(bool silent)
    {
        await using var space = await Space.StartAsync();
        space.SaysNoPermission = silent;
        await using var server = TestServer.Start(space.Settings);
        var name = silent ? "index" : "Library/Std/APIs/Command";

        Assert.Contains(
            "read-only",
            await server.FailAsync(422, "silverbullet_update_page", new { page_name = name, content = "x" })
        );
        Assert.Contains("read-only", await server.FailAsync(422, "silverbullet_delete_page", new { page_name = name }));
        Assert.DoesNotContain(space.Asked, asked => !asked.Line.StartsWith("GET", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_read_only_refusal_of_an_old_server_is_500_and_explained()
    {
        await using var space = await Space.StartAsync();
        space.IsOld = true;
        space.Fault = ("PUT", 500, "read-only", "text/plain");
        await using var server = TestServer.Start(space.Settings);

        Assert.Contains(
            "Before version 2.10 that also means that the page is read-only",
            await server.FailAsync(502, "silverbullet_create_page", new { page_name = "new", content = "x" })
        );
    }

    [Fact]
    public async Task A_missing_page_is_answered_with_names_near_it()
    {
        await using var space = await Space.StartAsync();
        await using var server = TestServer.Start(space.Settings);

        Assert.Contains(
            "Did you mean 'Projects/Garden'?",
            await server.FailAsync(422, "silverbullet_get_page", new { page_name = "garden" })
        );
    }

    [Fact]
    public async Task A_space_that_is_read_only_as_a_whole_still_has_pages()
    {
        await using var space = await Space.StartAsync();
        foreach (var name in (string[])["index.md", "Projects/Åland & co.md", "Projects/Garden.md"])
        {
            space.Put(name, space[name]!, "ro");
        }

        await using var server = TestServer.Start(space.Settings);

        Assert.Equal(3, (await server.CallAsync("silverbullet_list_pages")).GetProperty("total").GetInt32());
        Assert.Equal(
            4,
            (await server.CallAsync("silverbullet_list_pages", new { all = true })).GetProperty("total").GetInt32()
        );
    }

    [Fact]
    public async Task A_long_page_is_read_in_parts_and_no_letter_is_torn()
    {
        await using var space = await Space.StartAsync();
        var text = string.Concat(Enumerable.Repeat("🌍 earth\n", 10_000));
        space.Put("Long.md", text);
        await using var server = TestServer.Start(space.Settings);

        var (read, offset) = ("", 0);
        while (true)
        {
            var part = await server.CallAsync(
                "silverbullet_get_page",
                new
                {
                    page_name = "Long",
                    offset,
                    max_chars = 44_992,
                }
            );
            read += part.GetProperty("content").GetString();
            offset = read.Length;
            if (!part.TryGetProperty("note", out var note))
            {
                break;
            }

            Assert.Contains($"offset {offset}", note.GetString());
        }

        Assert.Equal(text, read);
    }

    [Fact]
    public async Task A_second_search_reads_only_what_was_changed_since()
    {
        await using var space = await Space.StartAsync();
        await using var server = TestServer.Start(space.Settings);
        await server.CallAsync("silverbullet_search_pages", new { query = "roof" });
        var before = space.Asked.Count;
        space.Put("Projects/Garden.md", "The roof of the shed.");

        var found = await server.CallAsync("silverbullet_search_pages", new { query = "roof" });

        Assert.Equal(
            ["Projects/Garden", "Projects/Åland & co"],
            found.GetProperty("pages").EnumerateArray().Select(page => page.GetProperty("name").GetString())
        );
        Assert.Equal(
            ["GET /notes/.fs", "GET /notes/.fs/Projects/Garden.md"],
            space.Asked.Skip(before).Select(asked => asked.Line)
        );
    }

    [Fact]
    public async Task A_search_of_more_than_can_be_read_says_what_it_did_not_read()
    {
        await using var space = await Space.StartAsync();
        space.Put("Huge.md", new string('x', 2_100_000) + " roof");
        await using var server = TestServer.Start(space.Settings);

        var found = await server.CallAsync("silverbullet_search_pages", new { query = "roof" });

        Assert.Equal(1, found.GetProperty("total").GetInt32());
        Assert.Contains("1 of 4 pages were compared by name only", found.GetProperty("note").GetString());
    }

    [Theory]
    [InlineData("silverbullet_list_pages")]
    [InlineData("silverbullet_get_page")]
    [InlineData("silverbullet_create_page")]
    public async Task An_address_without_the_prefix_of_the_space_is_answered_with_a_page_and_is_told_so(string tool)
    {
        await using var space = await Space.StartAsync();
        await using var server = TestServer.Start(
            ("SilverBullet:Url", space.Url[..^Space.Prefix.Length]),
            ("SilverBullet:Token", Space.Token)
        );

        Assert.Contains(
            "with the prefix of the space",
            await server.FailAsync(502, tool, All.Single(call => call.Tool == tool).Arguments)
        );
    }

    [Theory]
    [InlineData("APP_SILVERBULLET__URL=notes.example.com", "SilverBullet:Url (APP_SILVERBULLET__URL) must be")]
    [InlineData("SilverBullet__Certificate=abc", "SilverBullet:Certificate must be")]
    [InlineData("APP_SILVERBULLET__TOKEN=two words", "SilverBullet:Token (APP_SILVERBULLET__TOKEN) must be")]
    [InlineData("SilverBullet__PublicUrl=https://ann:secret@notes.example.com", "SilverBullet:PublicUrl must be")]
    public async Task A_wrong_setting_is_told_at_the_start(string variable, string part)
    {
        var pair = variable.Split('=');

        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            [],
            new Dictionary<string, string> { [pair[0]] = pair[1] }
        );

        Assert.Equal(1, exitCode);
        Assert.Contains(part, errors);
    }

    [Fact]
    public Task A_certificate_that_nobody_signed_is_accepted_by_its_fingerprint_only() =>
        Upstream.CheckCertificateAsync("SilverBullet", "silverbullet_list_pages");

    [Fact]
    public async Task Unconfigured_it_is_not_listed()
    {
        await using var server = TestServer.Start();

        await server.FailAsync(404, "silverbullet_list_pages");
    }
}
