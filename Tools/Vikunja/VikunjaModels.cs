using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using ModelContextProtocol;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace MinimalMcp.Tools.Vikunja;

public sealed record VikunjaTask(long Id, string Title, bool Done, long ProjectId, string Url)
{
    [JsonIgnore(Condition = WhenWritingNull), Description("As people write it, for example OPS-12.")]
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

    [JsonIgnore(Condition = WhenWritingNull), Description("How many.")]
    public int? Reminders { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public bool? Repeats { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public DateTimeOffset? Created { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public DateTimeOffset? Updated { get; init; }

    [JsonIgnore(Condition = WhenWritingNull), Description("What to know about this answer.")]
    public string? Note { get; init; }
}

public sealed record VikunjaProject(long Id, string Title, string Url)
{
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Description { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Identifier { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public long? ParentProjectId { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public bool? IsArchived { get; init; }

    [JsonIgnore(Condition = WhenWritingNull), Description("What our user may do: read, write or admin.")]
    public string? Access { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public DateTimeOffset? Created { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public DateTimeOffset? Updated { get; init; }

    [JsonIgnore(Condition = WhenWritingNull), Description("What to know about this answer.")]
    public string? Note { get; init; }
}

public sealed record ProjectList(
    IReadOnlyList<VikunjaProject> Projects,
    [property: JsonIgnore(Condition = WhenWritingNull), Description("Set when there are more.")] string? Note = null
);

public sealed record TaskList(
    IReadOnlyList<VikunjaTask> Tasks,
    [property: JsonIgnore(Condition = WhenWritingNull), Description("Set when there are more.")] string? Note = null
);

public sealed record DeletedTask(long Id, string Title, string Note);

public sealed record CommentList(IReadOnlyList<TaskComment> Comments);

public sealed record TaskComment(
    long Id,
    [property: Description("HTML.")] string Comment,
    [property: JsonIgnore(Condition = WhenWritingNull)] string? Author = null,
    [property: JsonIgnore(Condition = WhenWritingNull)] DateTimeOffset? Created = null
);

public sealed record LabelList(
    IReadOnlyList<TaskLabel> Labels,
    [property: JsonIgnore(Condition = WhenWritingNull), Description("Set when there are more.")] string? Note = null
);

public sealed record TaskLabel([property: Description("What vikunja_add_label takes.")] long Id, string Title);

public sealed record TaskDocument(
    string Id,
    string Title,
    string Url,
    [property: JsonIgnore(Condition = WhenWritingNull)] string? Text = null,
    [property: JsonIgnore(Condition = WhenWritingNull)] IReadOnlyDictionary<string, string>? Metadata = null
);

[JsonConverter(typeof(JsonStringEnumConverter<TaskOrder>))]
public enum TaskOrder
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

/// <summary>A date as a model may say it, as Vikunja wants it: with a zone, or it would be another hour.</summary>
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

    /// <param name="zone">For a day, and for a time without a zone. A day ends at its last second: a task due today is not late in the morning.</param>
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
                $"'{said}' is not a date. Write it with a zone, for example 2026-02-01T12:00:00+01:00, or as a day, for example 2026-02-01 (its end in {zone.Id})."
            )
            : Written(time, said, zone);
    }

    private static string Written(DateTime time, string said, TimeZoneInfo zone)
    {
        if (time.Kind is DateTimeKind.Unspecified && zone.IsInvalidTime(time))
        {
            throw new McpException(
                $"'{said}' does not exist in {zone.Id}: the clocks skip that hour. Say another time, or one with a zone."
            );
        }

        var utc =
            time.Kind is DateTimeKind.Unspecified ? TimeZoneInfo.ConvertTimeToUtc(time, zone) : time.ToUniversalTime();
        return utc.Year is < 1970 or > 9000
            ? throw new McpException($"'{said}' is not a date of a task. Write the year with four digits.")
            : utc.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
    }
}
