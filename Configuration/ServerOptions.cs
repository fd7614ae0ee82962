using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;

namespace MinimalMcp.Configuration;

/// <summary>Where the server is and what it lets in; configuration section <c>Server</c>.</summary>
internal sealed class ServerOptions : IValidatableObject
{
    public const long DefaultMaxRequestBytes = 4L << 20;

    /// <summary>Shown to clients; the project's name when empty.</summary>
    public string? Name { get; set; }

    /// <summary>Shown to clients; the project's version when empty.</summary>
    public string? Version { get; set; }

    /// <summary>What the server is for, in a sentence, for the manifest of a GPT Action.</summary>
    public string? Description { get; set; }

    public string? ContactEmail { get; set; }

    public string? LegalInfoUrl { get; set; }

    /// <summary>The text by which OpenAI checks who owns the domain.</summary>
    public string? OpenAiAppsChallenge { get; set; }

    public string Host { get; set; } = "127.0.0.1";

    public int Port { get; set; } = 3001;

    /// <summary>
    /// The address that the world uses, for example https://mcp.example.com. Documents name it, and requests for its
    /// host are let in.
    /// </summary>
    public string? PublicUrl { get; set; }

    /// <summary>
    /// Origins of web pages that may call from a browser, separated by commas. ChatGPT calls from its servers and needs
    /// none.
    /// </summary>
    public string? CorsOrigins { get; set; }

    /// <summary>
    /// Reverse proxies whose X-Forwarded headers are believed: addresses or networks, separated by commas; loopback
    /// always is. Or how many of them stand in a row, whatever their addresses: then nobody may reach the server but
    /// through them.
    /// </summary>
    public string? KnownProxies { get; set; }

    /// <summary>Arguments are short; what is longer is refused with 413.</summary>
    public long MaxRequestBytes { get; set; } = DefaultMaxRequestBytes;

    /// <summary>
    /// How long it goes on listening after it was told to end and is no longer ready: as long as a load balancer needs
    /// to notice.
    /// </summary>
    public TimeSpan DrainDelay { get; set; }

    public Uri? PublicUri => Uri.TryCreate(PublicUrl, UriKind.Absolute, out var url) ? url : null;

    /// <summary>A comma list, a JSON list and * are read: all three stand in guides.</summary>
    public IReadOnlyList<string> Origins => List(CorsOrigins);

    /// <summary>Addresses and networks, without the number.</summary>
    public IReadOnlyList<string> Proxies => [.. List(KnownProxies).Where(proxy => !IsNumber(proxy))];

    /// <summary>How many proxies stand in a row; null when nobody said.</summary>
    public int? ProxyCount =>
        List(KnownProxies).FirstOrDefault(IsNumber) is { } number
            ? int.Parse(number, CultureInfo.InvariantCulture)
            : null;

    // Everything here and nothing as an attribute: attributes that fail would keep this from running, and all errors
    // are told together.
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Port is < 0 or > 65535)
        {
            yield return new("Server:Port (MCP_SERVER_PORT) must be from 0 to 65535; 0 takes a free one.");
        }

        if (DrainDelay < TimeSpan.Zero || DrainDelay > TimeSpan.FromMinutes(5))
        {
            yield return new("Server:DrainDelay must be from 00:00:00 to 00:05:00.");
        }

        if (MaxRequestBytes is < 1024 or > 1L << 30)
        {
            yield return new("Server:MaxRequestBytes (MAX_REQUEST_SIZE) must be from 1024 to 1073741824.");
        }

        if (
            PublicUrl is { Length: > 0 }
            && !(
                Uri.TryCreate(PublicUrl, UriKind.Absolute, out var url)
                && url.Scheme is "http" or "https"
                && url is { Query: "", Fragment: "" }
            )
        )
        {
            yield return new(
                $"Server:PublicUrl (PUBLIC_URL) is '{PublicUrl}'; it must be an absolute address such as "
                    + "https://mcp.example.com."
            );
        }

        foreach (
            var origin in Origins.Where(origin =>
                origin != "*"
                && !(
                    Uri.TryCreate(origin, UriKind.Absolute, out var uri)
                    && uri.GetLeftPart(UriPartial.Authority) == origin
                )
            )
        )
        {
            yield return new(
                $"Server:CorsOrigins (CORS_ORIGINS) has '{origin}'; an origin is a scheme and a host without a path, "
                    + "such as https://chatgpt.com."
            );
        }

        if (ProxyCount is < 1 or > 10)
        {
            yield return new($"Server:KnownProxies has '{ProxyCount}'; the number of proxies must be from 1 to 10.");
        }

        foreach (var proxy in Proxies.Where(proxy => !TryParseNetwork(proxy, out _)))
        {
            yield return new(
                $"Server:KnownProxies has '{proxy}'; it must be an IP address, a network such as "
                    + "10.0.0.0/8, or the number of proxies in a row."
            );
        }
    }

    /// <summary>Reads a network, or one address as a network of one.</summary>
    public static bool TryParseNetwork(string proxy, out IPNetwork network) =>
        IPNetwork.TryParse(proxy.Contains('/') ? proxy : proxy + (proxy.Contains(':') ? "/128" : "/32"), out network);

    private static bool IsNumber(string proxy) => proxy.Length is > 0 and < 4 && proxy.All(char.IsAsciiDigit);

    private static string[] List(string? text) =>
        (text ?? "")
            .Trim()
            .TrimStart('[')
            .TrimEnd(']')
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(item => item.Trim('"', '\'').TrimEnd('/'))
            .ToArray();
}
