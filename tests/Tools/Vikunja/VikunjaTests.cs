using System.Net.Http.Headers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MinimalMcp.Tests.Tools.Vikunja;

/// <summary>
/// What a model does with tasks: on the stand-in, and on a real Vikunja when E2E_VIKUNJA_URL and E2E_VIKUNJA_KEY are
/// set.
/// </summary>
public sealed class VikunjaTests
{
    public static TheoryData<string> Systems =>
        Environment.GetEnvironmentVariable("E2E_VIKUNJA_URL") is { Length: > 0 }
            ? ["v1.1.0", "v2.5.0", "real"]
            : ["v1.1.0", "v2.5.0"];

    [Theory, MemberData(nameof(Systems))]
    public async Task A_task_is_created_read_changed_done_opened_again_and_deleted(string system)
    {
        await using var work = await WorkAsync(system);
        var created = await work.CallAsync(
            "vikunja_create_task",
            new
            {
                project_id = work.Project,
                title = "Order filters",
                description = "Two of them",
                priority = 3,
                due_date = "2026-02-01T12:00:00+01:00",
            }
        );
        var task = created.GetProperty("id").GetInt64();
        Assert.Equal(DateTimeOffset.Parse("2026-02-01T11:00:00Z"), created.GetProperty("dueDate").GetDateTimeOffset());

        var changed = await work.CallAsync(
            "vikunja_update_task",
            new
            {
                project_id = work.Project,
                task_id = task,
                title = "Order three filters",
                done = true,
                priority = 0,
            }
        );
        Assert.Equal(
            ("Order three filters", true, false),
            (
                changed.GetProperty("title").GetString(),
                changed.GetProperty("done").GetBoolean(),
                changed.TryGetProperty("priority", out _)
            )
        );
        Assert.Contains("Two of them", changed.GetProperty("description").GetString());
        Assert.Equal(
            created.GetProperty("dueDate").GetDateTimeOffset(),
            changed.GetProperty("dueDate").GetDateTimeOffset()
        );

        var opened = await work.CallAsync(
            "vikunja_update_task",
            new
            {
                project_id = work.Project,
                task_id = task,
                done = false,
                description = "",
                due_date = "none",
            }
        );
        Assert.Equal(
            (false, false),
            (opened.GetProperty("done").GetBoolean(), opened.TryGetProperty("dueDate", out _))
        );

        Assert.Equal(
            "Order three filters",
            (await work.CallAsync("vikunja_delete_task", new { project_id = work.Project, task_id = task }))
                .GetProperty("title")
                .GetString()
        );
        Assert.Contains(
            "It may have been deleted",
            await work.Server.FailAsync(422, "vikunja_get_task", new { project_id = work.Project, task_id = task })
        );
    }

    [Theory, MemberData(nameof(Systems))]
    public async Task A_change_loses_no_assignee_no_reminder_no_label_and_no_field(string system)
    {
        await using var work = await WorkAsync(system);
        var task = (await work.CallAsync("vikunja_create_task", new { project_id = work.Project, title = "Rich" }))
            .GetProperty("id")
            .GetInt64();
        var raw = await work.RawAsync(HttpMethod.Get, $"tasks/{task}");
        foreach (
            var (name, value) in new JsonObject
            {
                ["description"] = "<p>before <b>Friday</b></p>",
                ["due_date"] = "2026-02-01T12:00:00Z",
                ["start_date"] = "2026-01-01T12:00:00Z",
                ["end_date"] = "2026-03-01T12:00:00Z",
                ["priority"] = 4,
                ["percent_done"] = 0.25,
                ["hex_color"] = "ff0000",
                ["is_favorite"] = true,
                ["reminders"] = new JsonArray(
                    new JsonObject
                    {
                        ["reminder"] = "2026-01-31T12:00:00Z",
                        ["relative_period"] = -86400,
                        ["relative_to"] = "due_date",
                    }
                ),
                ["assignees"] = new JsonArray(raw["created_by"]!.DeepClone()),
            }
        )
        {
            raw[name] = value?.DeepClone();
        }

        await work.RawAsync(HttpMethod.Post, $"tasks/{task}", raw);
        var before = await work.RawAsync(HttpMethod.Get, $"tasks/{task}");

        var told = await work.CallAsync(
            "vikunja_update_task",
            new
            {
                project_id = work.Project,
                task_id = task,
                title = "Richer",
                priority = 5,
            }
        );

        var after = await work.RawAsync(HttpMethod.Get, $"tasks/{task}");
        Assert.False(told.TryGetProperty("note", out var note), note.ToString());
        Assert.Equal(("Richer", 5), ((string?)after["title"], (int)after["priority"]!));
        foreach (
            var name in (string[])
                [
                    "description",
                    "due_date",
                    "start_date",
                    "end_date",
                    "percent_done",
                    "hex_color",
                    "is_favorite",
                    "done",
                    "repeat_after",
                ]
        )
        {
            Assert.Equal(before[name]?.ToJsonString(), after[name]?.ToJsonString());
        }

        Assert.Equal((1, 1), (after["assignees"]!.AsArray().Count, after["reminders"]!.AsArray().Count));
    }

