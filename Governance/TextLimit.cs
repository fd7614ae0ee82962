namespace MinimalMcp.Governance;

/// <summary>The bounds of texts that a caller can lengthen: names, values, addresses, details of errors.</summary>
public static class TextLimit
{
    /// <summary>Of a refusal, in an answer.</summary>
    public const int Refusal = 4_000;

    /// <summary>Of the detail of an audit entry, and of a refusal in the log.</summary>
    public const int Detail = 1_000;

    /// <summary>Of a name: a subject, a client, a user agent, a conversation.</summary>
    public const int Name = 200;

    /// <summary>The text, or its beginning and how long it was.</summary>
    public static string Cut(string text, int limit) =>
        text.Length <= limit
            ? text
            : $"{text.AsSpan(0, char.IsHighSurrogate(text[limit - 1]) ? limit - 1 : limit)}… ({text.Length} characters)";
}
