namespace MinimalMcp.Governance;

/// <summary>Length limits of texts that a caller can influence: names, values, addresses, error details.</summary>
internal static class TextLimit
{
    /// <summary>For a refusal in a response.</summary>
    public const int Refusal = 4_000;

    /// <summary>For the detail of an audit entry, and a refusal in the log.</summary>
    public const int Detail = 1_000;

    /// <summary>For a name: a subject, a client, a user agent, a conversation.</summary>
    public const int Name = 200;

    /// <summary>Truncates a text and appends its original length.</summary>
    public static string Cut(string text, int limit) =>
        text.Length <= limit
            ? text
            : $"{text.AsSpan(0, char.IsHighSurrogate(text[limit - 1]) ? limit - 1 : limit)}… ({text.Length} "
                + "characters)";
}
