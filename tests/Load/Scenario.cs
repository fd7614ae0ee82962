using System.Net;
using System.Text;

namespace MinimalMcp.Load;

/// <summary>One step, a tools/call, in the words of one era of the protocol.</summary>
internal sealed record Scenario(string Era, string Headers, string Body)
{
    public const string VersionHeader = "MCP-Protocol-Version", Legacy = "2025-11-25", Modern = "2026-07-28";

    private const string Meta =
        $$$"""{"io.modelcontextprotocol/protocolVersion":"{{{Modern}}}","io.modelcontextprotocol/clientCapabilities":{}}""";

    public static Scenario[] Both(string tool, string arguments) =>
    [
        new("legacy", $"{VersionHeader}: {Legacy}\r\n", Call($$"""{"name":"{{tool}}","arguments":{{arguments}}}""")),
        new("modern", $"{VersionHeader}: {Modern}\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n", Call(
            $$"""{"name":"{{tool}}","arguments":{{arguments}},"_meta":{{Meta}}}""")),
    ];

    public Scenario With(string header) => this with { Headers = Headers + header };

    private static string Call(string parameters) => $$"""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{parameters}}}""";

    public byte[] Request(IPEndPoint server) => Encoding.UTF8.GetBytes(
        $"POST /mcp HTTP/1.1\r\nHost: {server}\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\n" +
        $"{Headers}Content-Length: {Encoding.UTF8.GetByteCount(Body)}\r\n\r\n{Body}");

    public static byte[] StreamRequest(IPEndPoint server, string path) => Encoding.UTF8.GetBytes(
        $"GET {path} HTTP/1.1\r\nHost: {server}\r\nAccept: text/event-stream\r\n{VersionHeader}: {Legacy}\r\n\r\n");
}
