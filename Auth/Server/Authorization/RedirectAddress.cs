namespace MinimalMcp.Auth.Server;

/// <summary>
/// Validates redirect URIs. Codes are sent there, so they are compared as exact strings (RFC 9700 section 2.1).
/// </summary>
internal static class RedirectAddress
{
    private const int MaxLength = 2000;

    private static readonly string[] Encoded = ["%2e", "%2f", "%5c", "%00", "%0a", "%0d"];

    /// <summary>Why a redirect URI is invalid; null when it is valid.</summary>
    public static string? Unfit(string address)
    {
        if (
            address.Length is 0 or > MaxLength
            || address.Any(letter => letter is <= ' ' or > '~' or '\\' or '*' or '"' or '<' or '>')
        )
        {
            return "a redirect URI may have up to 2000 ASCII characters, without spaces, backslashes or wildcards";
        }

        if (
            !Uri.TryCreate(address, UriKind.Absolute, out var uri)
            || uri.Host.Length == 0
            || address.Contains('#')
            || address.Split('/') is not [_, "", var authority, ..]
        )
        {
            return "a redirect URI must be absolute and have no fragment";
        }

        // Parsers differ: some read 2130706433 as 127.0.0.1. This also refuses user information.
        if (authority != uri.Authority && authority != $"{uri.Host}:{uri.Port}")
        {
            return "the host of a redirect URI must be in canonical form: lower case, an IPv4 address as four "
                + "numbers, and without user information";
        }

        if (IsTwisted(address))
        {
            return "the path of a redirect URI may have no dot segments and no encoded separators";
        }

        return uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && IsLoopback(uri))
            ? null
            : "a redirect URI must be https, or http on loopback (127.0.0.1, [::1] or localhost)";
    }

    /// <summary>
    /// Compares exactly, except for the port of a loopback URI, which a native app chooses when it starts (RFC 8252
    /// section 7.3).
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
    /// Whether a self-registered client may use it: ChatGPT's own URLs, loopback addresses, and configured hosts.
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

    /// <summary>Appends response parameters to the URI, after any existing query.</summary>
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

    // The connector's two URLs and that of a GPT Action; {} is an id.
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
