using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MinimalMcp.Tests.Outgoing;

/// <summary>
/// A server on a bare socket, which misbehaves as the test says. It counts what arrived, and which connections are
/// still open.
/// </summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private int _connections,
        _open;
    private long _sent;

    private RawServer(Func<Peer, Task> answer)
    {
        Answer = answer;
        _listener.Start();
        Url = $"http://{_listener.LocalEndpoint}";
        _ = AcceptAsync();
    }

    public Func<Peer, Task> Answer { get; set; }

    /// <summary>Said to everyone before they ask.</summary>
    public string Early { get; set; } = "";

    public string Url { get; }

    /// <summary>The heads of all requests.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Connections that the other side has not closed.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Bytes that the other side, or the buffers between, took.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    public static RawServer Start(Func<Peer, Task> answer) => new(answer);

    public static RawServer Start(string answer) => new(peer => peer.SendAsync(answer));

    public static string Ok(string body) =>
        $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}";

    /// <summary>An error that the system itself explains, in JSON.</summary>
    public static string Refusal(int status) => Status(status, "Content-Type: application/json; charset=utf-8\r\n");

    public static string Status(int status, string headers = "") =>
        $"HTTP/1.1 {status} So\r\nContent-Length: 2\r\n{headers}\r\n{{}}";

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { }
    }

    private async Task ServeAsync(TcpClient client)
    {
        Interlocked.Increment(ref _connections);
        Interlocked.Increment(ref _open);
        using var _ = client;
        try
        {
            var peer = new Peer(this, client.GetStream(), _end.Token);
            await peer.SendAsync(Early);
            while (!peer.Closed && await peer.ReadHeadAsync() is { } head)
            {
                Requests.Enqueue(head);
                await Answer(peer);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException) { }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    /// <summary>One connection.</summary>
    internal sealed class Peer(RawServer server, NetworkStream stream, CancellationToken end)
    {
        public bool Closed { get; private set; }

        public async Task SendAsync(string text)
        {
            var bytes = Encoding.Latin1.GetBytes(text);
            await SendAsync(bytes);
        }

        public async Task SendAsync(ReadOnlyMemory<byte> bytes)
        {
            await stream.WriteAsync(bytes, end);
            Interlocked.Add(ref server._sent, bytes.Length);
        }

        public void Close() => Closed = true;

        /// <summary>Says nothing more until the other side hangs up.</summary>
        public async Task HangAsync()
        {
            Closed = true;
            while (await stream.ReadAsync(new byte[1024], end) > 0) { }
        }

        /// <summary>
        /// The next request line and headers, without what follows; null when the other side hung up. Bodies here are
        /// empty or short.
        /// </summary>
        public async Task<string?> ReadHeadAsync()
        {
            var read = new StringBuilder();
            var one = new byte[1];
            while (await stream.ReadAsync(one, end) > 0)
            {
                read.Append((char)one[0]);
                if (one[0] == '\n' && read.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
                {
                    return read.ToString();
                }
            }

            return null;
        }
    }
}
