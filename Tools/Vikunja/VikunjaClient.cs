using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Vikunja;

/// <summary>
/// Vikunja's API v1, whose verbs are unusual: PUT creates and POST updates. Of v2 only PATCH is used, where there is
/// one.
/// </summary>
internal sealed class VikunjaClient(IOptions<VikunjaOptions> options, IHttpClientFactory http, TimeProvider time)
    : IHealthCheck
{
    // A server gives no more than 50 items at once, whatever it is asked for.
    private const int PerPage = 50,
        MaxPages = 20;

    private static readonly TimeSpan VersionHolds = TimeSpan.FromMinutes(10);

    // Go's time parser does not unescape: a plus sign that is written as \u002B makes a date invalid.
    private static readonly JsonSerializerOptions AsSent = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly string _home = string.IsNullOrEmpty(options.Value.PublicUrl)
        ? VikunjaOptions.RootOf(options.Value.Url!)
        : options.Value.PublicUrl.TrimEnd('/');
    private (DateTimeOffset Until, Version? Version) _version;

    public TimeZoneInfo Zone { get; } = TimeZoneInfo.FindSystemTimeZoneById(options.Value.TimeZone);

    public string LinkTo(string page) => $"{_home}/{page}";

    /// <param name="permission">What a token needs for the request; a refusal names it.</param>
    public async Task<JsonObject> SendAsync(
        HttpMethod method,
        string path,
        string permission,
        CancellationToken ct,
        JsonObject? body = null
    ) =>
        Read(await ExchangeAsync(method, "api/v1/" + path, body, "application/json", ct), method, permission)
            as JsonObject
        ?? throw VikunjaFailure.Unreadable(method);

    /// <summary>
    /// The items of a list that are wanted, from as many of its pages as the limit and our bound need; and whether
    /// there are more.
    /// </summary>
    public async Task<(IReadOnlyList<JsonObject> Items, bool More)> ListAsync(
        string path,
        string permission,
        int limit,
        CancellationToken ct,
        IReadOnlyList<(string Name, string? Value)>? query = null,
        Func<JsonObject, bool>? wanted = null
    )
    {
        var items = new List<JsonObject>();
        var seen = new HashSet<long>();
        var words = string.Concat(
            (query ?? [])
                .Where(part => !string.IsNullOrWhiteSpace(part.Value))
                .Select(part => $"&{part.Name}={Uri.EscapeDataString(part.Value!)}")
        );
        for (var page = 1; page <= MaxPages; page++)
        {
            var address = $"api/v1/{path}?page={page}&per_page={PerPage}{words}";
            var answer = await ExchangeAsync(HttpMethod.Get, address, null, "", ct);

            // Favourites and saved filters stand on every page.
            var fresh = ListIn(answer, permission)
                .OfType<JsonObject>()
                .Where(item => seen.Add(Number(item, "id")))
                .ToArray();
            var found = wanted is null ? fresh : [.. fresh.Where(wanted)];
            var isFull = found.Length > limit - items.Count;
            items.AddRange(found.Take(limit - items.Count));
            if (isFull || items.Count == limit)
            {
                return (items, isFull || answer.TotalPages > page);
            }

            // Without the header, the end is a page with nothing new: the server decides how many fit on one.
            if (answer.TotalPages is { } total ? page >= total : fresh.Length == 0)
            {
                return (items, false);
            }
        }

        return (items, true);
    }

    /// <summary>A list that has no pages.</summary>
    public async Task<JsonArray> AllAsync(string path, string permission, CancellationToken ct) =>
        ListIn(await ExchangeAsync(HttpMethod.Get, "api/v1/" + path, null, "", ct), permission);

    /// <summary>
    /// Changes only the named fields, with v2. False when this server, or this token, has no v2: nothing was changed
    /// then.
    /// </summary>
    public async Task<bool> TryPatchAsync(string path, JsonObject changes, string permission, CancellationToken ct)
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

        // All values were there already.
        if (answer.Status is HttpStatusCode.NotModified)
        {
            return true;
        }

        if (
            (int)answer.Status is 401 or 403 or 404 or 405 or 415 or 501
            || (answer.IsSuccess && answer.Text.AsSpan().TrimStart().StartsWith('<'))
        )
        {
            return false;
        }

        _ = Read(answer, HttpMethod.Patch, permission);
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
            var info = await SendAsync(HttpMethod.Get, "info", "", cancellationToken); // needs no permission
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
            );

            // Of "v2.4.0-12-gabc" it is 2.4.0, of "unstable" nothing.
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
        request.Content = body is null ? null : new StringContent(body.ToJsonString(AsSent), Encoding.UTF8, type);
        using var response = await http.CreateClient(nameof(VikunjaClient)).SendAsync(request, ct);
        var text = Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(ct));
        return new(
            response.StatusCode,
            response.IsSuccessStatusCode,
            text,
            int.TryParse(Header("x-pagination-total-pages"), out var pages) ? pages : null,
            Later(),
            Header("x-max-permission")
        );

        string Later()
        {
            var wait =
                response.Headers.RetryAfter is { Delta: { } delta } ? delta
                : response.Headers.RetryAfter is { Date: { } date } ? date - time.GetUtcNow()
                : long.TryParse(Header("x-ratelimit-reset"), out var reset) && reset is > 0 and < 253402300800
                    ? DateTimeOffset.FromUnixTimeSeconds(reset) - time.GetUtcNow()
                : TimeSpan.Zero;
            return wait > TimeSpan.Zero
                ? string.Create(CultureInfo.InvariantCulture, $"in {Math.Ceiling(wait.TotalSeconds)} seconds")
                : "in a minute";
        }

        string? Header(string name) => response.Headers.TryGetValues(name, out var values) ? values.First() : null;
    }

    // An empty list may be null.
    private static JsonArray ListIn(Answer answer, string permission) =>
        Read(answer, HttpMethod.Get, permission) switch
        {
            null => [],
            JsonArray list => list,
            _ => throw VikunjaFailure.Unreadable(HttpMethod.Get),
        };

    private static JsonNode? Read(Answer answer, HttpMethod method, string permission)
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
                permission,
                answer.Again
            );
        }

        // The body of v1 says 0 for everybody; the header is right, where there is one.
        if (isJson && node is JsonObject found && answer.Access is { } access)
        {
            found["max_permission"] = access;
        }

        return isJson ? node : throw VikunjaFailure.Unreadable(method);
    }

    private sealed record Answer(
        HttpStatusCode Status,
        bool IsSuccess,
        string Text,
        int? TotalPages,
        string Again,
        string? Access
    );
}

