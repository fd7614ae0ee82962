using System.Text.Json;

namespace MinimalMcp.Tests.Tools.Vikunja;

/// <summary>No change of a task is lost, none is made twice, and each is reported as it is.</summary>
public sealed class VikunjaChangeTests
{
    [Theory]
    [InlineData("v1.1.0")]
    [InlineData("v2.5.0")]
    public async Task Parallel_changes_of_one_task_are_all_made(string version)
    {
        await using var board = await Board.StartAsync();
        board.Version = version;
        await using var server = TestServer.Start(board.Settings);
        object[] changes =
        [
            new { title = "New title" },
            new { priority = 1 },
            new { description = "<p>New text</p>" },
            new { due_date = "2027-03-01T12:00:00+01:00" },
        ];

        Task<JsonElement>[] calls =
        [
            .. changes.Select(change => server.CallAsync("vikunja_update_task", Arguments(12, change))),
            server.CallAsync("vikunja_add_label", new { task_id = 12, label_id = 5 }),
            server.CallAsync("vikunja_assign", new { task_id = 12, user = "bob" }),
            server.CallAsync("vikunja_unassign", new { task_id = 12, user = "ann" }),
        ];
        await Task.WhenAll(calls);

        var task = board.Task(12);
        Assert.Equal(
            ("New title", 1, "<p>New text</p>", "2027-03-01T11:00:00Z"),
            ((string)task["title"]!, (int)task["priority"]!, (string)task["description"]!, (string)task["due_date"]!)
        );
        Assert.Equal(["3", "5"], task["labels"]!.AsArray().Select(label => $"{label!["id"]}"));
        Assert.Equal(["1", "3"], task["assignees"]!.AsArray().Select(user => $"{user!["id"]}").Order());
        Assert.Single(task["reminders"]!.AsArray());
    }

