using System.Net;
using System.Net.Sockets;

namespace MinimalMcp.Auth.Tokens;

/// <summary>Distinguishes public internet addresses from those of this machine, its network and its cloud.</summary>
internal static class PublicAddress
{
    // IANA's special-purpose registries (RFC 6890).
    private static readonly IPNetwork[] Special4 =
    [
        .. new[]
        {
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        }.Select(IPNetwork.Parse),
    ];

    // The only IPv6 range that is allocated. Outside are loopback, link-local, unique local and multicast addresses,
    // and embedded IPv4 (::ffff:10.0.0.1, 64:ff9b::10.0.0.1); inside are Teredo, documentation and 6to4, which embeds
    // IPv4 too.
    private static readonly IPNetwork Global6 = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork[] Special6 =
    [
        .. new[] { "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20" }.Select(IPNetwork.Parse),
    ];

    public static bool Is(IPAddress address) =>
        address.AddressFamily switch
        {
            AddressFamily.InterNetwork => !Special4.Any(network => network.Contains(address)),
            AddressFamily.InterNetworkV6 => Global6.Contains(address)
                && !Special6.Any(network => network.Contains(address)),
            _ => false,
        };

    /// <summary>
    /// Connects to a name whose addresses are all public. Dials the addresses that were checked: a second lookup could
    /// return others.
    /// </summary>
    /// <exception cref="NotPublicException">An address is not public.</exception>
    public static ValueTask<Stream> ConnectAsync(
        DnsEndPoint name,
        bool andLoopback,
        CancellationToken cancellationToken
    ) =>
        ConnectAsync(name, address => Is(address) || (andLoopback && IPAddress.IsLoopback(address)), cancellationToken);

    /// <summary>Connects to a name whose addresses are all allowed.</summary>
    /// <exception cref="NotPublicException">An address is not allowed.</exception>
    public static async ValueTask<Stream> ConnectAsync(
        DnsEndPoint name,
        Func<IPAddress, bool> isAllowed,
        CancellationToken cancellationToken
    )
    {
        var addresses = IPAddress.TryParse(name.Host, out var literal)
            ? [literal]
            : await Dns.GetHostAddressesAsync(name.Host, cancellationToken);
        if (!addresses.All(isAllowed))
        {
            throw new NotPublicException();
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, name.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

internal sealed class NotPublicException() : IOException("Not a public address.");