/// <summary>
/// Changes of tasks that lose nothing. POST /tasks/{id} sets every field that is not sent to its zero value, and
/// removes all assignees and reminders. So does /tasks/bulk, and PATCH of v2 is a read and a POST inside the server. So
/// the changes of one task take turns, and each reads the whole task, changes it, reads it again and compares.
/// </summary>
internal sealed class VikunjaTasks(VikunjaClient vikunja, PartitionedRateLimiter<string> turns)
{
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

    public async Task<VikunjaTask> UpdateAsync(long project, long task, JsonObject changes, CancellationToken ct)
    {
        using var turn = await TurnAsync(task, ct);
        var before = await ReadAsync(project, task, ct);
        var whole = (JsonObject)before.DeepClone();
        foreach (var (name, value) in changes)
        {
            whole[name] = value?.DeepClone();
        }

        if (!await vikunja.TryPatchAsync($"tasks/{task}", (JsonObject)changes.DeepClone(), "tasks: update", ct))
        {
            await vikunja.SendAsync(HttpMethod.Post, $"tasks/{task}", "tasks: update", ct, whole);
        }

        var (after, unread) = await ReadBackAsync(task, ct);
        return after is null ? Show(whole, unread) : Compared(before, after, changes);
    }

    /// <summary>Deletes a task of that project, and no other.</summary>
    public async Task<DeletedTask> DeleteAsync(long project, long task, CancellationToken ct)
    {
        using var turn = await TurnAsync(task, ct);
        var before = await ReadAsync(project, task, ct);
        await vikunja.SendAsync(HttpMethod.Delete, $"tasks/{task}", "tasks: delete", ct);
        var title = VikunjaClient.Text(before, "title") ?? "";
        return new(task, title, "The task is deleted. Its subtasks are kept, without it.");
    }

