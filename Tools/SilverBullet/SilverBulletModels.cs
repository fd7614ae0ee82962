using System.ComponentModel;
using System.Text;
using System.Text.Json.Serialization;
using ModelContextProtocol;
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

/// <summary>A page's name as a model may say it, and as it may become part of a path.</summary>
internal static class PageName
{
    /// <summary>Takes "Page", "Page.md", "[[Page]]" and "[[Page#Heading|alias]]".</summary>
    public static string Read(string said)
    {
        var name = said.Trim();
        if (name.StartsWith("[[", StringComparison.Ordinal) && name.EndsWith("]]", StringComparison.Ordinal))
        {
            name = name[2..^2].Split('|', '#')[0].Trim();
        }

        name = name.EndsWith(".md", StringComparison.OrdinalIgnoreCase) ? name[..^3] : name;
        var wrong =
            name.Length == 0 ? "it is empty"
            : name.Any(char.IsControl) ? "it contains a control character"
            : name.EnumerateRunes().Contains(Rune.ReplacementChar) ? "it is not valid Unicode"
            : name.Contains('\\') ? "folders are separated by / and not by \\"
            : name.Split('/').Any(folder => folder.Trim().Length == 0)
                ? "a folder in it has no name; write it like Projects/Roof, without a slash at either end"
            : name.Split('/').Any(folder => folder[0] == '.') ? "no part of it may begin with a dot"
            : null;
        return wrong is null ? name : throw new McpException($"'{said}' cannot be the name of a page: {wrong}.");
    }

    /// <summary>Some names can be read but are not for us to write: plugs, and what SilverBullet keeps when two edits collide.</summary>
    public static string ForWriting(string said)
    {
        var name = Read(said);
        return name.StartsWith('_') || name.EndsWith(".conflicted", StringComparison.OrdinalIgnoreCase)
            ? throw new McpException(
                $"'{said}' cannot be written: names that begin with _ or end with .conflicted are SilverBullet's own."
            )
            : name;
    }
}
