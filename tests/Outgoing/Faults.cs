using System.IO.Compression;
using System.Text;

namespace MinimalMcp.Tests.Outgoing;

/// <summary>What a server can do wrong, by name.</summary>
internal static class Faults
{
    private const string Head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    private const string Chunked = Head + "Transfer-Encoding: chunked\r\n\r\n";

    public static readonly IReadOnlyDictionary<string, Func<RawServer.Peer, Task>> Of = new Dictionary<
        string,
        Func<RawServer.Peer, Task>
    >
    {
        ["hang"] = peer => peer.HangAsync(),
        ["hang after headers"] = async peer =>
        {
            await peer.SendAsync(Head + "Content-Length: 100\r\n\r\n{");
            await peer.HangAsync();
        },
        ["drip"] = async peer =>
        {
            await peer.SendAsync(Head + "Content-Length: 100000\r\n\r\n");
            while (true)
            {
                await peer.SendAsync(" ");
                await Task.Delay(10);
            }
        },
        ["garbage"] = Once("SSH-2.0-OpenSSH_9.2 " + AskTools.AnswerSecret + "\r\n\r\n"),
        ["garbled header"] = Once("HTTP/1.1 200 OK\r\n" + AskTools.AnswerSecret + "\r\n\r\n"),
        ["cut body"] = Once(Head + "Content-Length: 100\r\n\r\n{\"a\":"),
        ["cut chunk"] = Once(Chunked + "ff\r\n{\"a\":"),
        ["garbled chunk"] = Once(Chunked + AskTools.AnswerSecret + "\r\n"),
        ["garbled gzip"] = Once(Head + "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"),
        ["close"] = peer =>
        {
            peer.Close();
            return Task.CompletedTask;
        },
        ["endless headers"] = async peer =>
        {
            await peer.SendAsync("HTTP/1.1 200 OK\r\n");
            while (true)
            {
                await peer.SendAsync($"X-More: {new string('a', 500)}\r\n");
            }
        },
        ["endless body"] = async peer =>
        {
            await peer.SendAsync(Chunked);
            var chunk = Encoding.ASCII.GetBytes($"10000\r\n{new string(' ', 65536)}\r\n");
            while (true)
            {
                await peer.SendAsync(chunk);
            }
        },
        ["announced body"] = async peer =>
        {
            await peer.SendAsync(Head + "Content-Length: 1000000000\r\n\r\n");
            await peer.HangAsync();
        },
        ["bomb"] = async peer =>
        {
            using var packed = new MemoryStream();
            await using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            {
                var blank = Encoding.ASCII.GetBytes(new string(' ', 1 << 20));
                for (var mebibyte = 0; mebibyte < 64; mebibyte++)
                {
                    await gzip.WriteAsync(blank);
                }
            }

            await peer.SendAsync($"{Head}Content-Encoding: gzip\r\nContent-Length: {packed.Length}\r\n\r\n");
            await peer.SendAsync(packed.ToArray());
            peer.Close();
        },
    };

    private static Func<RawServer.Peer, Task> Once(string answer) =>
        async peer =>
        {
            await peer.SendAsync(answer);
            peer.Close();
        };
}
