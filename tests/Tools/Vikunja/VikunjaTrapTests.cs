using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Tools.Vikunja;

/// <summary>Where Vikunja bites, and what a model is told when it does.</summary>
[Slow]
public sealed class VikunjaTrapTests
{
    private static readonly (string Tool, object Arguments, string Changes)[] All =
    [
        ("vikunja_list_projects", new { }, ""),
        ("vikunja_get_project", new { project_id = 2 }, ""),
        ("vikunja_create_project", new { title = "New" }, "PUT"),
        ("vikunja_list_tasks", new { project_id = 2 }, ""),
        ("vikunja_get_task", new { project_id = 2, task_id = 12 }, ""),
        ("vikunja_create_task", new { project_id = 2, title = "New" }, "PUT"),
        (
            "vikunja_update_task",
            new
            {
                project_id = 2,
                task_id = 12,
                title = "New",
            },
            "POST"
        ),
        ("vikunja_delete_task", new { project_id = 2, task_id = 12 }, "DELETE"),
        ("vikunja_search_tasks", new { query = "x" }, ""),
        ("vikunja_list_comments", new { task_id = 12 }, ""),
        ("vikunja_add_comment", new { task_id = 12, comment = "x" }, "PUT"),
        ("vikunja_list_labels", new { }, ""),
        ("vikunja_add_label", new { task_id = 12, label_id = 5 }, "PUT"),
        ("vikunja_remove_label", new { task_id = 12, label_id = 3 }, "DELETE"),
        ("vikunja_assign", new { task_id = 12, user = "bob" }, "PUT"),
        ("vikunja_unassign", new { task_id = 12, user = "ann" }, "DELETE"),
    ];

    private static readonly (int Status, string Body, int Expected, string Part)[] Failures =
    [
        (200, "<!DOCTYPE html><html>Please sign in</html>", 502, "something else than its API"),
        (200, "\"ok\"", 502, "something else than its API"),
        (200, """{"id":1,"id":2}""", 502, "something else than its API"),
        (302, "", 502, "Redirects are not followed"),
        (400, """{"code":4001,"message":"You must say more."}""", 422, "You must say more"),
        (
            401,
            """{"code":11,"message":"missing, malformed, expired or otherwise invalid token provided"}""",
            502,
            "it lacks the permission"
        ),
        (403, """{"message":"Forbidden"}""", 422, "may not do this here"),
        (404, """{"code":3001,"message":"This project does not exist."}""", 422, "vikunja_list_projects"),
        (404, """{"code":4002,"message":"This task does not exist"}""", 422, "vikunja_search_tasks"),
        (404, "<html>nothing</html>", 502, "Check Vikunja:Url"),
        (405, """{"message":"Method Not Allowed"}""", 502, "1.0 or newer"),
        (409, """{"message":"conflict"}""", 422, "Read it again"),
        (412, """{"code":2002,"message":"Invalid Data","invalid_fields":["title"]}""", 422, "wrong: title"),
        (412, """{"code":3008,"message":"The project is archived."}""", 422, "out of the archive"),
        (429, """{"message":"too many"}""", 502, "Try again in a minute"),
        (500, """{"message":"Internal Server Error"}""", 502, "Vikunja answered 500"),
    ];

    // Every request of the tool; and only the one that changes something, after the looks before it went well.
    public static TheoryData<string, string?> Tools =>
        [
            .. All.SelectMany(
                call => call.Changes.Length > 0 ? (string?[])[null, call.Changes] : [null],
                (call, method) => new TheoryDataRow<string, string?>(call.Tool, method)
            ),
        ];

    [Theory, MemberData(nameof(Tools))]
    public async Task A_failure_is_told_with_what_to_do_and_is_never_a_success(string tool, string? method)
    {
        await using var board = await Board.StartAsync();
        await using var server = TestServer.Start(board.Settings);
        foreach (var (status, body, expected, part) in Failures)
        {
            board.Renew();
            board.Asked.Clear();
            board.Fault = (method, status, body, body.StartsWith('<') ? "text/html" : "application/json");

            var sentence = await server.FailAsync(expected, tool, All.Single(call => call.Tool == tool).Arguments);

            Assert.Contains(part, sentence);
            Assert.True(
                status < 500
                    || method is null
                    || sentence.Contains("may have been made all the same", StringComparison.Ordinal),
                sentence
            );
            Assert.DoesNotContain("sign in", sentence);
            Assert.DoesNotContain(Board.Token, sentence);
            // Nothing that writes is sent twice.
            Assert.InRange(board.Asked.Count(asked => !asked.Line.StartsWith("GET", StringComparison.Ordinal)), 0, 1);
        }
    }