    [Theory, MemberData(nameof(Systems))]
    public async Task Lists_go_on_past_the_first_page(string system)
    {
        await using var work = await WorkAsync(system);
        for (var number = 1; number <= 53; number++)
        {
            await work.RawAsync(
                HttpMethod.Put,
                $"projects/{work.Project}/tasks",
                new JsonObject { ["title"] = $"Task {number}" }
            );
        }

        var all = await work.CallAsync("vikunja_list_tasks", new { project_id = work.Project });
        var some = await work.CallAsync("vikunja_list_tasks", new { project_id = work.Project, limit = 52 });
        var done = await work.CallAsync("vikunja_list_tasks", new { project_id = work.Project, done = true });

        Assert.Equal((53, false), (all.GetProperty("tasks").GetArrayLength(), all.TryGetProperty("note", out _)));
        Assert.Equal(52, some.GetProperty("tasks").GetArrayLength());
        Assert.Contains("There are more", some.GetProperty("note").GetString());
        Assert.Empty(done.GetProperty("tasks").EnumerateArray());
    }

    [Theory, MemberData(nameof(Systems))]
    public async Task A_task_is_found_commented_on_assigned_and_taken_away(string system)
    {
        await using var work = await WorkAsync(system);
        var word = "w" + Guid.NewGuid().ToString("N")[..10];
        var task = (
            await work.CallAsync("vikunja_create_task", new { project_id = work.Project, title = $"The {word} house" })
        )
            .GetProperty("id")
            .GetInt64();

        Assert.Equal(
            task,
            Assert
                .Single(
                    (await work.CallAsync("vikunja_search_tasks", new { query = word }))
                        .GetProperty("tasks")
                        .EnumerateArray()
                )
                .GetProperty("id")
                .GetInt64()
        );

        await work.CallAsync("vikunja_add_comment", new { task_id = task, comment = "Seen." });
        Assert.Contains(
            "Seen.",
            Assert
                .Single(
                    (await work.CallAsync("vikunja_list_comments", new { task_id = task }))
                        .GetProperty("comments")
                        .EnumerateArray()
                )
                .GetProperty("comment")
                .GetString()
        );

        var me = (string)(await work.RawAsync(HttpMethod.Get, $"tasks/{task}"))["created_by"]!["username"]!;
        Assert.Equal(
            [me],
            (await work.CallAsync("vikunja_assign", new { task_id = task, user = me }))
                .GetProperty("assignees")
                .EnumerateArray()
                .Select(name => name.GetString())
        );
        Assert.Contains(
            "already",
            (await work.CallAsync("vikunja_assign", new { task_id = task, user = me })).GetProperty("note").GetString()
        );
        Assert.False(
            (await work.CallAsync("vikunja_unassign", new { task_id = task, user = me })).TryGetProperty(
                "assignees",
                out _
            )
        );
        Assert.Contains(
            "is not an assignee",
            await work.Server.FailAsync(422, "vikunja_unassign", new { task_id = task, user = me })
        );
        Assert.Contains(
            "can see the project",
            await work.Server.FailAsync(422, "vikunja_assign", new { task_id = task, user = "nobody-" + word })
        );
    }

    private static async Task<Work> WorkAsync(string system)
    {
        var board = system == "real" ? null : await Board.StartAsync();
        if (board is not null)
        {
            board.Version = system;
        }

        var (url, key) = board is not null
            ? (board.Url, Board.Token)
            : (
                Environment.GetEnvironmentVariable("E2E_VIKUNJA_URL")!,
                Environment.GetEnvironmentVariable("E2E_VIKUNJA_KEY")!
            );
        var server = TestServer.Start(("Vikunja:Url", url), ("Vikunja:Token", key));
        var project = (await server.CallAsync("vikunja_create_project", new { title = $"Test {Guid.NewGuid():N}" }))
            .GetProperty("id")
            .GetInt64();
        return new(server, board, project, url, key);
    }

    /// <summary>
    /// A project of the test's own, which is deleted at the end, and what only the test may ask of Vikunja itself.
    /// </summary>
    private sealed class Work(TestServer server, Board? board, long project, string url, string key) : IAsyncDisposable
    {
        private static readonly JsonSerializerOptions AsSent = new()
        {
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };

        private readonly HttpClient _http = new()
        {
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", key) },
        };

        public TestServer Server => server;

        public long Project => project;

        public Task<JsonElement> CallAsync(string tool, object arguments) => server.CallAsync(tool, arguments);

        public async Task<JsonObject> RawAsync(HttpMethod method, string path, JsonObject? body = null)
        {
            using var request = new HttpRequestMessage(method, $"{url.TrimEnd('/')}/api/v1/{path}")
            {
                Content = body is null
                    ? null
                    : new StringContent(body.ToJsonString(AsSent), Encoding.UTF8, "application/json"),
            };
            using var response = await _http.SendAsync(request, TestContext.Current.CancellationToken);
            var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.True(response.IsSuccessStatusCode, $"{method} {path}: {text}");
            return JsonNode.Parse(text)!.AsObject();
        }

        public async ValueTask DisposeAsync()
        {
            if (board is null)
            {
                await RawAsync(HttpMethod.Delete, $"projects/{project}");
            }

            _http.Dispose();
            await server.DisposeAsync();
            if (board is not null)
            {
                await board.DisposeAsync();
            }
        }
    }
}
