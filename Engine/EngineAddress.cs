using System.Net.Sockets;

namespace MinimalMcp.Engine;

/// <summary>Where a container engine listens: a Unix socket, or an address.</summary>
/// <param name="Url">What requests are sent to. For a socket a plain word: newer engines refuse any other Host.</param>
/// <param name="Socket">The path of the socket.</param>
public sealed record EngineAddress(Uri Url, string? Socket = null)
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
                "http" or "https" => new(new Uri(url.GetLeftPart(UriPartial.Path).TrimEnd('/') + "/")),
                _ => null,
            },
            _ => null,
        };

    private static EngineAddress At(string path) => new(new("http://docker/"), path);

    /// <summary>Connects to it, whatever host a request names.</summary>
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
}
