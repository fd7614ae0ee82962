using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace MinimalMcp.Tests.Protocol;

/// <summary>
/// An answer that comes before the end of its request arrives, although the client sends on (RFC 9112 section 9.6).
/// </summary>
public sealed class LingeringCloseTests
{
    private const string Post = "Host: localhost\r\nContent-Type: application/json\r\n";

    /// <summary>What is sent first, what is sent on after the answer came, and the status.</summary>
    public static TheoryData<string, string, string, int> Early =>
        new()
        {
            { "a long body of /mcp", $"POST /mcp HTTP/1.1\r\n{Post}Content-Length: 8000000\r\n\r\n{{", "x", 413 },
            {
                "a long body of a tool",
                $"POST /tools/get_deals HTTP/1.1\r\n{Post}Content-Length: 8000000\r\n\r\n{{",
                "x",
                413
            },
            {
                "a long body of functions",
                $"POST /api/mcp/v1/call HTTP/1.1\r\n{Post}Content-Length: 8000000\r\n\r\n{{",
                "x",
                413
            },
            {
                "a long body of no route",
                $"POST /nowhere HTTP/1.1\r\n{Post}Content-Length: 8000000\r\n\r\n{{",
                "x",
                404
            },
            {
                "a broken chunk",
                $"POST /mcp HTTP/1.1\r\n{Post}Transfer-Encoding: chunked\r\n\r\nno number\r\n",
                "x",
                400
            },
            { "long headers", "GET /health HTTP/1.1\r\nHost: localhost\r\nA: " + new string('a', 40_000), "a", 431 },
            {
                "many headers",
                "GET /health HTTP/1.1\r\nHost: localhost\r\n" + string.Concat(Enumerable.Repeat("A: b\r\n", 200)),
                "A: b\r\n",
                431
            },
            { "a long address", "GET /" + new string('a', 20_000), "a", 414 },
            { "another protocol", "NO REQUEST\r\n" + new string('a', 2_000), "x", 400 },
        };

    [Theory, MemberData(nameof(Early))]
    public async Task An_early_answer_arrives_whole(string name, string first, string rest, int status)
    {
        await using var server = TestServer.Start();
        using var client = new TcpClient();
        await client.ConnectAsync(server.Url.Host, server.Url.Port, TestContext.Current.CancellationToken);
        await AssertArrivesAsync(client.GetStream(), client.Client, name, first, rest, status);
    }

    [Fact]
    public async Task An_early_answer_arrives_whole_over_TLS()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(
            DateTimeOffset.UtcNow.AddDays(-1),
            DateTimeOffset.UtcNow.AddDays(1)
        );
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(
                file,
                certificate.Export(X509ContentType.Pfx),
                TestContext.Current.CancellationToken
            );
            await using var server = TestServer.Start(
                ("urls", "https://127.0.0.1:0"),
                ("Kestrel:Certificates:Default:Path", file)
            );
            using var client = new TcpClient();
            await client.ConnectAsync(server.Url.Host, server.Url.Port, TestContext.Current.CancellationToken);
            await using var tls = new SslStream(client.GetStream(), false, (_, shown, _, _) =>
                shown?.GetCertHashString() == certificate.Thumbprint
            );
            await tls.AuthenticateAsClientAsync("localhost");
            var first = $"POST /mcp HTTP/1.1\r\n{Post}Content-Length: 8000000\r\n\r\n{{";
            await AssertArrivesAsync(tls, client.Client, "TLS", first, "x", 413);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_client_that_sends_without_end_is_cut_off()
    {
        await using var server = TestServer.Start();
        using var client = new TcpClient();
        await client.ConnectAsync(server.Url.Host, server.Url.Port, TestContext.Current.CancellationToken);
        var stream = client.GetStream();
        await stream.WriteAsync("GET / HTTP/1.1\r\nA: "u8.ToArray(), TestContext.Current.CancellationToken);
        var sent = 0L;
        try
        {
            for (
                var part = new byte[64 << 10]
                    .Select(_ => (byte)'a')
                    .ToArray();
                sent < 1 << 30;
                sent += part.Length
            )
            {
                await stream.WriteAsync(part, TestContext.Current.CancellationToken);
            }
        }
        catch (IOException)
        {
            // cut off, as it should be
        }

        Assert.InRange(sent, 1, (1 << 30) - 1);
    }

    private static async Task AssertArrivesAsync(
        Stream stream,
        Socket socket,
        string name,
        string first,
        string rest,
        int status
    )
    {
        var stop = TestContext.Current.CancellationToken;
        await stream.WriteAsync(Encoding.Latin1.GetBytes(first), stop);
        // The answer has begun, so the server has decided. Only now the rest is sent, and must not meet a closed
        // socket.
        var begin = new byte["HTTP/1.1 413 ".Length];
        await stream.ReadExactlyAsync(begin, stop);
        var part = Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat(rest, 4_000)));
        for (var times = 0; times < 64; times++)
        {
            await stream.WriteAsync(part, stop);
        }

        socket.Shutdown(SocketShutdown.Send);
        using var reader = new StreamReader(stream);
        var answer = Encoding.Latin1.GetString(begin) + await reader.ReadToEndAsync(stop);
        Assert.Matches($"^HTTP/1.1 {status} [^\n]+\n(?s:.*)\r\n\r\n", answer);
        Assert.True(status != 413 || answer.Contains('}'), $"{name}: {answer}");
    }
}
