using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace MinimalMcp.Tests.Tools.Vikunja;

/// <summary>
/// A Vikunja server on loopback that keeps the rules of the real one: PUT creates and POST updates, pages are clamped, POST of a task
/// resets what is not sent and takes assignees and reminders away, a token without a scope gets 401, and only v2 can patch.
/// </summary>
internal sealed partial class Board : IAsyncDisposable
{
    public const string Token = "tk_board-token-0815",
        Prefix = "/vk",
        None = "0001-01-01T00:00:00Z";

    // What POST /tasks/{id} sets to nothing when it is not sent.
    private static readonly Dictionary<string, Func<JsonNode?>> Reset = new()
    {
        ["description"] = () => "",
        ["done"] = () => false,
        ["due_date"] = () => None,
        ["repeat_after"] = () => 0L,
        ["repeat_mode"] = () => 0,
        ["priority"] = () => 0,
        ["start_date"] = () => None,
        ["end_date"] = () => None,
        ["hex_color"] = () => "",
        ["percent_done"] = () => 0,
        ["is_favorite"] = () => false,
        ["cover_image_attachment_id"] = () => 0,
        ["assignees"] = () => null,
        ["reminders"] = () => null,
    };

    private readonly Upstream _upstream;
    private readonly Lock _gate = new();
    private readonly Dictionary<long, JsonObject> _projects = [],
        _tasks = [],
        _labels = [];
    private readonly Dictionary<long, List<JsonObject>> _comments = [];
    private readonly JsonObject[] _users = [User(1, "ops"), User(2, "ann"), User(3, "bob")];
    private long _next;

    private Board(Upstream upstream)
    {
        _upstream = upstream;
        upstream.Serve = ServeAsync;
        Renew();
    }

    public string Url => _upstream.Url + Prefix;

    public (string, string)[] Settings => [("Vikunja:Url", Url), ("Vikunja:Token", Token)];

    public ConcurrentQueue<Upstream.Question> Asked => _upstream.Asked;

    public string Version { get; set; } = "v1.1.0";

    public int PerPage { get; set; } = 50;

    public bool SaysPages { get; set; } = true;

    /// <summary>A route that the token has no scope for: "POST /tasks/".</summary>
    public string? Lacks { get; set; }

    /// <summary>Answers this instead, to requests of the method or to all.</summary>
    public (string? Method, int Status, string Body, string Type)? Fault { get; set; }

    /// <summary>Says that it changed a task, and does not.</summary>
    public bool Forgets { get; set; }

    /// <summary>Somebody takes the assignees and a reminder away while a task is changed.</summary>
    public bool IsBusy { get; set; }

    public static async Task<Board> StartAsync() => new(await Upstream.StartAsync());

    public JsonObject Task(long id) => _tasks[id];

    public bool Has(long task) => _tasks.ContainsKey(task);

    /// <summary>The board as every test finds it.</summary>
    public void Renew()
    {
        lock (_gate)
        {
            _projects.Clear();
            _tasks.Clear();
            _comments.Clear();
            _next = 100;
            AddProject(-1, "Favorites");
            AddProject(2, "Ops", "OPS");
            AddProject(3, "House");
            AddProject(4, "Old times")["is_archived"] = true;
            AddProject(9, "Board of directors");
            _labels[3] = new() { ["id"] = 3L, ["title"] = "infra" };
            _labels[5] = new() { ["id"] = 5L, ["title"] = "urgent" };
            var rich = AddTask(12, 2, "Rotate certs");
            (
                rich["description"],
                rich["due_date"],
                rich["priority"],
                rich["percent_done"],
                rich["is_favorite"],
                rich["hex_color"]
            ) = ("<p>before <b>Friday</b></p>", "2026-02-01T12:00:00Z", 4, 0.25, true, "ff0000");
            rich["reminders"] = new JsonArray(
                new JsonObject
                {
                    ["reminder"] = "2026-01-31T12:00:00Z",
                    ["relative_period"] = -86400,
                    ["relative_to"] = "due_date",
                }
            );
            rich["assignees"] = new JsonArray(User(1, "ops"), User(2, "ann"));
            rich["labels"] = new JsonArray(_labels[3].DeepClone());
            AddTask(13, 2, "Buy cable")["labels"] = null;
            AddTask(14, 3, "Water the plants")["repeat_after"] = 604800L;
            AddTask(20, 9, "Secret plan");
            _comments[12] =
            [
                new()
                {
                    ["id"] = 1,
                    ["comment"] = "<p>Which host?</p>",
                    ["author"] = User(2, "ann"),
                    ["created"] = "2026-01-04T00:00:00Z",
                },
            ];
        }
    }

