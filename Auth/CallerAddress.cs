using System.Net;
using System.Net.Sockets;

namespace MinimalMcp.Auth;

/// <summary>
/// What is counted as one address: behind a trusted proxy that of its client, and of IPv6 the network of a household,
/// which has more addresses than could be counted.
/// </summary>
internal static class CallerAddress
{
    public static IPAddress Of(HttpContext http) =>
        http.Connection.RemoteIpAddress switch
        {
            null => IPAddress.None,
            { IsIPv4MappedToIPv6: true } mapped => mapped.MapToIPv4(),
            { AddressFamily: AddressFamily.InterNetworkV6 } address => Network(address),
            var address => address,
        };

    private static IPAddress Network(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new(bytes);
    }
}
