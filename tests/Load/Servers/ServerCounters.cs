using System.Net.Sockets;

namespace MinimalMcp.Load;

/// <summary>
/// How many bytes a server has allocated since it started: told over a Unix socket by a thread of its own, only when
/// asked.
/// </summary>
internal static class ServerCounters
{
    public const string Variable = "LOAD_COUNTERS";

    public static string NewSocket() => Path.Combine(Path.GetTempPath(), $"load-{Guid.NewGuid():N}");

    /// <summary>In the server.</summary>
    public static void Serve(string path)
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        new Thread(() =>
        {
            while (true)
            {
                using var asker = listener.Accept();
                asker.Send(BitConverter.GetBytes(GC.GetTotalAllocatedBytes()));
            }
        })
        {
            IsBackground = true,
            Name = "counters",
        }.Start();
    }

    /// <summary>In the generator.</summary>
    public static async Task<long> ReadAsync(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
        var bytes = new byte[sizeof(long)];
        return await socket.ReceiveAsync(bytes) == bytes.Length
            ? BitConverter.ToInt64(bytes)
            : throw new IOException("the server did not tell what it has allocated");
    }
}
