using System.Buffers;
using System.ComponentModel;
using System.Text;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using ModelContextProtocol;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace MinimalMcp.Tools.SilverBullet;

internal sealed record PageList(
    [property: Description("How many pages match, listed or not.")] int Total,
    IReadOnlyList<PageEntry> Pages
);

internal sealed record PageEntry(
    string Name,
    [property: Description("Milliseconds since 1970.")] long LastModified,
    [property: Description("In bytes.")] long Size,
    [property: JsonIgnore(Condition = WhenWritingNull)] bool? ReadOnly = null
);

internal sealed record Page(
    string Name,
    [property: Description("Markdown.")] string Content,
    [property:
        JsonIgnore(Condition = WhenWritingNull),
        Description("Milliseconds since 1970. What expected_last_modified takes.")
    ]
        long? LastModified,
    [property: JsonIgnore(Condition = WhenWritingNull)] bool? ReadOnly,
    string Url,
    [property: JsonIgnore(Condition = WhenWritingNull), Description("How to read on, when this is not all.")]
        string? Note = null
);

internal sealed record PageChange(
    string Name,
    [property: JsonIgnore(Condition = WhenWritingNull), Description("Milliseconds since 1970, after the change.")]
        long? LastModified,
    [property: JsonIgnore(Condition = WhenWritingNull), Description("What to know about the change, which was made.")]
        string? Note = null
);

internal sealed record DeletedPage(
    string Name,
    [property: Description("How many characters it had.")] long Size,
    [property: Description("The beginning of its first line.")] string FirstLine,
    [property: JsonIgnore(Condition = WhenWritingNull), Description("What to know about the change, which was made.")]
        string? Note = null
);

internal sealed record SearchResult(
    [property: Description("How many pages match, listed or not.")] int Total,
    IReadOnlyList<FoundPage> Pages,
    [property: JsonIgnore(Condition = WhenWritingNull), Description("What could not be searched.")] string? Note = null
);

internal sealed record FoundPage(
    string Name,
    [property: Description("Milliseconds since 1970.")] long LastModified,
    [property:
        JsonIgnore(Condition = WhenWritingNull),
        Description("Number of the first line with one of the words; absent when only the name matches.")
    ]
        int? Line = null,
    [property: JsonIgnore(Condition = WhenWritingNull)] string? Snippet = null
);

internal sealed record PageDocument(
    string Id,
    string Title,
    [property: JsonIgnore(Condition = WhenWritingNull)] string? Text,
    string Url
);

[JsonConverter(typeof(JsonStringEnumConverter<UpdateMode>))]
internal enum UpdateMode
{
    [JsonStringEnumMemberName("replace")]
    Replace,

    [JsonStringEnumMemberName("append")]
    Append,

    [JsonStringEnumMemberName("prepend")]
    Prepend,
}

/// <summary>An entry of the list of files, as SilverBullet sends it.</summary>
internal sealed record SpaceFile(string Name, long LastModified, long Size, string? Perm);

/// <summary>What SilverBullet's headers say about a page.</summary>
internal abstract record PageDescription(long? LastModified, bool IsReadOnly);

internal sealed record PageBytes(byte[] Bytes, long? LastModified, bool IsReadOnly)
    : PageDescription(LastModified, IsReadOnly);

/// <param name="Total">How many characters the whole page has.</param>
internal sealed record PagePart(string Text, long Total, long? LastModified, bool IsReadOnly)
    : PageDescription(LastModified, IsReadOnly);

/// <summary>A page's name as a model may write it, and as it may become part of a path.</summary>
internal static partial class PageName
{
    // The character that ends a name in a link, or means something else in one.
    private static readonly SearchValues<char> NotInNames = SearchValues.Create("@#|<>$");

    /// <summary>
    /// The names that can be meant: exactly what was written, then "Page" for "Page.md", "[[Page]]",
    /// "[[Page#Heading|alias]]" and " Page ".
    /// </summary>
    public static IReadOnlyList<string> Candidates(string written)
    {
        var plain = Plain(written);
        if (Unusable(plain) is { } why)
        {
            throw Refused(written, why);
        }

        var isLink = written.Trim().StartsWith("[[", StringComparison.Ordinal);
        string[] candidates = isLink || Unusable(written) is not null ? [plain] : [written, plain];

        // A character that nobody sees is shown as \u{1} in results, where a model has the name from.
        string[] shown = [.. candidates.Where(name => Shown().IsMatch(name)).Select(AsMeant)];
        return [.. candidates.Concat(shown).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>
    /// A name that SilverBullet can use as the name of a page: it takes others as files, links or tags, or does not
    /// list them.
    /// </summary>
    public static string ForCreating(string written)
    {
        var name = Plain(written);
        var ending = name[(name.LastIndexOf('.') + 1)..];
        var why = Unusable(name)
            ?? Reserved(name)
            ?? (
                name.AsSpan().IndexOfAny(NotInNames) is >= 0 and var at
                    ? $"it contains {name[at]}, which means something else in a link to it. Leave out @ # | < > $"
                : name.Contains("[[", StringComparison.Ordinal) || name.Contains("]]", StringComparison.Ordinal)
                    ? "it contains [[ or ]], which begin and end a link"
                : name[0] == '^' ? "it begins with ^"
                : name.Any(char.IsControl) ? "it contains a control character"
                : name.Contains('\\') ? "folders are separated by / and not by \\"
                : ending.Length is > 0 and var length && length < name.Length && ending.All(char.IsLetterOrDigit)
                    ? $"SilverBullet takes \".{ending}\" at the end as the type of a file."
                        + $" Write a space instead of the dot, or something after it, for example \"{name} notes\""
                : null
            );
        return why is null ? name : throw Refused(written, why);
    }

    /// <summary>Some pages can be read but are not for us to write: plugs, and copies of edits that collided.</summary>
    public static string ForWriting(string name) => Reserved(name) is { } why ? throw Refused(name, why) : name;

    private static string Plain(string written)
    {
        var name = written.Trim();
        if (name.StartsWith("[[", StringComparison.Ordinal) && name.EndsWith("]]", StringComparison.Ordinal))
        {
            name = name[2..^2].Split('|', '#')[0].Trim();
        }

        return name.EndsWith(".md", StringComparison.OrdinalIgnoreCase) ? name[..^3] : name;
    }

    // What no page can be called, whoever made it: such a path would be another one, or none.
    private static string? Unusable(string name) =>
        name.Length == 0 ? "it is empty"
        : name.EnumerateRunes().Contains(Rune.ReplacementChar) ? "it is not valid Unicode"
        : name.Contains('\0') || name.Contains('\n') || name.Contains('\r') ? "it contains a control character"
        : name.Split('/').Any(folder => folder.Trim().Length == 0)
            ? "a folder in it has no name. Write it like Projects/Roof, without a slash at either end"
        : name.Split('/').Any(folder => folder[0] == '.') ? "no part of it may begin with a dot"
        : null;

    private static string? Reserved(string name) =>
        name.StartsWith('_') || name.EndsWith(".conflicted", StringComparison.OrdinalIgnoreCase)
            ? "names that begin with _ or end with .conflicted are SilverBullet's own, and are not written"
            : null;

    private static string AsMeant(string name) =>
        Shown().Replace(name, match => ((char)Convert.ToInt32(match.Groups[1].Value, 16)).ToString());

    [GeneratedRegex(@"\\u\{(0*[1-9A-Fa-f]|0*1[0-9A-Fa-f]|7[Ff])\}")]
    private static partial Regex Shown();

    private static McpException Refused(string written, string why) =>
        new($"'{written}' cannot be the name of a page: {why}.");
}