    /// <summary>
    /// Adds a member to a list of a task (its labels, its assignees), or removes one. Nothing is sent when it is so
    /// already.
    /// </summary>
    /// <param name="find">Gives the number of the member, once the task was read.</param>
    public async Task<VikunjaTask> ChangeAsync(
        long task,
        string list,
        bool isThere,
        Func<JsonObject, Task<long>> find,
        Func<long, Task> change,
        string already,
        CancellationToken ct
    )
    {
        using var turn = await TurnAsync(task, ct);
        var before = await ReadAsync(task, ct);
        var member = await find(before);
        if (Has(before, list, member) == isThere)
        {
            return Show(before, already);
        }

        await change(member);
        var (after, unread) = await ReadBackAsync(task, ct);
        return after is null ? Show(before, $"{unread} What follows is the task before the change.")
            : Has(after, list, member) == isThere ? Show(after)
            : throw new McpException(
                $"Vikunja confirmed the change, but the {list} of task {task} are without it: somebody else changed"
                    + " the task at the same moment. Read it with vikunja_get_task, then try again."
            );
    }

    // Numbers are easily confused, and another task than the meant one must not be changed.
    private async Task<JsonObject> ReadAsync(long project, long task, CancellationToken ct)
    {
        var found = await ReadAsync(task, ct);
        return VikunjaClient.Number(found, "project_id") is var actual && actual == project
            ? found
            : throw new McpException(
                $"Task {task} (\"{VikunjaClient.Text(found, "title")}\") is in project {actual} and not in {project}."
                    + $" Nothing was changed. If you mean this task, call again with project_id {actual}."
            );
    }

    private async Task<RateLimitLease> TurnAsync(long task, CancellationToken ct)
    {
        var turn = await turns.AcquireAsync($"vikunja/tasks/{task}", 1, ct);
        if (turn.IsAcquired)
        {
            return turn;
        }

        turn.Dispose();
        throw new McpException(
            $"Other changes of task {task} are in progress, and nothing was changed. Try again in a few seconds."
        );
    }

    // Vikunja confirmed the change: what fails now makes it no failure.
    private async Task<(JsonObject? Task, string? Note)> ReadBackAsync(long task, CancellationToken ct)
    {
        try
        {
            return (await ReadAsync(task, ct), null);
        }
        catch (Exception failure) when (failure is HttpRequestException or McpException or OperationCanceledException)
        {
            return (null, $"The change was made. It could not be read back to check it: {failure.Message}");
        }
    }

    private VikunjaTask Show(JsonObject raw, string? note = null) => VikunjaTask.Of(raw, vikunja, note: note);

    private VikunjaTask Compared(JsonObject before, JsonObject after, JsonObject changes)
    {
        var moved =
            IsRepeating(before)
            && changes["done"]?.GetValueKind() is JsonValueKind.True
            && after["done"]?.GetValueKind() is JsonValueKind.False;

        // Then Vikunja also resets the checklist, which is a part of the description.
        string[] movedFields = moved ? ["done", "due_date", "start_date", "end_date", "description"] : [];

        // Vikunja cleans the HTML of a description, so that it may differ from what was sent.
        var missed = changes
            .Where(change =>
                change.Key != "description"
                && !movedFields.Contains(change.Key)
                && !Same(change.Value, after[change.Key])
            )
            .Select(change => change.Key)
            .ToArray();
        if (missed.Length > 0)
        {
            throw new McpException(
                $"Vikunja confirmed the change, but {string.Join(" and ", missed)} of task"
                    + $" {VikunjaClient.Number(after, "id")} did not change: somebody else changed the task at the same"
                    + " moment. Read it with vikunja_get_task, then try again."
            );
        }

        var others = Fields
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
                ? "The task repeats: Vikunja counted it as done, moved it to its next date, reset its checklist and"
                    + " left it open. This is as intended; do not set it to done again."
                : null,
            others.Length > 0
                ? $"{string.Join(", ", others)} changed too, which was not asked for. Somebody else may have edited the"
                    + " task at the same time: compare it with what you expect."
                : null,
        ];
        return Show(after, VikunjaJson.Notes(notes));
    }

    // Mode 0 counts seconds and mode 2 counts from the day it was done, when there are any; mode 1 is every month.
    internal static bool IsRepeating(JsonObject task) =>
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

    private static bool Has(JsonObject task, string list, long id) =>
        (task[list] as JsonArray)?.OfType<JsonObject>().Any(member => VikunjaClient.Number(member, "id") == id) is true;

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
}

