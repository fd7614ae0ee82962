using System.ComponentModel;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ModelContextProtocol;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace MinimalMcp.Tools.Vikunja;

internal sealed record VikunjaTask(long Id, string Title, bool Done, long ProjectId, string Url)
{
    [JsonIgnore(Condition = WhenWritingNull), Description("Short name of the task, for example OPS-12.")]
    public string? Identifier { get; init; }

    [JsonIgnore(Condition = WhenWritingNull), Description("1 (low) to 5 (do now).")]
    public long? Priority { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public DateTimeOffset? DueDate { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public IReadOnlyList<string>? Labels { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public IReadOnlyList<string>? Assignees { get; init; }

    [JsonIgnore(Condition = WhenWritingNull), Description("HTML.")]
    public string? Description { get; init; }

    [JsonIgnore(Condition = WhenWritingNull), Description("0 to 1.")]
    public double? PercentDone { get; init; }

    [JsonIgnore(Condition = WhenWritingNull), Description("How many reminders it has.")]
    public int? Reminders { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public bool? Repeats { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public DateTimeOffset? Created { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public DateTimeOffset? Updated { get; init; }

    [JsonIgnore(Condition = WhenWritingNull), Description("What to know about this result.")]
    public string? Note { get; init; }

    /// <summary>A task of Vikunja's as a result. Only a whole one has its description, from the offset on.</summary>
    internal static VikunjaTask Of(
        JsonObject raw,
        VikunjaClient vikunja,
        bool whole = true,
        string? note = null,
        int offset = 0,
        int max = VikunjaJson.ShortText
    )
    {
        var task = VikunjaJson.Read<RawTask>(raw);
        var (description, more) = VikunjaJson.Description(task.Description, offset, max, "vikunja_get_task");
        return new(task.Id, task.Title ?? "", task.Done, task.ProjectId, vikunja.LinkTo($"tasks/{task.Id}"))
        {
            Identifier = VikunjaJson.Filled(task.Identifier),
            Priority = task.Priority > 0 ? task.Priority : null,
            DueDate = VikunjaJson.Date(task.DueDate),
            Labels = VikunjaJson.Names(task.Labels?.Select(label => label?.Title)),
            Assignees = VikunjaJson.Names(task.Assignees?.Select(user => user?.Username)),
            Description = whole ? description : null,
            PercentDone = whole && task.PercentDone > 0 ? task.PercentDone : null,
            Reminders = whole && task.Reminders is { Length: > 0 } reminders ? reminders.Length : null,
            Repeats = whole && VikunjaTasks.IsRepeating(raw) ? true : null,
            Created = whole ? VikunjaJson.Date(task.Created) : null,
            Updated = whole ? VikunjaJson.Date(task.Updated) : null,
            Note = VikunjaJson.Notes(note, whole ? more : null),
        };
    }
}

internal sealed record VikunjaProject(long Id, string Title, string Url)
{
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Description { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Identifier { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public long? ParentProjectId { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public bool? IsArchived { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    [Description("What the user of the token may do: read, write or admin. Given by vikunja_get_project.")]
    public string? Access { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public DateTimeOffset? Created { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public DateTimeOffset? Updated { get; init; }

    [JsonIgnore(Condition = WhenWritingNull), Description("What to know about this result.")]
    public string? Note { get; init; }

    internal static VikunjaProject Of(
        JsonObject raw,
        VikunjaClient vikunja,
        int offset = 0,
        int max = VikunjaJson.ShortText
    )
    {
        var project = VikunjaJson.Read<RawProject>(raw);
        var (description, more) = VikunjaJson.Description(project.Description, offset, max, "vikunja_get_project");
        var view =
            project.Id < 0
                ? "Not a real project but a view of tasks (favourites, or a saved filter): its tasks can be listed, but"
                    + " none can be created in it."
                : null;
        return new(project.Id, project.Title ?? "", vikunja.LinkTo($"projects/{project.Id}"))
        {
            Description = VikunjaJson.Filled(description),
            Identifier = VikunjaJson.Filled(project.Identifier),
            ParentProjectId = project.ParentProjectId > 0 ? project.ParentProjectId : null,
            IsArchived = project.IsArchived ? true : null,
            Access =
                raw["max_permission"] is JsonValue value && value.TryGetValue<string>(out var permission)
                    ? permission switch
                    {
                        "0" => "read",
                        "1" => "write",
                        "2" => "admin",
                        _ => null,
                    }
                    : null,
            Created = VikunjaJson.Date(project.Created),
            Updated = VikunjaJson.Date(project.Updated),
            Note = VikunjaJson.Notes(view, more),
        };
    }
}

internal sealed record ProjectList(
    IReadOnlyList<VikunjaProject> Projects,
    [property: JsonIgnore(Condition = WhenWritingNull), Description("How to get the others, when this is not all.")]
        string? Note = null
);

internal sealed record TaskList(
    IReadOnlyList<VikunjaTask> Tasks,
    [property: JsonIgnore(Condition = WhenWritingNull), Description("How to get the others, when this is not all.")]
        string? Note = null
);

internal sealed record DeletedTask(long Id, string Title, string Note);

internal sealed record CommentList(
    IReadOnlyList<TaskComment> Comments,
    [property: JsonIgnore(Condition = WhenWritingNull), Description("How to get the others, when this is not all.")]
        string? Note = null
);

internal sealed record TaskComment(
    long Id,
    [property: Description("HTML.")] string Comment,
    [property: JsonIgnore(Condition = WhenWritingNull)] string? Author = null,
    [property: JsonIgnore(Condition = WhenWritingNull)] DateTimeOffset? Created = null,
    [property: JsonIgnore(Condition = WhenWritingNull), Description("How to read on, when the text is truncated.")]
        string? Note = null
)
{
    internal static TaskComment Of(JsonObject raw, int offset, int max)
    {
        var comment = VikunjaJson.Read<RawComment>(raw);
        var text = comment.Comment ?? "";
        var (part, next) = VikunjaJson.Part(text, offset, max);
        var note = next is null
            ? null
            : $"The characters {offset} to {next} of {text.Length}. vikunja_list_comments with comment_id {comment.Id}"
                + $" and offset {next} reads on.";
        return new(comment.Id, part, comment.Author?.Username, VikunjaJson.Date(comment.Created), note);
    }
}

internal sealed record LabelList(
    IReadOnlyList<TaskLabel> Labels,
    [property: JsonIgnore(Condition = WhenWritingNull), Description("How to get the others, when this is not all.")]
        string? Note = null
);

internal sealed record TaskLabel(
    [property: Description("What vikunja_add_label and vikunja_remove_label take.")] long Id,
    string Title
);

internal sealed record TaskDocument(
    string Id,
    string Title,
    string Url,
    [property: JsonIgnore(Condition = WhenWritingNull)] string? Text = null,
    [property: JsonIgnore(Condition = WhenWritingNull)] IReadOnlyDictionary<string, string>? Metadata = null
);

[JsonConverter(typeof(JsonStringEnumConverter<TaskOrder>))]
internal enum TaskOrder
{
    [JsonStringEnumMemberName("due_date")]
    DueDate,

    [JsonStringEnumMemberName("priority")]
    Priority,

    [JsonStringEnumMemberName("updated")]
    Updated,

    [JsonStringEnumMemberName("created")]
    Created,

    [JsonStringEnumMemberName("title")]
    Title,
}

// As Vikunja writes them. Lists may be null.
internal sealed record RawTask(
    long Id,
    string? Title,
    string? Description,
    bool Done,
    long ProjectId,
    long Priority,
    DateTimeOffset? DueDate,
    string? Identifier,
    double PercentDone,
    RawLabel?[]? Labels,
    RawUser?[]? Assignees,
    JsonElement[]? Reminders,
    DateTimeOffset? Created,
    DateTimeOffset? Updated
);

internal sealed record RawProject(
    long Id,
    string? Title,
    string? Description,
    string? Identifier,
    long ParentProjectId,
    bool IsArchived,
    DateTimeOffset? Created,
    DateTimeOffset? Updated
);

internal sealed record RawLabel(long Id, string? Title);

internal sealed record RawUser(long Id, string? Username);

internal sealed record RawComment(long Id, string? Comment, RawUser? Author, DateTimeOffset? Created);

/// <summary>How Vikunja's JSON is read, and its texts shortened.</summary>
internal static class VikunjaJson
{
    /// <summary>The characters of a text in a result that is not about the text.</summary>
    public const int ShortText = 4000;

    /// <summary>The most characters of a text in a result, written as JSON.</summary>
    public const int LongText = 60_000;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    /// <summary>What Vikunja sent, if it is what its API describes.</summary>
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

    /// <summary>The characters from the offset on that fit, and where to go on when there are more.</summary>
    public static (string Text, int? Next) Part(string text, int offset, int max)
    {
        var start = Math.Min(offset, text.Length);

        // What counts is how long it is as JSON, where an emoji takes twelve characters. Half an emoji waits.
        JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(
            text.AsSpan(start),
            new char[max],
            out var length,
            out _,
            isFinalBlock: false
        );
        var end = start + length;
        return (text[start..end], end < text.Length ? end : null);
    }

    /// <summary>A description, and how to read on when it is longer.</summary>
    public static (string? Text, string? Note) Description(string? text, int offset, int max, string reader)
    {
        if (text is null)
        {
            return (null, null);
        }

        var (part, next) = Part(text, offset, max);
        return (
            part,
            next is null
                ? null
                : $"The description is truncated to its characters {offset} to {next} of {text.Length}."
                    + $" {reader} with offset {next} reads on."
        );
    }

    public static string? Notes(params string?[] notes) =>
        string.Join(' ', notes.OfType<string>()) is { Length: > 0 } note ? note : null;

    public static string? Filled(string? text) => text is { Length: > 0 } ? text : null;

    /// <summary>Vikunja writes the year 1 for "none".</summary>
    public static DateTimeOffset? Date(DateTimeOffset? date) => date?.Year > 1 ? date : null;

    public static string[]? Names(IEnumerable<string?>? names) =>
        names?.OfType<string>().ToArray() is { Length: > 0 } some ? some : null;
}

/// <summary>
/// A date as a model may write it, and as Vikunja needs it: with a zone, or it would be another hour.
/// </summary>
internal static class DueDate
{
    private static readonly string[] WithZone =
    [
        "yyyy-MM-ddTHH:mm:ssK",
        "yyyy-MM-ddTHH:mm:ss.FFFFFFFK",
        "yyyy-MM-ddTHH:mmK",
        "yyyy-MM-dd HH:mm:ssK",
        "yyyy-MM-dd HH:mmK",
    ];

    /// <param name="zone">
    /// For a day, and for a time without a zone. A day means its last second: a task due today is not late in the
    /// morning.
    /// </param>
    public static string Read(string said, TimeZoneInfo zone)
    {
        // Nothing was due in the seventies: a small number is no time.
        if (
            double.TryParse(said.Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number is >= 1e8 and < 2e14
        )
        {
            var unix = DateTime.UnixEpoch.AddMilliseconds(number < 1e11 ? number * 1000 : number);
            return Written(unix, said, zone);
        }

        if (
            DateOnly.TryParseExact(
                said.Trim(),
                "yyyy-MM-dd",
                CultureInfo.InvariantCulture,
                DateTimeStyles.None,
                out var day
            )
        )
        {
            return Written(day.ToDateTime(new TimeOnly(23, 59, 59)), said, zone);
        }

        return !DateTime.TryParseExact(
            said.Trim(),
            WithZone,
            CultureInfo.InvariantCulture,
            DateTimeStyles.RoundtripKind,
            out var time
        )
            ? throw new McpException(
                $"'{said}' is not a date. Write it with a zone, for example 2026-02-01T12:00:00+01:00, or as a day, for"
                    + $" example 2026-02-01, which means its end in {zone.Id}."
            )
            : Written(time, said, zone);
    }

    private static string Written(DateTime time, string said, TimeZoneInfo zone)
    {
        if (time.Kind is DateTimeKind.Unspecified && zone.IsInvalidTime(time))
        {
            throw new McpException(
                $"'{said}' does not exist in {zone.Id}: the clocks skip that hour."
                    + " Use another time, or one with a zone."
            );
        }

        var utc =
            time.Kind is DateTimeKind.Unspecified ? TimeZoneInfo.ConvertTimeToUtc(time, zone) : time.ToUniversalTime();
        return utc.Year is < 1970 or > 9000
            ? throw new McpException($"'{said}' is not a date between 1970 and 9000. Write the year with four digits.")
            : utc.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
    }
}
