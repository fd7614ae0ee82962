using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace MinimalMcp.Load;

/// <summary>
/// A keep-alive connection over a bare socket, because HttpClient costs more than the server that is measured.
/// </summary>
internal sealed class HttpConnection : IDisposable
{
    private const int MaxResponse = 16 << 20;
    private readonly Socket socket;
    private SslStream? tls;
    private byte[] buffer = new byte[4096];

    private HttpConnection(AddressFamily family) =>
        socket = new(family, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    public static async Task<HttpConnection> Open(Target server, IPAddress? source = null)
    {
        var connection = new HttpConnection(server.EndPoint.AddressFamily);
        try
        {
            if (source is not null)
            {
                connection.socket.Bind(new IPEndPoint(source, 0));
            }

            await connection.socket.ConnectAsync(server.EndPoint);
            if (server.Url.Scheme == Uri.UriSchemeHttps)
            {
                connection.tls = new SslStream(new NetworkStream(connection.socket));
                await connection.tls.AuthenticateAsClientAsync(server.Url.Host);
            }

            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The answer is only good until the next call.</summary>
    public async ValueTask<HttpResponse> Call(byte[] request)
    {
        await Send(request);
        var received = 0;
        HttpResponse response;
        do
        {
            received += await Receive(received);
        } while (!HttpResponse.TryParse(buffer.AsMemory(0, received), out response));
        return response;
    }

    /// <summary>Sends a GET whose response does not end, and waits for its head only.</summary>
    public async Task<int> OpenStream(byte[] request)
    {
        await Send(request);
        var received = 0;
        int status;
        do
        {
            received += await Receive(received);
        } while (!HttpResponse.TryParseHead(buffer.AsSpan(0, received), out status, out _));
        buffer = [];
        return status;
    }

    /// <summary>Whether the other side still holds a stream open.</summary>
    public bool IsOpen => !socket.Poll(0, SelectMode.SelectRead) || socket.Available > 0;

    private async ValueTask Send(byte[] request)
    {
        if (tls is null)
        {
            await socket.SendAsync(request);
        }
        else
        {
            await tls.WriteAsync(request);
        }
    }

    private async ValueTask<int> Receive(int offset)
    {
        if (offset == buffer.Length)
        {
            if (offset >= MaxResponse)
            {
                throw new IOException($"a response of more than {MaxResponse} bytes");
            }

            Array.Resize(ref buffer, buffer.Length * 2);
        }

        var count = tls is null
            ? await socket.ReceiveAsync(buffer.AsMemory(offset))
            : await tls.ReadAsync(buffer.AsMemory(offset));
        return count > 0 ? count : throw new IOException("the server closed the connection");
    }

    public void Dispose()
    {
        tls?.Dispose();
        socket.Dispose();
    }
}
