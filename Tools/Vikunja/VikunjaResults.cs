using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;
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