    [Theory]
    [InlineData("vikunja_update_task", """{"project_id":2,"task_id":12,"title":"Made"}""", 429)]
    [InlineData("vikunja_update_task", """{"project_id":2,"task_id":12,"title":"Made"}""", 500)]
    [InlineData("vikunja_update_task", """{"project_id":2,"task_id":12,"title":"Made"}""", 404)]
    [InlineData("vikunja_add_label", """{"task_id":12,"label_id":5}""", 429)]
    [InlineData("vikunja_unassign", """{"task_id":12,"user":"ann"}""", 500)]
    public async Task A_change_that_was_made_is_reported_as_made_whatever_reading_it_back_answers(
        string tool,
        string arguments,
        int status
    )
    {
        await using var board = await Board.StartAsync();
        board.Fault = ("GET", status, """{"message":"no"}""", "application/json");
        board.FaultAfterChange = true;
        await using var server = TestServer.Start(board.Settings);

        var task = await server.CallAsync(tool, JsonElement.Parse(arguments));

        Assert.StartsWith("The change was made.", task.GetProperty("note").GetString());
        Assert.Equal(12, task.GetProperty("id").GetInt32());
        Assert.Single(board.Asked, asked => !asked.Line.StartsWith("GET", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_long_description_is_written_and_read_again_in_parts()
    {
        await using var board = await Board.StartAsync();
        await using var server = TestServer.Start(board.Settings);
        var text = string.Concat(Enumerable.Range(10_000, 12_000).Select(number => $"{number} \"🌍\"\n"));

        var changed = await server.CallAsync("vikunja_update_task", Arguments(12, new { description = text }));
        var created = await server.CallAsync(
            "vikunja_create_task",
            new
            {
                project_id = 2,
                title = "Long",
                description = text,
            }
        );

        foreach (var task in (JsonElement[])[changed, created])
        {
            Assert.InRange(task.GetProperty("description").GetString()!.Length, 500, 4000);
            Assert.Contains("vikunja_get_task with offset", task.GetProperty("note").GetString());
        }

        Assert.Equal(text, (string)board.Task(12)["description"]!);

        var read = "";
        for (var parts = 0; parts < 20 && read.Length < text.Length; parts++)
        {
            var part = await server.CallAsync(
                "vikunja_get_task",
                new
                {
                    project_id = 2,
                    task_id = 12,
                    offset = read.Length,
                }
            );
            read += part.GetProperty("description").GetString();
        }

        Assert.Equal(text, read);
    }

    [Fact]
    public async Task A_long_comment_is_written_and_read_again_in_parts()
    {
        await using var board = await Board.StartAsync();
        await using var server = TestServer.Start(board.Settings);
        var text = new string('x', 120_000) + "end";

        var added = await server.CallAsync("vikunja_add_comment", new { task_id = 12, comment = text });

        var id = added.GetProperty("id").GetInt64();
        Assert.Contains($"comment_id {id} and offset 4000", added.GetProperty("note").GetString());
        var (read, offset) = ("", 0);
        for (var parts = 0; parts < 5 && read.Length < text.Length; parts++)
        {
            var one = await server.CallAsync(
                "vikunja_list_comments",
                new
                {
                    task_id = 12,
                    comment_id = id,
                    offset,
                }
            );
            read += Assert.Single(one.GetProperty("comments").EnumerateArray()).GetProperty("comment").GetString();
            offset = read.Length;
        }

        Assert.Equal(text, read);
    }

    [Theory]
    [InlineData("Retry-After", "17", "in 17 seconds")]
    [InlineData("X-RateLimit-Reset", null, "in 4")]
    public async Task A_rate_limit_says_when_it_ends(string header, string? value, string part)
    {
        await using var board = await Board.StartAsync();
        board.Header = (header, value ?? $"{DateTimeOffset.UtcNow.AddSeconds(4999).ToUnixTimeSeconds()}");
        board.Fault = (null, 429, """{"message":"Too many requests"}""", "application/json");
        await using var server = TestServer.Start(board.Settings);

        Assert.Contains(part, await server.FailAsync(502, "vikunja_list_projects"));
    }

    [Fact]
    public async Task A_task_of_a_server_in_another_zone_is_changed_because_a_plus_sign_is_sent_as_one()
    {
        await using var board = await Board.StartAsync();
        await using var server = TestServer.Start(board.Settings);

        await server.CallAsync("vikunja_update_task", Arguments(12, new { title = "Grün & <b>+</b> \"ja\"" }));

        var sent = Assert.Single(board.Asked, asked => asked.Line.StartsWith("POST", StringComparison.Ordinal)).Body;
        Assert.Contains("\"due_date\":\"2026-02-01T13:00:00+01:00\"", sent);
        Assert.Contains("Grün & <b>+</b> \\\"ja\\\"", sent);
    }

    [Fact]
    public async Task A_value_that_is_there_already_is_no_failure()
    {
        await using var board = await Board.StartAsync();
        board.Version = "v2.5.0";
        await using var server = TestServer.Start(board.Settings);

        var task = await server.CallAsync("vikunja_update_task", Arguments(12, new { title = "Rotate certs" }));

        Assert.Equal("Rotate certs", task.GetProperty("title").GetString());
        Assert.DoesNotContain(board.Asked, asked => asked.Line.StartsWith("POST", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("v1.1.0")]
    [InlineData("v2.5.0")]
    public async Task The_checklist_of_a_repeating_task_is_reset_by_Vikunja_and_by_nobody_else(string version)
    {
        await using var board = await Board.StartAsync();
        board.Version = version;
        board.Task(14)["description"] = """<ul><li data-checked="true"><p>Roses</p></li></ul>""";
        await using var server = TestServer.Start(board.Settings);

        var done = await server.CallAsync(
            "vikunja_update_task",
            new
            {
                project_id = 3,
                task_id = 14,
                done = true,
            }
        );

        Assert.Contains("reset its checklist", done.GetProperty("note").GetString());
        Assert.DoesNotContain("else", done.GetProperty("note").GetString());
        var list = await server.McpAsync("tools/list", path: "/mcp/vikunja");
        var tools = list.Result.GetProperty("tools").EnumerateArray();
        var hints = tools.Single(tool => tool.GetProperty("name").GetString() == "vikunja_update_task");
        Assert.False(hints.GetProperty("annotations").GetProperty("idempotentHint").GetBoolean());
    }

    [Fact]
    public async Task A_label_that_was_not_on_the_task_is_said_so()
    {
        await using var board = await Board.StartAsync();
        await using var server = TestServer.Start(board.Settings);

        var task = await server.CallAsync("vikunja_remove_label", new { task_id = 12, label_id = 5 });

        Assert.Equal("The label 5 was not on the task; nothing was changed.", task.GetProperty("note").GetString());
        Assert.All(board.Asked, asked => Assert.StartsWith("GET", asked.Line));
    }

    [Fact]
    public async Task All_comments_are_listed_oldest_or_newest_first()
    {
        await using var board = await Board.StartAsync();
        board.AddComments(13, 65);
        await using var server = TestServer.Start(board.Settings);

        var all = await server.CallAsync("vikunja_list_comments", new { task_id = 13 });
        var some = await server.CallAsync(
            "vikunja_list_comments",
            new
            {
                task_id = 13,
                newest_first = true,
                limit = 2,
            }
        );

        Assert.Equal((65, false), (all.GetProperty("comments").GetArrayLength(), all.TryGetProperty("note", out _)));
        Assert.Equal(
            ["<p>Comment 64</p>", "<p>Comment 63</p>"],
            some.GetProperty("comments").EnumerateArray().Select(one => one.GetProperty("comment").GetString())
        );
        Assert.Contains("There are more", some.GetProperty("note").GetString());
        Assert.Contains(
            "Task 13 has no comment 7",
            await server.FailAsync(422, "vikunja_list_comments", new { task_id = 13, comment_id = 7 })
        );
    }

    [Fact]
    public async Task A_search_for_projects_gives_those_that_match()
    {
        await using var board = await Board.StartAsync();
        board.AddProject(40, "Kitchen")["parent_project_id"] = 3L;
        await using var server = TestServer.Start(board.Settings);

        var found = await server.CallAsync("vikunja_list_projects", new { search = "house" });

        Assert.Equal(
            ["House"],
            found.GetProperty("projects").EnumerateArray().Select(project => project.GetProperty("title").GetString())
        );
    }

    [Fact]
    public async Task A_field_that_a_filter_does_not_have_is_told_with_those_that_it_has()
    {
        await using var board = await Board.StartAsync();
        await using var server = TestServer.Start(board.Settings);

        var sentence = await server.FailAsync(422, "vikunja_search_tasks", new { filter = "dueDate < now" });

        Assert.Contains("due_date", sentence);
        Assert.DoesNotContain("changed", sentence);
    }

    private static Dictionary<string, object> Arguments(int task, object changes) =>
        JsonSerializer
            .SerializeToElement(changes)
            .EnumerateObject()
            .Select(change => KeyValuePair.Create(change.Name, (object)change.Value))
            .Append(new("project_id", 2))
            .Append(new("task_id", task))
            .ToDictionary();
}
