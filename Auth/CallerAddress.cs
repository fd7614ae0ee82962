using System.Net;
using System.Net.Sockets;

namespace MinimalMcp.Auth;

/// <summary>
/// The address that limits count by. Behind a trusted proxy it is the client's; for IPv6 it is the /64 network, since
/// one household has more addresses than could be counted.
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