    [Theory]
    [InlineData("vikunja_get_task", """{"project_id":2,"task_id":0}""")]
    [InlineData("vikunja_get_task", """{"project_id":2,"task_id":-1}""")]
    [InlineData("vikunja_get_task", """{"project_id":2,"task_id":1.5}""")]
    [InlineData("vikunja_get_task", """{"project_id":2,"task_id":"../12"}""")]
    [InlineData("vikunja_get_task", """{"project_id":2,"task_id":99999999999999999999}""")]
    [InlineData("vikunja_get_project", """{"project_id":"2/tasks"}""")]
    [InlineData("vikunja_get_project", """{"project_id":null}""")]
    [InlineData("vikunja_create_project", """{"title":""}""")]
    [InlineData("vikunja_create_task", """{"project_id":2,"title":"x","priority":-1}""")]
    [InlineData("vikunja_create_task", """{"project_id":2,"title":"x","dueDate":"2026-02-01"}""")]
    [InlineData("vikunja_update_task", """{"project_id":2,"task_id":12,"done":"perhaps"}""")]
    [InlineData("vikunja_list_tasks", """{"project_id":2,"sort":"mood"}""")]
    [InlineData("vikunja_list_tasks", """{"project_id":2,"limit":1001}""")]
    public async Task A_wrong_argument_is_refused_before_anything_is_sent(string tool, string arguments)
    {
        await using var board = await Board.StartAsync();
        await using var server = TestServer.Start(board.Settings);

        Assert.NotEmpty(await server.FailAsync(400, tool, JsonNode.Parse(arguments)));

        Assert.Empty(board.Asked);
    }

    [Theory]
    [InlineData("vikunja_create_project", """{"title":"   "}""", "title must not be empty")]
    [InlineData("vikunja_create_task", """{"project_id":-1,"title":"x"}""", "not a real project")]
    [InlineData("vikunja_create_task", """{"project_id":0,"title":"x"}""", "project_id must not be 0")]
    [InlineData("vikunja_create_project", """{"title":"x","parent_project_id":-1}""", "not a real project")]
    [InlineData("vikunja_get_project", """{"project_id":0}""", "project_id must not be 0")]
    [InlineData("vikunja_list_tasks", """{"project_id":0}""", "project_id must not be 0")]
    [InlineData("vikunja_get_task", """{"project_id":0,"task_id":12}""", "project_id must not be 0")]
    [InlineData("vikunja_update_task", """{"project_id":0,"task_id":12,"done":true}""", "project_id must not be 0")]
    [InlineData("vikunja_delete_task", """{"project_id":0,"task_id":12}""", "project_id must not be 0")]
    [InlineData(
        "vikunja_create_task",
        """{"project_id":2,"title":"x","due_date":"tomorrow"}""",
        "Write it with a zone"
    )]
    [InlineData(
        "vikunja_create_task",
        """{"project_id":2,"title":"x","due_date":"2026-13-01"}""",
        "Write it with a zone"
    )]
    [InlineData(
        "vikunja_create_task",
        """{"project_id":2,"title":"x","due_date":"0001-01-01T00:00:00Z"}""",
        "four digits"
    )]
    [InlineData(
        "vikunja_create_task",
        """{"project_id":2,"title":"x","due_date":"2026-03-29T02:30:00"}""",
        "the clocks skip that hour"
    )]
    [InlineData("vikunja_update_task", """{"project_id":2,"task_id":12}""", "nothing to change")]
    public async Task What_cannot_be_meant_is_refused_before_anything_is_sent(
        string tool,
        string arguments,
        string part
    )
    {
        await using var board = await Board.StartAsync();
        await using var server = TestServer.Start([.. board.Settings, ("Vikunja:TimeZone", "Europe/Berlin")]);

        Assert.Contains(part, await server.FailAsync(422, tool, JsonNode.Parse(arguments)));

        Assert.Empty(board.Asked);
    }

    [Theory]
    [InlineData("2026-02-01T12:00:00Z", "2026-02-01T12:00:00Z")]
    [InlineData("2026-02-01T12:00:00+05:30", "2026-02-01T06:30:00Z")]
    [InlineData("2026-02-01T12:00:00.5Z", "2026-02-01T12:00:00Z")]
    [InlineData("2026-07-01T12:00", "2026-07-01T10:00:00Z")]
    [InlineData("2026-02-01 12:00", "2026-02-01T11:00:00Z")]
    [InlineData("2026-02-01", "2026-02-01T22:59:59Z")]
    public async Task A_due_date_is_sent_with_its_zone(string said, string sent)
    {
        await using var board = await Board.StartAsync();
        await using var server = TestServer.Start([.. board.Settings, ("Vikunja:TimeZone", "Europe/Berlin")]);

        await server.CallAsync(
            "vikunja_create_task",
            new
            {
                project_id = 2,
                title = "x",
                due_date = said,
            }
        );

        Assert.Equal(sent, Assert.Single(board.Asked).Json.GetProperty("due_date").GetString());
    }

