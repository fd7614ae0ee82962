using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Vikunja;

/// <summary>Vikunja's API v1, whose verbs are unusual: PUT creates and POST updates. One method of v2 is used where there is one.</summary>
public sealed class VikunjaClient(IOptions<VikunjaOptions> options, IHttpClientFactory http, TimeProvider time)
    : IHealthCheck
{
    private const int PerPage = 50,
        MaxPages = 20; // of 50: servers silently give no more at once
    private static readonly TimeSpan VersionHolds = TimeSpan.FromMinutes(10);

    private readonly string _home = string.IsNullOrEmpty(options.Value.PublicUrl)
        ? VikunjaOptions.RootOf(options.Value.Url!)
        : options.Value.PublicUrl.TrimEnd('/');
    private (DateTimeOffset Until, Version? Version) _version;

    public TimeZoneInfo Zone { get; } = TimeZoneInfo.FindSystemTimeZoneById(options.Value.TimeZone);

    public string LinkTo(string page) => $"{_home}/{page}";

    /// <param name="scope">What a token needs for it, for the sentence of a refusal.</param>
    public async Task<JsonObject> SendAsync(
        HttpMethod method,
        string path,
        string scope,
        CancellationToken ct,
        JsonObject? body = null
    ) =>
        Read(await ExchangeAsync(method, "api/v1/" + path, body, "application/json", ct), method, scope) as JsonObject
        ?? throw VikunjaFailure.Unreadable(method);

    /// <summary>All items of a list, from as many of its pages as the limit and our bound allow; and whether there are more.</summary>
    public async Task<(IReadOnlyList<JsonObject> Items, bool More)> ListAsync(
        string path,
        string scope,
        int limit,
        CancellationToken ct,
        params (string Name, string? Value)[] query
    )
    {
        var items = new List<JsonObject>();
        var seen = new HashSet<long>();
        var words = string.Concat(
            query
                .Where(part => !string.IsNullOrWhiteSpace(part.Value))
                .Select(part => $"&{part.Name}={Uri.EscapeDataString(part.Value!)}")
        );
        for (var page = 1; page <= MaxPages; page++)
        {
            var answer = await ExchangeAsync(
                HttpMethod.Get,
                $"api/v1/{path}?page={page}&per_page={PerPage}{words}",
                null,
                "",
                ct
            );
            var fresh = ListIn(answer, scope)
                .OfType<JsonObject>()
                .Where(item => seen.Add(Number(item, "id")))
                .ToArray();
            items.AddRange(fresh.Take(limit - items.Count));
            if (items.Count < seen.Count || items.Count == limit)
            {
                return (items, items.Count < seen.Count || answer.TotalPages > page);
            }

            // Without the header, the end is a page that brings nothing new: how many fit on one is the server's decision.
            if (answer.TotalPages is { } total ? page >= total : fresh.Length == 0)
            {
                return (items, false);
            }
        }

        return (items, true);
    }

    /// <summary>A list that has no pages.</summary>
    public async Task<JsonArray> AllAsync(string path, string scope, CancellationToken ct) =>
        ListIn(await ExchangeAsync(HttpMethod.Get, "api/v1/" + path, null, "", ct), scope);

    /// <summary>v2 changes the named fields alone. False when this server, or this token, has no v2: nothing was changed then.</summary>
    public async Task<bool> TryPatchAsync(string path, JsonObject changes, string scope, CancellationToken ct)
    {
        if (!(await VersionAsync(ct) >= new Version(2, 4)))
        {
            return false;
        }

        var answer = await ExchangeAsync(
            HttpMethod.Patch,
            "api/v2/" + path,
            changes,
            "application/merge-patch+json",
            ct
        );
        if (
            (int)answer.Status is 401 or 403 or 404 or 405 or 415 or 501
            || (answer.IsSuccess && answer.Text.AsSpan().TrimStart().StartsWith('<'))
        )
        {
            return false;
        }

        _ = Read(answer, HttpMethod.Patch, scope);
        return true;
    }

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        var data = new Dictionary<string, object>();
        try
        {
            var info = await SendAsync(HttpMethod.Get, "info", "", cancellationToken); // open to everybody
            data["version"] = Text(info, "version") ?? "unknown";
            await ListAsync("projects", "projects: read_all", 1, cancellationToken);
            data["authorised"] = true;
            return HealthCheckResult.Healthy(data: data);
        }
        catch (Exception e) when (e is HttpRequestException or McpException)
        {
            var refused =
                e is HttpRequestException { StatusCode: HttpStatusCode.Unauthorized }
                && data.TryAdd("authorised", false);
            return new(refused ? HealthStatus.Degraded : HealthStatus.Unhealthy, e.Message, data: data);
        }
    }

    internal static long Number(JsonObject of, string name) =>
        of[name] is JsonValue value && value.TryGetValue<long>(out var number) ? number : 0;

    internal static string? Text(JsonObject of, string name) =>
        of[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private async Task<Version?> VersionAsync(CancellationToken ct)
    {
        if (_version.Until <= time.GetUtcNow())
        {
            var said = Text(await SendAsync(HttpMethod.Get, "info", "", ct), "version") ?? "";
            var digits = string.Concat(
                said.TrimStart('v').TakeWhile(letter => char.IsAsciiDigit(letter) || letter == '.')
            ); // "v2.4.0-12-gabc", "unstable"
            _version = (
                time.GetUtcNow() + VersionHolds,
                Version.TryParse(digits.TrimEnd('.'), out var version) ? version : null
            );
        }

        return _version.Version;
    }

    private async Task<Answer> ExchangeAsync(
        HttpMethod method,
        string path,
        JsonObject? body,
        string type,
        CancellationToken ct
    )
    {
        using var request = new HttpRequestMessage(method, path);
        request.Content = body is null ? null : new StringContent(body.ToJsonString(), Encoding.UTF8, type);
        using var response = await http.CreateClient(nameof(VikunjaClient)).SendAsync(request, ct);
        var text = Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(ct));
        var again = response.Headers.RetryAfter?.Delta is { } delta
            ? $"in {delta.TotalSeconds:0} seconds"
            : "in a minute";
        return new(
            response.StatusCode,
            response.IsSuccessStatusCode,
            text,
            int.TryParse(Header("x-pagination-total-pages"), out var pages) ? pages : null,
            again,
            Header("x-max-permission")
        );

        string? Header(string name) => response.Headers.TryGetValues(name, out var values) ? values.First() : null;
    }

    // An empty list may be null.
    private static JsonArray ListIn(Answer answer, string scope) =>
        Read(answer, HttpMethod.Get, scope) switch
        {
            null => [],
            JsonArray list => list,
            _ => throw VikunjaFailure.Unreadable(HttpMethod.Get),
        };

    private static JsonNode? Read(Answer answer, HttpMethod method, string scope)
    {
        JsonNode? node = null;
        var isJson = true;
        try
        {
            node = JsonNode.Parse(answer.Text, documentOptions: new() { AllowDuplicateProperties = false });
        }
        catch (JsonException)
        {
            isJson = false;
        }

        if (!answer.IsSuccess)
        {
            throw VikunjaFailure.Of(
                (int)answer.Status,
                node as JsonObject,
                isJson ? "" : answer.Text,
                method,
                scope,
                answer.Again
            );
        }

        if (isJson && node is JsonObject found && answer.Permission is { } permission)
        {
            found["max_permission"] ??= permission;
        }

        return isJson ? node : throw VikunjaFailure.Unreadable(method);
    }

    private sealed record Answer(
        HttpStatusCode Status,
        bool IsSuccess,
        string Text,
        int? TotalPages,
        string Again,
        string? Permission
    );
}

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