    public JsonObject AddTask(long id, long project, string title) =>
        _tasks[id] = new()
        {
            ["id"] = id,
            ["title"] = title,
            ["description"] = "",
            ["done"] = false,
            ["done_at"] = None,
            ["due_date"] = None,
            ["reminders"] = null,
            ["project_id"] = project,
            ["repeat_after"] = 0L,
            ["repeat_mode"] = 0,
            ["priority"] = 0,
            ["start_date"] = None,
            ["end_date"] = None,
            ["assignees"] = null,
            ["labels"] = null,
            ["hex_color"] = "",
            ["percent_done"] = 0,
            ["identifier"] = $"{(string?)_projects.GetValueOrDefault(project)?["identifier"]}-{id}",
            ["index"] = id,
            ["related_tasks"] = new JsonObject(),
            ["cover_image_attachment_id"] = 0,
            ["is_favorite"] = false,
            ["created"] = "2026-01-03T00:00:00Z",
            ["updated"] = "2026-01-04T00:00:00Z",
            ["created_by"] = User(1, "ops"),
        };

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    private JsonObject AddProject(long id, string title, string identifier = "") =>
        _projects[id] = new()
        {
            ["id"] = id,
            ["title"] = title,
            ["description"] = "",
            ["identifier"] = identifier,
            ["parent_project_id"] = 0,
            ["is_archived"] = false,
            ["created"] = "2026-01-01T00:00:00Z",
            ["updated"] = "2026-01-02T00:00:00Z",
        };

    private static JsonObject User(long id, string name) =>
        new()
        {
            ["id"] = id,
            ["name"] = "",
            ["username"] = name,
        };

    private async Task ServeAsync(HttpContext http, Upstream.Question question)
    {
        var request = http.Request;
        if (Fault is { } fault && (fault.Method ?? request.Method) == request.Method)
        {
            await WriteAsync(http, fault.Status, fault.Body, fault.Type);
            return;
        }

        var path = request.Path.Value!;
        if (!path.StartsWith(Prefix + "/api/v", StringComparison.Ordinal))
        {
            await WriteAsync(http, 200, "<!DOCTYPE html><html>Vikunja</html>", "text/html"); // the frontend
            return;
        }

        var route = $"{request.Method} {path[(Prefix + "/api").Length..]}";
        var (status, body) = (404, (JsonNode?)Error(0, "Not Found"));
        if (route == "GET /v1/info")
        {
            (status, body) = (200, new JsonObject { ["version"] = Version, ["max_items_per_page"] = PerPage });
        }
        else if (
            request.Headers.Authorization != "Bearer " + Token
            || (Lacks is not null && route.Contains(Lacks, StringComparison.Ordinal))
        )
        {
            (status, body) = (401, Error(11, "missing, malformed, expired or otherwise invalid token provided"));
        }
        else
        {
            lock (_gate)
            {
                (status, body) = Answer(
                    http,
                    route,
                    question.Body.Length > 0 ? JsonNode.Parse(question.Body)!.AsObject() : []
                );
            }
        }

        await WriteAsync(http, status, body?.ToJsonString() ?? "null", "application/json");
    }

