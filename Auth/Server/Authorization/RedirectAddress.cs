namespace MinimalMcp.Auth.Server;

/// <summary>
/// Where codes are sent. Whoever can choose that gets them, so an address is compared letter by letter (RFC 9700
/// section 2.1).
/// </summary>
internal static class RedirectAddress
{
    private const int MaxLength = 2000;

    private static readonly string[] Encoded = ["%2e", "%2f", "%5c", "%00", "%0a", "%0d"];

    /// <summary>Why no client may have this address; null when one may.</summary>
    public static string? Unfit(string address)
    {
        if (
            address.Length is 0 or > MaxLength
            || address.Any(letter => letter is <= ' ' or > '~' or '\\' or '*' or '"' or '<' or '>')
        )
        {
            return "a redirect address has up to 2000 plain characters, without spaces, backslashes or wildcards";
        }

        if (
            !Uri.TryCreate(address, UriKind.Absolute, out var uri)
            || uri.Host.Length == 0
            || address.Contains('#')
            || address.Split('/') is not [_, "", var authority, ..]
        )
        {
            return "a redirect address is absolute, and has no fragment";
        }

        // A reader that sees 127.0.0.1 in 2130706433 is another one than a browser's address line. This refuses users
        // as well.
        if (authority != uri.Authority && authority != $"{uri.Host}:{uri.Port}")
        {
            return "the host of a redirect address is written as it is sent: in small letters, an IP address in four "
                + "numbers, and without a user";
        }

        if (IsTwisted(address))
        {
            return "the path of a redirect address has no dots and no encoded separators";
        }

        return uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && IsLoopback(uri))
            ? null
            : "a redirect address is https, or http on this machine (127.0.0.1, [::1] or localhost)";
    }

    /// <summary>
    /// Letter by letter; only the port of a program on the user's machine is chosen when it starts (RFC 8252 section
    /// 7.3).
    /// </summary>
    public static bool Matches(string registered, string given) =>
        registered == given
        || (
            Unfit(given) is null
            && new Uri(registered) is { Scheme: "http" } known
            && IsLoopback(known)
            && new Uri(given) is { Scheme: "http" } asked
            && known.Host == asked.Host
            && known.PathAndQuery == asked.PathAndQuery
        );

    /// <summary>
    /// Whether a client that nobody entered may have it: ChatGPT's own addresses, programs on the user's machine, and
    /// hosts of the settings.
    /// </summary>
    public static bool IsAllowed(string address, IReadOnlyList<string> hosts)
    {
        var uri = new Uri(address);
        return (uri.Scheme == Uri.UriSchemeHttp && IsLoopback(uri))
            || (
                uri is { Scheme: "https", IsDefaultPort: true }
                && (hosts.Contains(uri.Host, StringComparer.OrdinalIgnoreCase) || IsChatGpt(uri))
            );
    }

    public static bool IsLoopback(Uri uri) => uri.Host is "127.0.0.1" or "[::1]" or "localhost";

    /// <summary>With what the answer says, after the query that the address may have.</summary>
    public static string With(string address, params ReadOnlySpan<(string Name, string? Value)> answer)
    {
        var text = new System.Text.StringBuilder(address);
        var separator = address.Contains('?') ? '&' : '?';
        foreach (var (name, value) in answer)
        {
            if (value is not null)
            {
                text.Append(separator).Append(name).Append('=').Append(Uri.EscapeDataString(value));
                separator = '&';
            }
        }

        return text.ToString();
    }

    // The connector's two, and the one of a GPT Action; {} is an id.
    private static bool IsChatGpt(Uri uri) =>
        uri.Host is "chatgpt.com" or "chat.openai.com"
        && uri.Query.Length == 0
        && uri.AbsolutePath.Split('/')
            is ["", "connector_platform_oauth_redirect"]
                or ["", "connector", "oauth", { Length: > 0 }]
                or ["", "aip", { Length: > 0 }, "oauth", "callback"];

    private static bool IsTwisted(string address) =>
        address.Contains("/../", StringComparison.Ordinal)
        || address.Contains("/./", StringComparison.Ordinal)
        || address.EndsWith("/..", StringComparison.Ordinal)
        || address.EndsWith("/.", StringComparison.Ordinal)
        || Encoded.Any(part => address.Contains(part, StringComparison.OrdinalIgnoreCase));
}