/// <summary>What Vikunja's refusals mean, and what to do about them. Its own codes stand in the body beside the status.</summary>
internal static class VikunjaFailure
{
    public static Exception Of(
        int status,
        JsonObject? body,
        string plain,
        HttpMethod method,
        string scope,
        string again
    )
    {
        var code = body?["code"] is JsonValue value && value.TryGetValue<int>(out var number) ? number : 0;
        var said = Excerpt(body, plain) is { Length: > 0 } words
            ? $"Vikunja answered {status} ({words})"
            : $"Vikunja answered {status}";
        return status switch
        {
            // It says 401 also to a token that is good, but not for this route.
            401 => Upstream(
                401,
                $"{said}: our token is wrong or expired, or it lacks the permission \"{scope}\". Make a token that has it, and set Vikunja:Token."
            ),
            403 => new McpException(
                $"{said}: the user of our token may not do this here (\"{scope}\"). Share the project with that user, or use another one."
            ),
            404 when code == 3001 => new McpException($"{said}: vikunja_list_projects shows which projects there are."),
            404 when code == 4002 => new McpException(
                $"{said}: vikunja_search_tasks finds tasks. It may have been deleted."
            ),
            404 when body is null => Upstream(
                404,
                $"{said}: there is no such route. Check Vikunja:Url, and that Vikunja is 1.0 or newer."
            ),
            404 => new McpException($"{said}: look up the number again with the tool that lists such things."),
            405 or 501 => Upstream(
                status,
                $"{said}: this version of Vikunja does not have what was asked. 1.0 or newer is needed."
            ),
            409 => new McpException(
                $"{said}: it was changed by somebody else. Read it again and repeat the change on what it says now."
            ),
            412 when code == 3008 => new McpException(
                $"{said}: the project is archived. Somebody has to take it out of the archive first."
            ),
            429 => Upstream(429, $"{said}: too many requests. Try again {again}."),
            >= 500 => Upstream(
                status,
                $"{said}.{(method == HttpMethod.Get ? " Try again later, and ask the operator to look at its log." : Doubt(method))}"
            ),
            _ => new McpException($"{said}: nothing was changed. Correct the arguments."),
        };
    }

    public static HttpRequestException Unreadable(HttpMethod method) =>
        Upstream(
            502,
            $"Vikunja sent something of another shape than its API says, perhaps a login page. Check Vikunja:Url, what stands in front of the server, and that Vikunja is 1.0 or newer.{Doubt(method)}"
        );

    public static string Doubt(HttpMethod method) =>
        method == HttpMethod.Get ? "" : " The change may have been made all the same: look before trying again.";

    private static HttpRequestException Upstream(int status, string sentence) =>
        new(sentence, null, (HttpStatusCode)status);

    // A proxy in front of it, and some of its own routes, say the reason as plain text; a page is none.
    private static string Excerpt(JsonObject? body, string plain)
    {
        var said = body is null
            ? plain.TrimStart().StartsWith('<')
                ? ""
                : plain.Trim()
            : VikunjaClient.Text(body, "message");
        var fields = body?["invalid_fields"] is JsonArray { Count: > 0 } invalid
            ? $"; wrong: {string.Join(", ", invalid.Select(field => field?.ToString()))}"
            : "";
        var text = string.Concat($"{said?.TrimEnd('.')}{fields}".Where(letter => !char.IsControl(letter)));
        return text.Length > 200 ? text[..200] + "…" : text;
    }
}