    [Fact]
    public async Task A_task_without_a_due_date_sends_none()
    {
        await using var board = await Board.StartAsync();
        await using var server = TestServer.Start(board.Settings);

        var created = await server.CallAsync("vikunja_create_task", new { project_id = 2, title = "x" });

        Assert.False(Assert.Single(board.Asked).Json.TryGetProperty("due_date", out _));
        Assert.False(created.TryGetProperty("dueDate", out _)); // the year 1 is nobody's date
    }

    [Fact]
    public async Task A_repeating_task_that_is_done_is_open_at_its_next_date_and_that_is_explained()
    {
        await using var board = await Board.StartAsync();
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

        Assert.Equal((false, true), (done.GetProperty("done").GetBoolean(), done.GetProperty("repeats").GetBoolean()));
        Assert.Contains("The task repeats", done.GetProperty("note").GetString());
        Assert.Equal(DateTimeOffset.Parse("2026-02-08T12:00:00Z"), done.GetProperty("dueDate").GetDateTimeOffset());
    }

    [Theory]
    [InlineData("PATCH /v2")]
    [InlineData(null)]
    public async Task Where_v2_is_not_for_us_the_whole_object_is_sent_instead(string? lacks)
    {
        await using var board = await Board.StartAsync();
        (board.Version, board.Lacks) = ("v2.5.0", lacks);
        // The web pages answer paths that the API does not know.
        board.Fault = lacks is null ? ("PATCH", 200, "<!DOCTYPE html>", "text/html") : null;
        await using var server = TestServer.Start(board.Settings);

        await server.CallAsync(
            "vikunja_update_task",
            new
            {
                project_id = 2,
                task_id = 12,
                priority = 1,
            }
        );

        Assert.Equal(
            (1, 2, 1),
            (
                (int)board.Task(12)["priority"]!,
                board.Task(12)["assignees"]!.AsArray().Count,
                board.Task(12)["reminders"]!.AsArray().Count
            )
        );
        Assert.Contains(board.Asked, asked => asked.Line == "POST /vk/api/v1/tasks/12");
    }

    [Theory]
    [InlineData(
        "vikunja_update_task",
        """{"project_id":2,"task_id":12,"priority":1}""",
        "priority of task 12 did not change"
    )]
    [InlineData("vikunja_add_label", """{"task_id":12,"label_id":5}""", "labels of task 12 are without it")]
    [InlineData("vikunja_assign", """{"task_id":12,"user":"bob"}""", "assignees of task 12 are without it")]
    public async Task A_change_that_Vikunja_only_claims_is_a_failure(string tool, string arguments, string part)
    {
        await using var board = await Board.StartAsync();
        board.Forgets = true;
        await using var server = TestServer.Start(board.Settings);

        var sentence = await server.FailAsync(422, tool, JsonNode.Parse(arguments));

        Assert.Contains(part, sentence);
        Assert.EndsWith("then try again.", sentence);
    }

    [Fact]
    public async Task What_was_lost_all_the_same_is_told()
    {
        await using var board = await Board.StartAsync();
        board.IsBusy = true;
        await using var server = TestServer.Start(board.Settings);

        var changed = await server.CallAsync(
            "vikunja_update_task",
            new
            {
                project_id = 2,
                task_id = 12,
                priority = 1,
            }
        );

        Assert.Contains("assignees, reminders changed too", changed.GetProperty("note").GetString());
    }

    [Theory]
    [InlineData("""{"project_id":2,"done":false}""", "done = false")]
    [InlineData(
        """{"project_id":2,"done":true,"filter":"priority > 3 || due_date < now"}""",
        "(priority > 3 || due_date < now) && done = true"
    )]
    [InlineData("""{"project_id":2,"filter":"priority > 3"}""", "priority > 3")]
    public async Task Done_and_a_filter_hold_together(string arguments, string filter)
    {
        await using var board = await Board.StartAsync();
        await using var server = TestServer.Start(board.Settings);

        await server.CallAsync("vikunja_list_tasks", JsonNode.Parse(arguments));

        Assert.Equal(filter, QueryHelpers.ParseQuery(Assert.Single(board.Asked).Line.Split('?')[1])["filter"]);
    }

