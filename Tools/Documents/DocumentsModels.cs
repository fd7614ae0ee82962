using System.ComponentModel;
using System.Text.Json.Serialization;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace MinimalMcp.Tools.Documents;

/// <summary>The result of search.</summary>
internal sealed record DocumentResults(
    IReadOnlyList<FoundDocument> Results,
    [property: JsonIgnore(Condition = WhenWritingNull), Description("Which systems could not be searched, and why.")]
        string? Note = null
);

/// <summary>One result of search.</summary>
internal sealed record FoundDocument([property: Description("What fetch takes.")] string Id, string Title, string Url);

/// <summary>The result of fetch.</summary>
internal sealed record Document(
    string Id,
    string Title,
    string Text,
    string Url,
    [property: JsonIgnore(Condition = WhenWritingNull)] IReadOnlyDictionary<string, string>? Metadata = null
);
