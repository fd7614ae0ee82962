using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Vikunja;

/// <summary>
/// Changes of tasks that lose nothing. POST /tasks/{id} sets every field that is not sent to its zero value, and takes away all assignees and
/// reminders; /tasks/bulk does the latter too. So the whole task is read, changed, sent and compared.
/// </summary>
public sealed class VikunjaTasks(VikunjaClient vikunja)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    // What a change must leave alone unless it was asked for, and by what its members are told apart.
    private static readonly string[] Fields =
    [
        "title",
        "description",
        "done",
        "priority",
        "due_date",
        "start_date",
        "end_date",
        "repeat_after",
        "repeat_mode",
        "hex_color",
        "percent_done",
        "is_favorite",
        "cover_image_attachment_id",
        "project_id",
    ];

    private static readonly (string Name, string Key)[] Lists =
    [
        ("assignees", "id"),
        ("labels", "id"),
        ("reminders", ""),
    ];

    public Task<JsonObject> ReadAsync(long task, CancellationToken ct) =>
        vikunja.SendAsync(HttpMethod.Get, $"tasks/{task}", "tasks: read_one", ct);

    /// <summary>A task of that project, and no other: a number that was confused must not change something else.</summary>
    public async Task<JsonObject> ReadAsync(long project, long task, CancellationToken ct)
    {
        var found = await ReadAsync(task, ct);
        return VikunjaClient.Number(found, "project_id") is var actual && actual == project
            ? found
            : throw new McpException(
                $"Task {task} (\"{VikunjaClient.Text(found, "title")}\") is in project {actual} and not in {project}. "
                    + $"Nothing was changed; if you mean this task, call again with project_id {actual}."
            );
    }

    public async Task<VikunjaTask> UpdateAsync(long project, long task, JsonObject changes, CancellationToken ct)
    {
        var before = await ReadAsync(project, task, ct);
        if (!await vikunja.TryPatchAsync($"tasks/{task}", (JsonObject)changes.DeepClone(), "tasks: update", ct))
        {
            var whole = (JsonObject)before.DeepClone();
            foreach (var (name, value) in changes)
            {
                whole[name] = value?.DeepClone();
            }

            await vikunja.SendAsync(HttpMethod.Post, $"tasks/{task}", "tasks: update", ct, whole);
        }

        return Compared(before, await ReadAsync(task, ct), changes);
    }

    /// <summary>The task after something was added to it or taken from it, if it is so.</summary>
    public async Task<VikunjaTask> AfterAsync(long task, string list, long member, bool there, CancellationToken ct)
    {
        var after = await ReadAsync(task, ct);
        return Members(after, list, "id").Contains(member.ToString()) == there
            ? Show(after)
            : throw new HttpRequestException(
                $"Vikunja answered as if it were done, but the {list} of task {task} are as before. Look at the task, and ask the operator."
            );
    }

    public VikunjaTask Show(JsonObject raw, bool whole = true, string? note = null)
    {
        var task = Read<RawTask>(raw);
        return new(task.Id, task.Title ?? "", task.Done, task.ProjectId, vikunja.LinkTo($"tasks/{task.Id}"))
        {
            Identifier = task.Identifier is { Length: > 0 } identifier ? identifier : null,
            Priority = task.Priority > 0 ? task.Priority : null,
            DueDate = Date(task.DueDate),
            Labels = Names(task.Labels?.Select(label => label?.Title)),
            Assignees = Names(task.Assignees?.Select(user => user?.Username)),
            Description = whole ? task.Description : null,
            PercentDone = whole && task.PercentDone > 0 ? task.PercentDone : null,
            Reminders = whole && task.Reminders is { Length: > 0 } reminders ? reminders.Length : null,
            Repeats = whole && IsRepeating(raw) ? true : null,
            Created = whole ? Date(task.Created) : null,
            Updated = whole ? Date(task.Updated) : null,
            Note = note,
        };
    }

    public VikunjaProject ShowProject(JsonObject raw)
    {
        var project = Read<RawProject>(raw);
        return new(project.Id, project.Title ?? "", vikunja.LinkTo($"projects/{project.Id}"))
        {
            Description = project.Description is { Length: > 0 } description ? description : null,
            Identifier = project.Identifier is { Length: > 0 } identifier ? identifier : null,
            ParentProjectId = project.ParentProjectId > 0 ? project.ParentProjectId : null,
            IsArchived = project.IsArchived ? true : null,
            Access = raw["max_permission"]?.ToString() switch
            {
                "0" => "read",
                "1" => "write",
                "2" => "admin",
                _ => null,
            },
            Created = Date(project.Created),
            Updated = Date(project.Updated),
            Note =
                project.Id < 0
                    ? "Not a real project but a view of tasks (favourites, or a saved filter): its tasks can be listed, but none can be created in it."
                    : null,
        };
    }

    /// <summary>What Vikunja sent, if it is what its API says.</summary>
    public static T Read<T>(JsonObject raw)
    {
        try
        {
            return VikunjaClient.Number(raw, "id") != 0 && raw.Deserialize<T>(Json) is { } read
                ? read
                : throw new JsonException();
        }
        catch (JsonException)
        {
            throw VikunjaFailure.Unreadable(HttpMethod.Get);
        }
    }

    private VikunjaTask Compared(JsonObject before, JsonObject after, JsonObject changes)
    {
        var moved =
            IsRepeating(before)
            && changes["done"]?.GetValueKind() is JsonValueKind.True
            && after["done"]?.GetValueKind() is JsonValueKind.False;
        string[] movedFields = moved ? ["done", "due_date", "start_date", "end_date"] : [];
        var asked = changes.Where(change => change.Key != "description" && !movedFields.Contains(change.Key)); // Vikunja cleans the HTML of a description
        var missed = asked
            .Where(change => !Same(change.Value, after[change.Key]))
            .Select(change => change.Key)
            .ToArray();
        if (missed.Length > 0)
        {
            throw new HttpRequestException(
                $"Vikunja answered as if it were done, but {string.Join(" and ", missed)} of task {VikunjaClient.Number(after, "id")} did not change. Ask the operator."
            );
        }

        var lost = Fields
            .Where(field =>
                !changes.ContainsKey(field) && !movedFields.Contains(field) && !Same(before[field], after[field])
            )
            .Concat(
                Lists
                    .Where(list => !Members(before, list.Name, list.Key).SetEquals(Members(after, list.Name, list.Key)))
                    .Select(list => list.Name)
            )
            .ToArray();
        string?[] notes =
        [
            moved
                ? "The task repeats: Vikunja counted it as done, moved it to its next date and left it open. That is as it should be."
                : null,
            lost.Length > 0
                ? $"Look at it: {string.Join(", ", lost)} changed too, which was not asked for. Somebody else may have edited the task at the same time."
                : null,
        ];
        return Show(
            after,
            note: string.Join(' ', notes.Where(note => note is not null)) is { Length: > 0 } note ? note : null
        );
    }

    // 0 counts seconds and 2 counts from the day it was done, when there are any; 1 is every month.
    private static bool IsRepeating(JsonObject task) =>
        VikunjaClient.Number(task, "repeat_after") > 0 || VikunjaClient.Number(task, "repeat_mode") == 1;

    // Reminders have no id, and move with the date that they belong to: how many there are must stay.
    private static HashSet<string> Members(JsonObject task, string list, string key) =>
        task[list] is not JsonArray members
            ? []
            :
            [
                .. members.Select(
                    (member, position) => key.Length == 0 ? $"#{position}" : member?[key]?.ToString() ?? ""
                ),
            ];

    private static bool Same(JsonNode? one, JsonNode? other) =>
        JsonNode.DeepEquals(one, other)
        || (
            DateTimeOffset.TryParse(one?.ToString(), out var before)
            && DateTimeOffset.TryParse(other?.ToString(), out var after)
            && before == after
        )
        || (IsNothing(one) && IsNothing(other));

    private static bool IsNothing(JsonNode? value) =>
        value is null || value.ToJsonString() is "\"\"" or "0" or "false" or "\"0001-01-01T00:00:00Z\"";

    // Vikunja writes the year 1 for "none".
    private static DateTimeOffset? Date(DateTimeOffset? date) => date?.Year > 1 ? date : null;

    private static string[]? Names(IEnumerable<string?>? names) =>
        names?.OfType<string>().ToArray() is { Length: > 0 } some ? some : null;
}
