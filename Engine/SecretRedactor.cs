using System.Text;
using System.Text.RegularExpressions;

namespace MinimalMcp.Engine;

/// <summary>
/// Redacts what looks like a secret in command lines, shell scripts and Compose files: the value after a name such as
/// <c>--db-password hunter2</c>, <c>TOKEN=abc</c> or <c>PGPASS: "with spaces"</c>, and the password of a URL. The end
/// of the value is found as a shell or YAML finds it; in doubt too much is redacted.
/// </summary>
internal static partial class SecretRedactor
{
    public const string Redacted = "[REDACTED]";

    private const int MaxLine = 4_000;

    /// <summary>A text of one or more lines.</summary>
    public static string Redact(string text)
    {
        StringBuilder? hidden = null;
        var copied = 0;
        for (var name = Secret().Match(text); name.Success; name = Secret().Match(text, copied))
        {
            var start = name.Index + name.Length;
            var end = EndOfValue(text, name, ref start);
            hidden ??= new(text.Length);
            hidden.Append(text, copied, start - copied);
            if (end > start)
            {
                hidden.Append(Redacted);
            }

            copied = Math.Max(end, start);
        }

        return PasswordOfAddress()
            .Replace(hidden is null ? text : hidden.Append(text, copied, text.Length - copied).ToString(), Redacted);
    }

    /// <summary>The words of a command, where a switch may have its value in the next word.</summary>
    public static IEnumerable<string> Redact(IEnumerable<string> words)
    {
        var isValue = false;
        foreach (var word in words)
        {
            yield return isValue && !IsSwitch(word) ? Redacted : Redact(word);
            isValue = SecretSwitch().IsMatch(word);
        }
    }

    private static bool IsSwitch(string word) =>
        word.StartsWith("--", StringComparison.Ordinal)
        || (word.Length == 2 && word[0] == '-' && char.IsAsciiLetter(word[1]));

    /// <summary>Where the value behind a name ends, and where it starts when that is behind a quote.</summary>
    private static int EndOfValue(string text, Match name, ref int start)
    {
        if (start >= text.Length || text[start] is '\r' or '\n')
        {
            return start;
        }

        // So much of the line as decides; a file of one line must not cost the square of its length.
        var back = Math.Max(0, name.Index - MaxLine);
        var lineStart = back + text.AsSpan(back, name.Index - back).LastIndexOf('\n') + 1;
        var open = OpenQuote(text.AsSpan(lineStart, start - lineStart));
        if (text[start] is '"' or '\'' && text[start] != open)
        {
            return EndOfQuote(text, ++start);
        }

        if (name.Groups["mapped"].Success && open is '\0')
        {
            return text[start] is '|' or '>' ? EndOfBlock(text, start, lineStart) : IndexOf(text, start, ['\r', '\n']);
        }

        // The whole of "Authorization: Bearer abc" is one text, and so is an item of a list, "NAME=a b"; in
        // "A=1 NAME=abc b" the value is a word.
        var isWhole =
            name.Groups["mapped"].Success
            || (
                name.Groups["set"].Success
                && StartOfItem().IsMatch(text.AsSpan(lineStart, name.Index - lineStart))
                && (
                    lineStart == 0
                    || open != '\0'
                    || text.AsSpan(lineStart).TrimStart(' ').StartsWith("-", StringComparison.Ordinal)
                )
            );
        return (isWhole, open) switch
        {
            (true, '\0') => IndexOf(text, start, ['\r', '\n']),
            (true, _) => IndexOf(text, start, [open, '\r', '\n']),
            (false, '\0') => EndOfWord(text, start),
            _ => IndexOf(text, start, [open, ' ', '\t', '\r', '\n']),
        };
    }

    private static char OpenQuote(ReadOnlySpan<char> before)
    {
        var open = '\0';
        foreach (var character in before)
        {
            open =
                character is not ('"' or '\'') ? open
                : open == '\0' ? character
                : open == character ? '\0'
                : open;
        }

        return open;
    }

    // Without an end it is that of the text: a value that was cut must not show its second line.
    private static int EndOfQuote(string text, int at)
    {
        var quote = text[at - 1];
        for (; at < text.Length; at++)
        {
            if (text[at] == '\\' && quote == '"')
            {
                at++;
            }
            else if (text[at] == quote)
            {
                if (quote == '\'' && at + 1 < text.Length && text[at + 1] == quote)
                {
                    at++; // '' is an apostrophe in YAML
                }
                else
                {
                    return at;
                }
            }
        }

        return text.Length;
    }

    private static int EndOfWord(string text, int at)
    {
        for (; at < text.Length && !char.IsWhiteSpace(text[at]); at++)
        {
            if (text[at] is '"' or '\'')
            {
                at = EndOfQuote(text, at + 1); // a shell joins what stands side by side
            }
            else if (text[at] == '\\')
            {
                at++;
            }
        }

        return Math.Min(at, text.Length);
    }

    // A block of YAML is what is indented deeper than its name.
    private static int EndOfBlock(string text, int at, int lineStart)
    {
        var depth = IndentOf(text, lineStart);
        for (var end = IndexOf(text, at, ['\n']); ; end = IndexOf(text, end + 1, ['\n']))
        {
            var next = end + 1;
            if (next >= text.Length)
            {
                return text.Length;
            }

            if (text[next] is not ('\r' or '\n') && IndentOf(text, next) <= depth)
            {
                return end;
            }
        }
    }

    private static int IndentOf(string text, int lineStart)
    {
        var at = lineStart;
        while (at < text.Length && text[at] == ' ')
        {
            at++;
        }

        return at - lineStart;
    }

    private static int IndexOf(string text, int start, ReadOnlySpan<char> ends) =>
        text.AsSpan(start).IndexOfAny(ends) is >= 0 and var length ? start + length : text.Length;

    private const string Name =
        @"(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|credentials?|cookie|bearer|jwt|authorization"
        + @"|masterauth|(?<![a-z])auth(?=[""']?[ \t]*[=:])"
        + @"|(?:api|private|access|signing|encryption|client|ssh|account|master|license|shared)[-_.]?key)[\w.-]{0,40}";

    // Behind the name: "=", ": ", ":", or, for a switch, a space, the next item of a JSON list or of a YAML list.
    [GeneratedRegex(
        @"(?:"
            + Name
            + @"[""']?[ \t]*(?:(?<set>=)[ \t]*|(?<mapped>:[ \t]+)|:(?![/\s]))"
            + @"|(?:(?<![\w-])--?[\w.-]{0,60}?"
            + Name
            + @"(?:[ \t]+|[""'][ \t]*,\s*|[""']?[ \t]*\r?\n[ \t]*-[ \t]+)"
            + @"|(?<![\w-])(?:requirepass|masterauth|bearer)[ \t]+)(?![""']?--?[a-z]))",
        RegexOptions.IgnoreCase
    )]
    private static partial Regex Secret();

    [GeneratedRegex(
        @"^(?:--?[\w.-]{0,60}?(?:" + Name + @"|(?<=-)auth)|requirepass|masterauth)$",
        RegexOptions.IgnoreCase
    )]
    private static partial Regex SecretSwitch();

    [GeneratedRegex(@"(?<=://[^/\s:@]{0,200}:)[^/\s""'@]{1,200}(?=@)")]
    private static partial Regex PasswordOfAddress();

    [GeneratedRegex(@"(?:^|^\s*-\s+|[""'])[\w.-]*$")]
    private static partial Regex StartOfItem();
}
