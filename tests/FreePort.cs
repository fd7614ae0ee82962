using System.Net;
using System.Net.Sockets;

namespace MinimalMcp.Tests;

/// <summary>For programs that must be told where to listen before they say so themselves.</summary>
internal static class FreePort
{
    public static int Find()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
