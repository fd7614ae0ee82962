using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace MinimalMcp.Tests.Tools.Vikunja;

/// <summary>
/// A Vikunja server on loopback that answers as the recordings of 2.5 do, in a zone that is not UTC: PUT creates and
/// POST updates, pages are clamped, POST of a task resets what is not sent and removes assignees and reminders, a token
/// without a permission gets 401, only v2 can patch, and a patch is a read and a write with time between them.
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

    // The names of fields in the filter language of the API; its web pages write others.
    private static readonly string[] FilterFields =
    [
        "done",
        "priority",
        "percent_done",
        "due_date",
        "start_date",
        "end_date",
        "done_at",
        "created",
        "updated",
        "reminders",
        "assignees",
        "labels",
        "project",
        "project_id",
        "title",
        "description",
        "id",
    ];

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

    /// <summary>Sent with each answer, such as Retry-After.</summary>
    public (string Name, string Value)? Header { get; set; }

    /// <summary>Only the requests whose line has this get the fault.</summary>
    public string FaultOf { get; set; } = "";

    /// <summary>From which request on that changes something the fault is there.</summary>
    public bool FaultAfterChange { get; set; }

    private bool _isChanged;

    /// <summary>A route that the token has no permission for: "POST /tasks/", or with $ at its end.</summary>
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
            _labels[3] = Label(3, "infra");
            _labels[5] = Label(5, "urgent");
            var rich = AddTask(12, 2, "Rotate certs");
            (
                rich["description"],
                rich["due_date"],
                rich["priority"],
                rich["percent_done"],
                rich["is_favorite"],
                rich["hex_color"]
            ) = ("<p>before <b>Friday</b></p>", "2026-02-01T13:00:00+01:00", 4, 0.25, true, "ff0000");
            rich["reminders"] = new JsonArray(
                new JsonObject
                {
                    ["reminder"] = "2026-01-31T13:00:00+01:00",
                    ["relative_period"] = -86400,
                    ["relative_to"] = "due_date",
                }
            );
            rich["assignees"] = new JsonArray(User(1, "ops"), User(2, "ann"));
            rich["labels"] = new JsonArray(_labels[3].DeepClone());
            AddTask(13, 2, "Buy cable")["labels"] = null;
            AddTask(14, 3, "Water the plants")["repeat_after"] = 604800L;
            AddTask(20, 9, "Secret plan");
            _comments[12] = [Comment(1, "<p>Which host?</p>", 2, "ann")];
            _isChanged = false;
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
            ["identifier"] = (string?)_projects.GetValueOrDefault(project)?["identifier"] is { Length: > 0 } prefix
                ? $"{prefix}-{id}"
                : $"#{id}",
            ["index"] = id,
            ["related_tasks"] = new JsonObject(),
            ["attachments"] = null,
            ["cover_image_attachment_id"] = 0,
            ["is_favorite"] = false,
            ["created"] = "2026-01-03T01:00:00+01:00",
            ["updated"] = "2026-01-04T01:00:00+01:00",
            ["bucket_id"] = 0,
            ["position"] = 0,
            ["reactions"] = null,
            ["created_by"] = User(1, "ops"),
        };

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    public JsonObject AddProject(long id, string title, string identifier = "") =>
        _projects[id] = new()
        {
            ["id"] = id,
            ["title"] = title,
            ["description"] = "",
            ["identifier"] = identifier,
            ["hex_color"] = "",
            ["parent_project_id"] = 0L,
            ["owner"] = User(1, "ops"),
            ["is_archived"] = false,
            ["background_information"] = null,
            ["background_blur_hash"] = "",
            ["is_favorite"] = false,
            ["position"] = 0,
            ["views"] = new JsonArray(),
            ["max_permission"] = 0, // for everybody; the header is right
            ["created"] = "2026-01-01T01:00:00+01:00",
            ["updated"] = "2026-01-02T01:00:00+01:00",
        };

    private static JsonObject Label(long id, string title) =>
        new()
        {
            ["id"] = id,
            ["title"] = title,
            ["description"] = "",
            ["hex_color"] = "ff0000",
            ["created_by"] = User(1, "ops"),
            ["created"] = "2026-01-01T01:00:00+01:00",
            ["updated"] = "2026-01-01T01:00:00+01:00",
        };

    private static JsonObject User(long id, string name) =>
        new()
        {
            ["id"] = id,
            ["name"] = "",
            ["username"] = name,
            ["created"] = "2026-01-01T01:00:00+01:00",
            ["updated"] = "2026-01-01T01:00:00+01:00",
        };

    private async Task ServeAsync(HttpContext http, Upstream.Question question)
    {
        var request = http.Request;
        if (Header is { } header)
        {
            http.Response.Headers[header.Name] = header.Value;
        }

        if (
            Fault is { } fault
            && (fault.Method ?? request.Method) == request.Method
            && question.Line.Contains(FaultOf, StringComparison.Ordinal)
            && (_isChanged || !FaultAfterChange)
        )
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
            || (Lacks is not null && (route + "$").Contains(Lacks, StringComparison.Ordinal))
        )
        {
            (status, body) = (401, Error(11, "missing, malformed, expired or otherwise invalid token provided"));
        }
        else if (question.Body.Contains("\\u002B", StringComparison.OrdinalIgnoreCase))
        {
            // Go's parser of times does not unescape.
            (status, body) = (400, Error(2004, "Invalid model provided: Bad Request"));
        }
        else
        {
            var sent = question.Body.Length > 0 ? JsonNode.Parse(question.Body)!.AsObject() : [];
            JsonObject? before = null;
            if (route.StartsWith("PATCH", StringComparison.Ordinal))
            {
                // The server reads the task, and writes the whole of it somewhat later.
                lock (_gate)
                {
                    before = _tasks.GetValueOrDefault(long.Parse(route.Split('/')[^1]))?.DeepClone().AsObject();
                }

                await System.Threading.Tasks.Task.Delay(10, http.RequestAborted);
            }

            lock (_gate)
            {
                (status, body) = Answer(http, route, sent, before);
            }
        }

        _isChanged |= request.Method != "GET";
        if (status == 304)
        {
            http.Response.StatusCode = status;
            return;
        }

        await WriteAsync(http, status, body?.ToJsonString() ?? "null", "application/json");
    }

    private (int, JsonNode?) Answer(HttpContext http, string route, JsonObject body, JsonObject? before)
    {
        var parts = route.Split('/', ' ').Where(part => part.Length > 0).ToArray();
        return parts switch
        {
            ["GET", "v1", "projects"] => Projects(http),
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
            ["PATCH", "v2", "tasks", var id] when IsV2 => Patch(http, _tasks[long.Parse(id)], body, before),
            ["GET", "v1", "tasks", var id, "comments"] => List(http, Comments(id)),
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

    private static (int, JsonNode?) Patch(HttpContext http, JsonObject task, JsonObject body, JsonObject? before)
    {
        if (http.Request.ContentType?.StartsWith("application/merge-patch+json", StringComparison.Ordinal) is not true)
        {
            return (415, Error(0, "Unsupported Media Type"));
        }

        // Nothing changes: 304 without a body.
        if (body.All(change => JsonNode.DeepEquals(before![change.Key], change.Value)))
        {
            return (304, null);
        }

        var (repeats, wasDone) = ((long)task["repeat_after"]!, (bool)task["done"]!);
        foreach (var (field, value) in before!)
        {
            task[field] = (body.ContainsKey(field) ? body[field] : value)?.DeepClone();
        }

        Settle(task, repeats, wasDone);
        return (200, task.DeepClone());
    }

    // A repeating task that is done is open again at its next date, with a new checklist.
    private static void Settle(JsonObject task, long repeats, bool wasDone)
    {
        if (repeats > 0 && !wasDone && (bool)task["done"]!)
        {
            (task["done"], task["due_date"]) = (false, "2026-02-08T13:00:00+01:00");
            task["description"] = ((string)task["description"]!).Replace(
                "data-checked=\"true\"",
                "data-checked=\"false\"",
                StringComparison.Ordinal
            );
        }
    }

    private (int, JsonNode?) AddComment(string task, JsonObject body)
    {
        var comment = Comment(++_next, (string)body["comment"]!, 1, "ops");
        Comments(task).Add(comment);
        return (201, comment.DeepClone());
    }

    public void AddComments(long task, int count)
    {
        for (var number = 0; number < count; number++)
        {
            Comments($"{task}").Add(Comment(++_next, $"<p>Comment {number}</p>", 2, "ann"));
        }
    }

    private static JsonObject Comment(long id, string text, long author, string name) =>
        new()
        {
            ["id"] = id,
            ["comment"] = text,
            ["author"] = User(author, name),
            ["reactions"] = null,
            ["created"] = "2026-01-04T01:00:00+01:00",
            ["updated"] = "2026-01-04T01:00:00+01:00",
        };

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

    // A search also finds the parts of a project that matches, before it. Views are on every page, whatever is
    // searched.
    private (int, JsonNode?) Projects(HttpContext http)
    {
        var (query, archived) = (http.Request.Query["s"].ToString(), http.Request.Query["is_archived"] == "true");
        var real = _projects
            .Values.Where(project => (long)project["id"]! > 0 && ((bool?)project["is_archived"] is false || archived))
            .ToArray();
        var found = real.Where(project =>
                IsIn(project, query) || (query.Length > 0 && Parents(project).Any(parent => IsIn(parent, query)))
            )
            .OrderBy(project => IsIn(project, query))
            .ToArray();
        var (_, page) = List(http, found, isSearched: false);
        return (200, new JsonArray([.. page!.AsArray().Select(one => one!.DeepClone()), _projects[-1].DeepClone()]));

        static bool IsIn(JsonObject project, string query) =>
            ((string)project["title"]!).Contains(query, StringComparison.OrdinalIgnoreCase);

        IEnumerable<JsonObject> Parents(JsonObject project)
        {
            for (
                var parent = _projects.GetValueOrDefault((long)project["parent_project_id"]!);
                parent is not null;
                parent = _projects.GetValueOrDefault((long)parent["parent_project_id"]!)
            )
            {
                yield return parent;
            }
        }
    }

    private (int, JsonNode?) List(HttpContext http, IEnumerable<JsonObject> items, bool isSearched = true)
    {
        var query = http.Request.Query;
        if (
            Fields()
                .Matches(query["filter"].ToString())
                .FirstOrDefault(field => !FilterFields.Contains(field.Groups[1].Value)) is
            { } wrong
        )
        {
            return (400, Error(4016, $"The task field '{wrong.Groups[1].Value}' is invalid."));
        }

        var (page, size) = (
            int.TryParse(query["page"], out var number) ? number : 1,
            Math.Min(PerPage, int.TryParse(query["per_page"], out var asked) ? asked : PerPage)
        );
        var found = items
            .Where(item =>
                (
                    !isSearched
                    || $"{item["title"]}{item["comment"]}".Contains(
                        query["s"].ToString(),
                        StringComparison.OrdinalIgnoreCase
                    )
                )
                && (
                    !query["filter"].ToString().Contains("done = false", StringComparison.Ordinal)
                    || (bool?)item["done"] is false
                )
                && (
                    !query["filter"].ToString().Contains("done = true", StringComparison.Ordinal)
                    || (bool?)item["done"] is true
                )
            )
            .ToArray();
        if (isSearched)
        {
            found = [.. found.OrderBy(item => (long)item["id"]!)];
        }

        if (query["order_by"] == "desc")
        {
            Array.Reverse(found);
        }

        var shown = found.Skip((page - 1) * size).Take(size).ToArray();
        if (SaysPages)
        {
            http.Response.Headers["x-pagination-total-pages"] = $"{(found.Length + size - 1) / size}";
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

    [GeneratedRegex(@"([A-Za-z_]+) *(=|!=|>=?|<=?|like\b|in\b)")]
    private static partial Regex Fields();

    [GeneratedRegex(@"\d+\.\d+")]
    private static partial Regex Digits();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")]
    private static partial Regex Rfc3339();
}
