using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MinimalMcp.Tests.Protocol;

/// <summary>Requests that no well-behaved client would send, byte by byte.</summary>
internal static class Wire
{
    public const string Ping = """{"jsonrpc":"2.0","id":1,"method":"ping"}""";

    /// <summary>Newest first.</summary>
    public static readonly string[] Revisions = ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

    /// <summary>Each char is one byte, so that a test can write bytes that are not UTF-8.</summary>
    public static byte[] Bytes(string body) => Encoding.Latin1.GetBytes(body);

    public static async Task<McpAnswer> SendAsync(
        this TestServer server,
        string path,
        byte[] body,
        params (string Name, string Value)[] headers
    )
    {
        using var response = await server.ResponseAsync(path, body, headers);
        return await McpAnswer.ReadAsync(response);
    }

    public static async Task<HttpResponseMessage> ResponseAsync(
        this TestServer server,
        string path,
        byte[] body,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        request.Headers.ExpectContinue = body.Length > 1 << 20;
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        foreach (var (name, value) in headers)
        {
            if (name.StartsWith("Content-", StringComparison.Ordinal))
            {
                request.Content.Headers.Remove(name);
                request.Content.Headers.TryAddWithoutValidation(name, value);
            }
            else
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return await server.Http.SendAsync(
            request,
            HttpCompletionOption.ResponseHeadersRead,
            TestContext.Current.CancellationToken
        );
    }

    /// <summary>The id of a new session; null when the server gave none.</summary>
    public static async Task<string?> InitializeAsync(
        this TestServer server,
        string version = "2025-11-25",
        object? capabilities = null
    )
    {
        var answer = await server.McpAsync(
            "initialize",
            new
            {
                protocolVersion = version,
                capabilities = capabilities ?? new { },
                clientInfo = new { name = "test", version = "1" },
            },
            version
        );
        Assert.Equal(version, answer.Result.GetProperty("protocolVersion").GetString());
        return answer.Session;
    }

    public static async Task<int> DeleteAsync(this TestServer server, string? session)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, "/mcp");
        request.Headers.TryAddWithoutValidation("Mcp-Session-Id", session is null ? [] : [session]);
        using var response = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);
        return (int)response.StatusCode;
    }

    /// <summary>Opens an event stream.</summary>
    public static async Task<Events> OpenAsync(
        this TestServer server,
        string path,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return new(
            await server.Http.SendAsync(
                request,
                HttpCompletionOption.ResponseHeadersRead,
                TestContext.Current.CancellationToken
            )
        );
    }

    public static JsonObject Call(string tool, object? arguments = null, object? id = null) =>
        JsonSerializer
            .SerializeToNode(
                new
                {
                    jsonrpc = "2.0",
                    id = id ?? 1,
                    method = "tools/call",
                    @params = new { name = tool, arguments = arguments ?? new { } },
                }
            )!
            .AsObject();
}

/// <summary>Reads an event stream line by line.</summary>
internal sealed class Events(HttpResponseMessage response) : IDisposable
{
    private StreamReader? _reader;

    public int Status => (int)response.StatusCode;

    /// <summary>The next line that is not empty; null when the stream ended.</summary>
    public async Task<string?> LineAsync()
    {
        _reader ??= new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        while (true)
        {
            var line = await Wait.Soon(_reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask());
            if (line is not "")
            {
                return line;
            }
        }
    }

    public async Task<string> DataAsync()
    {
        while (true)
        {
            var line = await LineAsync() ?? throw new EndOfStreamException("The stream ended.");
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                return line[6..];
            }
        }
    }

    public async Task<JsonElement> MessageAsync() => JsonElement.Parse(await DataAsync());

    public void Dispose()
    {
        _reader?.Dispose();
        response.Dispose();
    }
}