/// <summary>What Vikunja's refusals mean, and how to fix them. Its own codes are in the body.</summary>
internal static class VikunjaFailure
{
    private const string FilterFields =
        "done, priority, percent_done, due_date, start_date, end_date, done_at, created, updated, reminders, assignees"
        + " (user names), labels (numbers) and project (number)";

    public static Exception Of(
        int status,
        JsonObject? body,
        string plain,
        HttpMethod method,
        string permission,
        string again
    )
    {
        var code = body?["code"] is JsonValue value && value.TryGetValue<int>(out var number) ? number : 0;
        var said = Excerpt(body, plain) is { Length: > 0 } words
            ? $"Vikunja answered {status} ({words})"
            : $"Vikunja answered {status}";
        var unchanged = method == HttpMethod.Get ? "" : " Nothing was changed.";
        return status switch
        {
            // 401 is also the answer to a valid token that lacks the permission for this route.
            401 => Upstream(
                401,
                $"{said}: the token is wrong or expired, or it lacks the permission \"{permission}\"."
                    + " Create a token with it in Vikunja, and set Vikunja:Token."
            ),
            403 => new McpException(
                $"{said}: the user of the token may not do this here (\"{permission}\")."
                    + " Share the project with this user, or set the token of another one."
            ),
            404 when code == 3001 => new McpException($"{said}. Find the number with vikunja_list_projects."),
            404 when code == 4002 => new McpException(
                $"{said}. It may have been deleted; find tasks with vikunja_search_tasks."
            ),
            404 when body is null => Upstream(
                404,
                $"{said}: there is no such route. Check Vikunja:Url, and that Vikunja is 1.0 or newer."
            ),
            404 => new McpException($"{said}. Find the number with the tool that lists such things."),
            405 or 501 => Upstream(
                status,
                $"{said}: this version of Vikunja cannot do this. Version 1.0 or newer is needed."
            ),
            409 => new McpException($"{said}: somebody else changed it.{unchanged} Read it again, then try again."),
            412 when code == 3008 => new McpException(
                $"{said}: the project is archived.{unchanged} Somebody has to take it out of the archive first."
            ),
            429 => Upstream(429, $"{said}: too many requests.{unchanged} Try again {again}."),
            >= 500 when method == HttpMethod.Get => Upstream(
                status,
                $"{said}. Try again later, or ask the operator to look at Vikunja's log."
            ),
            >= 500 => Upstream(status, $"{said}.{Doubt(method)}"),
            _ when code is >= 4013 and <= 4019 => new McpException(
                $"{said}. In a filter the fields are {FilterFields}; compare with = != > >= < <= like in, and"
                    + " combine with && and ||."
            ),
            _ => new McpException($"{said}.{unchanged} Correct the arguments."),
        };
    }

    public static HttpRequestException Unreadable(HttpMethod method) =>
        Upstream(
            502,
            "Vikunja sent something else than its API describes, perhaps a login page. Check Vikunja:Url, the proxy in"
                + $" front of the server, and that Vikunja is 1.0 or newer.{Doubt(method)}"
        );

    public static string Doubt(HttpMethod method) =>
        method == HttpMethod.Get
            ? ""
            : " The change may have been made all the same: read the object before trying again.";

    private static HttpRequestException Upstream(int status, string sentence) =>
        new(sentence, null, (HttpStatusCode)status);

    // A proxy in front of it, and some of its own routes, give the reason as plain text. A web page is no reason.
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
