using System.Net;
using System.Net.Sockets;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Outgoing;

namespace MinimalMcp.Hub.Remote;

/// <summary>
/// Connections to remote servers. Addresses of this network are allowed: many servers run beside ours. Link-local ones
/// are not, because clouds give away credentials there; a name that leads to one is refused when it is dialled.
/// </summary>
internal static class RemoteAddress
{
    private static readonly IPNetwork[] Refused =
    [
        .. new[]
        {
            "169.254.0.0/16",
            "fe80::/10",
            "fd00:ec2::254/128", // the metadata of AWS over IPv6
            "64:ff9b::a9fe:0/112", // the first by NAT64 (RFC 6052)
            "::a9fe:0/112", // and in the deprecated form of RFC 4291
        }.Select(IPNetwork.Parse),
    ];

    public static bool IsAllowed(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : new IPAddress(address.GetAddressBytes());
        return !Refused.Any(network => network.Contains(plain));
    }

    /// <summary>A URL that may be registered. Its name may still lead elsewhere.</summary>
    public static bool IsAllowed(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri)
        && uri is { Scheme: "http" or "https", UserInfo: "", Fragment: "" }
        && !(IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) && !IsAllowed(address));

    /// <summary>
    /// Sockets of one connection. Not a client of the factory: a conversation lasts for days, and its limits are those
    /// of the hub.
    /// </summary>
    public static SocketsHttpHandler Sockets(HubOptions options) =>
        new()
        {
            // A redirect would take the credentials to any address that the server names.
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.All,
            ActivityHeadersPropagator = new TraceHeaders(),
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            MaxConnectionsPerServer = options.ConnectionPoolSize + 1, // one for the stream of the server's own messages
            MaxResponseHeadersLength = 32, // KiB
            MaxResponseDrainSize = 64 << 10,
            ConnectCallback = (context, cancellationToken) =>
                PublicAddress.ConnectAsync(context.DnsEndPoint, IsAllowed, cancellationToken),
        };

    /// <summary>Why a request got no answer. Without addresses: not everybody who reads it may know them.</summary>
    public static string Reason(Exception failure) =>
        failure switch
        {
            UpstreamRefusedException or UpstreamLostException => failure.Message,
            HttpRequestException { InnerException: NotPublicException } or NotPublicException =>
                "its name leads to a link-local address, which is not allowed",
            HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } =>
                "its name was not found in DNS",
            HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } http => http.InnerException
                is SocketException { SocketErrorCode: SocketError.ConnectionRefused }
                ? "nothing listens at its address"
                : "its address cannot be reached",
            HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } =>
                "the TLS connection failed: check the server's certificate, and whether the address begins rightly "
                    + "with https",
            HttpRequestException { StatusCode: HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed } http =>
                $"it answered HTTP {(int)http.StatusCode}: check the path of its address, and its transport_type",
            HttpRequestException { StatusCode: { } status } => $"it answered HTTP {(int)status}",
            OperationCanceledException => "it did not answer in time",
            HttpRequestException or IOException { InnerException: SocketException } => "the connection broke off",
            _ => failure.Message,
        };
}

/// <summary>The connection is lost; another one may succeed.</summary>
internal sealed class UpstreamLostException(string message, Exception? inner = null)
    : HttpRequestException(message, inner)
{
    /// <summary>Only this request failed.</summary>
    public bool IsConnected { get; init; }
}

/// <summary>The server refuses us, or we refuse it: trying again changes nothing.</summary>
internal class UpstreamRefusedException(string message) : IOException(message);

/// <summary>Nothing is sent to the server until an operator has signed in there.</summary>
internal sealed class SignInNeededException(string message, Func<CancellationToken, Task> signedIn)
    : UpstreamRefusedException(message)
{
    /// <summary>Returns when somebody has signed in.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => signedIn(cancellationToken);
}