    private (int, JsonNode?) Answer(HttpContext http, string route, JsonObject body)
    {
        var parts = route.Split('/', ' ').Where(part => part.Length > 0).ToArray();
        return parts switch
        {
            ["GET", "v1", "projects"] => List(
                http,
                _projects.Values.Where(project =>
                    (bool?)project["is_archived"] is false || http.Request.Query["is_archived"] == "true"
                )
            ),
            ["PUT", "v1", "projects"] => Title(body) is { } title
                ? Created(
                    AddProject(++_next, title, (string?)body["identifier"] ?? ""),
                    body,
                    "description",
                    "parent_project_id"
                )
                : (412, Error(2002, "Invalid Data", "title")),
            [_, "v1", "projects"] => (405, Error(0, "Method Not Allowed")),
            [_, "v1", "projects", var id, ..] when Project(id) is var (status, error, _) && status != 200 => (
                status,
                error
            ),
            ["GET", "v1", "projects", var id] => Permitted(http, _projects[long.Parse(id)]),
            ["GET", "v1", "projects", var id, "tasks"] => List(
                http,
                _tasks.Values.Where(task => (long)task["project_id"]! == long.Parse(id))
            ),
            ["GET", "v1", "projects", _, "projectusers"] => (
                200,
                new JsonArray([
                    .. _users
                        .Where(user =>
                            ((string)user["username"]!).Contains(
                                http.Request.Query["s"].ToString(),
                                StringComparison.Ordinal
                            )
                        )
                        .Select(user => user.DeepClone()),
                ])
            ),
            ["PUT", "v1", "projects", var id, "tasks"] => CreateTask(long.Parse(id), body),
            ["GET", "v1", "tasks"] => List(http, _tasks.Values.Where(task => (long)task["project_id"]! != 9)),
            [_, _, "tasks", var id, ..] when Existing(id) is var (status, error) && status != 200 => (status, error),
            ["GET", "v1", "tasks", var id] => (200, _tasks[long.Parse(id)].DeepClone()),
            ["POST", "v1", "tasks", var id] => Overwrite(_tasks[long.Parse(id)], body),
            ["DELETE", "v1", "tasks", var id] => (
                _tasks.Remove(long.Parse(id)) ? 200 : 404,
                Error(0, "Successfully deleted.")
            ),
            ["PATCH", "v2", "tasks", var id] when IsV2 => Patch(http, _tasks[long.Parse(id)], body),
            ["GET", "v1", "tasks", var id, "comments"] => (
                200,
                new JsonArray([.. Comments(id).Select(comment => comment.DeepClone())])
            ),
            ["PUT", "v1", "tasks", var id, "comments"] => AddComment(id, body),
            ["GET", "v1", "labels"] => List(http, _labels.Values),
            ["PUT", "v1", "tasks", var id, "labels"] => Add(
                _tasks[long.Parse(id)],
                "labels",
                _labels.GetValueOrDefault((long?)body["label_id"] ?? 0),
                8002,
                "This label does not exist."
            ),
            ["DELETE", "v1", "tasks", var id, "labels", var label] => Remove(_tasks[long.Parse(id)], "labels", label),
            ["PUT", "v1", "tasks", var id, "assignees"] => Add(
                _tasks[long.Parse(id)],
                "assignees",
                _users.FirstOrDefault(user => (long)user["id"]! == (long?)body["user_id"]),
                1005,
                "The user does not exist."
            ),
            ["DELETE", "v1", "tasks", var id, "assignees", var user] => Remove(
                _tasks[long.Parse(id)],
                "assignees",
                user
            ),
            _ => (404, Error(0, "Not Found")), // also /projects/{p}/tasks/{t}, which v1 does not have
        };
    }

    private bool IsV2 =>
        System.Version.TryParse(Digits().Match(Version).Value, out var version) && version >= new Version(2, 4);

    private (int Status, JsonNode? Error, JsonObject? Project) Project(string id) =>
        !long.TryParse(id, out var number) || !_projects.TryGetValue(number, out var project)
            ? (404, Error(3001, "This project does not exist."), null)
        : number == 9 ? (403, Error(0, "Forbidden"), null)
        : (200, null, project);

    private (int, JsonNode?) Existing(string id) =>
        !long.TryParse(id, out var number) || !_tasks.TryGetValue(number, out var task)
            ? (404, Error(4002, "This task does not exist"))
        : (long)task["project_id"]! == 9 ? (403, Error(0, "Forbidden"))
        : (200, null);

    private (int, JsonNode?) CreateTask(long project, JsonObject body)
    {
        if (Title(body) is not { } title)
        {
            return (400, Error(4001, "You must provide at least a task title."));
        }

        if ((bool?)_projects[project]["is_archived"] is true || project < 0)
        {
            return project < 0
                ? (404, Error(3001, "This project does not exist."))
                : (412, Error(3008, "This project is archived. Editing or creating new tasks is not possible."));
        }

        return body["due_date"] is { } due && !Rfc3339().IsMatch((string)due!)
            ? (400, Error(0, "Invalid model provided"))
            : Created(AddTask(++_next, project, title), body, "description", "priority", "due_date");
    }

    private (int, JsonNode?) Overwrite(JsonObject task, JsonObject body)
    {
        if (!Forgets)
        {
            var (repeats, wasDone) = ((long)task["repeat_after"]!, (bool)task["done"]!);
            task["title"] = Title(body) ?? (string?)task["title"];
            foreach (var (field, none) in Reset)
            {
                task[field] = body.ContainsKey(field) ? body[field]?.DeepClone() : none();
            }

            Settle(task, repeats, wasDone);
            if (IsBusy)
            {
                (task["assignees"], task["reminders"]) = (null, null);
            }
        }

        return (200, task.DeepClone());
    }