    [Fact]
    public async Task A_task_of_another_project_is_shown_with_a_word_about_it_but_neither_changed_nor_deleted()
    {
        await using var board = await Board.StartAsync();
        await using var server = TestServer.Start(board.Settings);

        Assert.Contains(
            "in project 2 and not in 3",
            (await server.CallAsync("vikunja_get_task", new { project_id = 3, task_id = 12 }))
                .GetProperty("note")
                .GetString()
        );
        Assert.Contains(
            "Nothing was changed",
            await server.FailAsync(
                422,
                "vikunja_update_task",
                new
                {
                    project_id = 3,
                    task_id = 12,
                    done = true,
                }
            )
        );
        Assert.Contains(
            "Nothing was changed",
            await server.FailAsync(422, "vikunja_delete_task", new { project_id = 3, task_id = 12 })
        );
        Assert.True(board.Has(12));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pages_are_followed_however_small_the_server_makes_them_and_whether_or_not_it_says_how_many(
        bool says
    )
    {
        await using var board = await Board.StartAsync();
        (board.PerPage, board.SaysPages) = (1, says);
        await using var server = TestServer.Start(board.Settings);

        Assert.Equal(
            [2, -1, 3, 9],
            (await server.CallAsync("vikunja_list_projects"))
                .GetProperty("projects")
                .EnumerateArray()
                .Select(project => project.GetProperty("id").GetInt64())
        );
    }

    [Fact]
    public async Task Pages_are_followed_within_bounds()
    {
        await using var board = await Board.StartAsync();
        board.PerPage = 1;
        for (var id = 200; id < 240; id++)
        {
            board.AddTask(id, 3, "many");
        }

        await using var server = TestServer.Start(board.Settings);

        var list = await server.CallAsync("vikunja_list_tasks", new { project_id = 3, limit = 1000 });

        Assert.Equal((20, 20), (list.GetProperty("tasks").GetArrayLength(), board.Asked.Count));
        Assert.Contains("There are more", list.GetProperty("note").GetString());
    }

    [Fact]
    public async Task A_pseudo_project_is_listed_as_what_it_is()
    {
        await using var board = await Board.StartAsync();
        await using var server = TestServer.Start(board.Settings);

        var projects = (await server.CallAsync("vikunja_list_projects"))
            .GetProperty("projects")
            .EnumerateArray()
            .ToArray();

        // The body of a list says 0 for every project, and has no header: nothing is known.
        Assert.All(projects, project => Assert.False(project.TryGetProperty("access", out _)));
        Assert.Contains(
            "Not a real project",
            projects.Single(project => project.GetProperty("id").GetInt64() < 0).GetProperty("note").GetString()
        );
        Assert.Equal(
            "write",
            (await server.CallAsync("vikunja_get_project", new { project_id = 2 })).GetProperty("access").GetString()
        );
    }

    [Fact]
    public async Task An_archived_project_takes_no_task_and_says_why()
    {
        await using var board = await Board.StartAsync();
        await using var server = TestServer.Start(board.Settings);

        Assert.Contains(
            "out of the archive",
            await server.FailAsync(422, "vikunja_create_task", new { project_id = 4, title = "x" })
        );
        Assert.Contains(
            "may not do this here",
            await server.FailAsync(422, "vikunja_list_tasks", new { project_id = 9 })
        );
    }

    [Fact]
    public async Task A_token_without_the_scope_is_told_by_its_name()
    {
        await using var board = await Board.StartAsync();
        board.Lacks = "PUT /v1/tasks/12/comments";
        await using var server = TestServer.Start(board.Settings);

        Assert.Contains(
            "\"tasks_comments: create\"",
            await server.FailAsync(502, "vikunja_add_comment", new { task_id = 12, comment = "x" })
        );
    }

    [Fact]
    public async Task The_address_may_end_with_the_path_of_the_API()
    {
        await using var board = await Board.StartAsync();
        await using var server = TestServer.Start(
            ("Vikunja:Url", board.Url + "/api/v1/"),
            ("Vikunja:Token", Board.Token)
        );

        Assert.Equal(
            $"{board.Url}/tasks/12",
            (await server.CallAsync("vikunja_get_task", new { project_id = 2, task_id = 12 }))
                .GetProperty("url")
                .GetString()
        );
    }

    [Theory]
    [InlineData("APP_VIKUNJA__URL=tasks.example.com", "Vikunja:Url (APP_VIKUNJA__URL) must be")]
    [InlineData("Vikunja__Certificate=abc", "Vikunja:Certificate must be")]
    [InlineData("APP_VIKUNJA__TOKEN=two words", "Vikunja:Token (APP_VIKUNJA__TOKEN) must be")]
    [InlineData("Vikunja__TimeZone=Mars", "an IANA name such as")]
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
        Upstream.CheckCertificateAsync("Vikunja", "vikunja_list_labels");

    [Fact]
    public async Task Unconfigured_it_is_not_listed()
    {
        await using var server = TestServer.Start();

        await server.FailAsync(404, "vikunja_list_projects");
    }
}
