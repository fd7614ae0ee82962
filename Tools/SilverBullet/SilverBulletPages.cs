using System.ComponentModel;
using System.Text.Json.Serialization;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace MinimalMcp.Tools.SilverBullet;

public sealed record PageList(
    [property: Description("How many there are, whether listed or not.")] int Total,
    IReadOnlyList<PageEntry> Pages
);

public sealed record PageEntry(
    string Name,
    [property: Description("Milliseconds since 1970.")] long LastModified,
    [property: Description("In bytes.")] long Size,
    [property: JsonIgnore(Condition = WhenWritingNull)] bool? ReadOnly = null
);

public sealed record Page(
    string Name,
    [property: Description("Markdown.")] string Content,
    [property:
        JsonIgnore(Condition = WhenWritingNull),
        Description("Milliseconds since 1970. What expected_last_modified takes.")
    ]
        long? LastModified,
    [property: JsonIgnore(Condition = WhenWritingNull)] bool? ReadOnly,
    string Url,
    [property: JsonIgnore(Condition = WhenWritingNull)] string? Note = null
);

public sealed record PageChange(
    string Name,
    [property: JsonIgnore(Condition = WhenWritingNull), Description("Milliseconds since 1970, after the change.")]
        long? LastModified
);

public sealed record DeletedPage(
    string Name,
    [property: Description("How many characters it had.")] int Size,
    [property: Description("How it began.")] string FirstLine
);

public sealed record SearchResult(
    [property: Description("How many pages match, whether listed or not.")] int Total,
    IReadOnlyList<FoundPage> Pages,
    [property: JsonIgnore(Condition = WhenWritingNull), Description("What could not be searched.")] string? Note = null
);

public sealed record FoundPage(
    string Name,
    [property: Description("Milliseconds since 1970.")] long LastModified,
    [property:
        JsonIgnore(Condition = WhenWritingNull),
        Description("Number of the first line with one of the words; absent when only the name matches.")
    ]
        int? Line = null,
    [property: JsonIgnore(Condition = WhenWritingNull)] string? Snippet = null
);

public sealed record PageDocument(
    string Id,
    string Title,
    [property: JsonIgnore(Condition = WhenWritingNull)] string? Text,
    string Url
);

[JsonConverter(typeof(JsonStringEnumConverter<UpdateMode>))]
public enum UpdateMode
{
    [JsonStringEnumMemberName("replace")]
    Replace,

    [JsonStringEnumMemberName("append")]
    Append,

    [JsonStringEnumMemberName("prepend")]
    Prepend,
}