    private static (int, JsonNode?) Patch(HttpContext http, JsonObject task, JsonObject body)
    {
        if (http.Request.ContentType?.StartsWith("application/merge-patch+json", StringComparison.Ordinal) is not true)
        {
            return (415, Error(0, "Unsupported Media Type"));
        }

        var (repeats, wasDone) = ((long)task["repeat_after"]!, (bool)task["done"]!);
        foreach (var (field, value) in body)
        {
            task[field] = value?.DeepClone();
        }

        Settle(task, repeats, wasDone);
        return (200, task.DeepClone());
    }

    // A repeating task that is done is open again at its next date.
    private static void Settle(JsonObject task, long repeats, bool wasDone)
    {
        if (repeats > 0 && !wasDone && (bool)task["done"]!)
        {
            (task["done"], task["due_date"]) = (false, "2026-02-08T12:00:00Z");
        }
    }

    private (int, JsonNode?) AddComment(string task, JsonObject body)
    {
        var comment = new JsonObject
        {
            ["id"] = ++_next,
            ["comment"] = (string?)body["comment"],
            ["author"] = User(1, "ops"),
            ["created"] = "2026-01-05T00:00:00Z",
        };
        Comments(task).Add(comment);
        return (201, comment.DeepClone());
    }

    private List<JsonObject> Comments(string task) =>
        _comments.TryGetValue(long.Parse(task), out var comments) ? comments : _comments[long.Parse(task)] = [];

    private (int, JsonNode?) Add(JsonObject task, string list, JsonObject? member, int code, string missing)
    {
        if (member is null)
        {
            return (404, Error(code, missing));
        }

        if (!Forgets)
        {
            task[list] = new JsonArray([
                .. (task[list] as JsonArray ?? []).Select(old => old!.DeepClone()),
                member.DeepClone(),
            ]);
        }

        return (201, new JsonObject { ["created"] = "2026-01-05T00:00:00Z" });
    }

    private static (int, JsonNode?) Remove(JsonObject task, string list, string id)
    {
        var members = task[list] as JsonArray ?? [];
        var member = members.FirstOrDefault(member => member!["id"]!.ToString() == id);
        return member is not null && members.Remove(member)
            ? (200, Error(0, "Successfully deleted."))
            : (404, Error(8001, "It is not on the task."));
    }

    private static (int, JsonNode?) Created(JsonObject item, JsonObject body, params string[] fields)
    {
        foreach (var field in fields.Where(body.ContainsKey))
        {
            item[field] = body[field]?.DeepClone();
        }

        return (201, item.DeepClone());
    }

    private (int, JsonNode?) List(HttpContext http, IEnumerable<JsonObject> items)
    {
        var query = http.Request.Query;
        var (page, size) = (
            int.TryParse(query["page"], out var number) ? number : 1,
            Math.Min(PerPage, int.TryParse(query["per_page"], out var asked) ? asked : PerPage)
        );
        var found = items
            .Where(item =>
                ((string)item["title"]!).Contains(query["s"].ToString(), StringComparison.OrdinalIgnoreCase)
                && (
                    !query["filter"].ToString().Contains("done = false", StringComparison.Ordinal)
                    || (bool?)item["done"] is false
                )
                && (
                    !query["filter"].ToString().Contains("done = true", StringComparison.Ordinal)
                    || (bool?)item["done"] is true
                )
            )
            .OrderBy(item => (long)item["id"]!)
            .ToArray();
        var shown = found.Skip((page - 1) * size).Take(size).ToArray();
        if (SaysPages)
        {
            http.Response.Headers["x-pagination-total-pages"] = $"{Math.Max(1, (found.Length + size - 1) / size)}";
            http.Response.Headers["x-pagination-result-count"] = $"{shown.Length}";
        }

        return (200, new JsonArray([.. shown.Select(item => item.DeepClone())]));
    }

    private static (int, JsonNode?) Permitted(HttpContext http, JsonObject project)
    {
        http.Response.Headers["x-max-permission"] = "1";
        return (200, project.DeepClone());
    }

    private static string? Title(JsonObject body) => (string?)body["title"] is { Length: > 0 } title ? title : null;

    private static JsonObject Error(int code, string message, params string[] fields)
    {
        var error = new JsonObject { ["message"] = message };
        if (code > 0)
        {
            error["code"] = code;
        }

        if (fields.Length > 0)
        {
            error["invalid_fields"] = new JsonArray([.. fields.Select(field => (JsonNode)field)]);
        }

        return error;
    }

    private static async Task WriteAsync(HttpContext http, int status, string body, string type)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = type;
        await http.Response.WriteAsync(body, http.RequestAborted);
    }

    [GeneratedRegex(@"\d+\.\d+")]
    private static partial Regex Digits();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")]
    private static partial Regex Rfc3339();
}
