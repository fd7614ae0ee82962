using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace MinimalMcp.Engine;

/// <summary>Where a Docker Engine listens: a Unix socket, or a URL.</summary>
/// <param name="Url">Where requests go. For a socket the host is a plain word: newer engines refuse others.</param>
/// <param name="Socket">The path of the socket.</param>
internal sealed partial record EngineAddress(Uri Url, string? Socket = null)
{
    /// <summary>Where Docker listens on this machine: the address in DOCKER_HOST alone, if it is set.</summary>
    public static IEnumerable<EngineAddress> OfThisMachine()
    {
        if (Environment.GetEnvironmentVariable("DOCKER_HOST") is { Length: > 0 } host)
        {
            return Parse(host) is { } named ? [named] : [];
        }

        var ofUser = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") ?? "/run";
        return [At("/var/run/docker.sock"), At(Path.Combine(ofUser, "docker.sock"))];
    }

    /// <summary>Reads <c>unix:///path</c>, <c>tcp://host:port</c> or <c>https://host:port</c>. Null if not.</summary>
    public static EngineAddress? Parse(string? host) =>
        host switch
        {
            not null when host.StartsWith("unix:///", StringComparison.Ordinal) => At(host["unix://".Length..]),
            not null
                when Uri.TryCreate(host, UriKind.Absolute, out var url)
                    && url is { UserInfo: "", Query: "", Fragment: "", Host.Length: > 0 } => url.Scheme switch
            {
                "tcp" => new(new UriBuilder("http", url.Host, url.Port > 0 ? url.Port : 2375).Uri),
                "http" or "https" => new(new Uri(WithoutVersion(url.GetLeftPart(UriPartial.Path)) + "/")),
                _ => null,
            },
            _ => null,
        };

    // The version is negotiated, so one at the end of the address is left out.
    private static string WithoutVersion(string url) => Version().Replace(url.TrimEnd('/'), "");

    private static EngineAddress At(string path) => new(new("http://docker/"), path);

    /// <summary>A handler that connects here, whatever host a request names.</summary>
    public SocketsHttpHandler CreateHandler()
    {
        var handler = new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false };
        if (Socket is not null)
        {
            handler.UseProxy = false; // HTTP_PROXY is not for sockets
            handler.ConnectCallback = async (_, ct) => new NetworkStream(await OpenAsync(Socket, ct), ownsSocket: true);
        }

        return handler;
    }

    private static async Task<Socket> OpenAsync(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    [GeneratedRegex(@"/v1\.\d+$")]
    private static partial Regex Version();
}
