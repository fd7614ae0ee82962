using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace MinimalMcp.ChatGpt;

/// <summary>
/// The server, as a host's servers reach it: without redirects followed, without cookies, with the user agent that such
/// requests have.
/// </summary>
internal sealed class Target : IDisposable
{
    private readonly HttpClient _http = new(
        new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
        }
    )
    {
        Timeout = TimeSpan.FromSeconds(30),
    };

    public Target(Uri url)
    {
        Mcp = url;
        Origin = url.GetLeftPart(UriPartial.Authority);
        // seen in the field; some firewalls block it
        _http.DefaultRequestHeaders.TryAddWithoutValidation("User-Agent", "Python/3.12 aiohttp/3.11.11");
    }

    public Uri Mcp { get; }

    public string Origin { get; }

    /// <summary>RFC 8414's document, once it was read.</summary>
    public JsonElement Metadata { get; set; }

    /// <summary>What the protected resource says of itself: sent back as it stands.</summary>
    public string Resource { get; set; } = "";

    public string Issuer => Metadata.Text("issuer");

    public Task<HttpAnswer> GetAsync(string url, string? token = null, Action<HttpRequestMessage>? change = null) =>
        SendAsync(new(HttpMethod.Get, Absolute(url)), token, change);

    public Task<HttpAnswer> PostJsonAsync(
        string url,
        object body,
        string? token = null,
        Action<HttpRequestMessage>? change = null
    ) =>
        SendAsync(
            new(HttpMethod.Post, Absolute(url))
            {
                Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json"),
            },
            token,
            change
        );

    public Task<HttpAnswer> PostFormAsync(
        string url,
        IEnumerable<KeyValuePair<string, string>> form,
        Action<HttpRequestMessage>? change = null
    ) => SendAsync(new(HttpMethod.Post, Absolute(url)) { Content = new FormUrlEncodedContent(form) }, null, change);

    /// <summary>One MCP message, the way ChatGPT sends it.</summary>
    public Task<HttpAnswer> McpAsync(string method, object? parameters = null, string? token = null) =>
        PostJsonAsync(
            Mcp.ToString(),
            new
            {
                jsonrpc = "2.0",
                id = 1,
                method,
                @params = parameters ?? new { },
            },
            token,
            request =>
            {
                request.Headers.Accept.ParseAdd("application/json, text/event-stream");
                request.Headers.Add("MCP-Protocol-Version", "2025-11-25");
            }
        );

    public Task<HttpAnswer> InitializeAsync(string? token = null) =>
        McpAsync(
            "initialize",
            new
            {
                protocolVersion = "2025-11-25",
                capabilities = new { },
                clientInfo = new { name = "openai-mcp", version = "1.0.0" },
            },
            token
        );

    public void Dispose() => _http.Dispose();

    private async Task<HttpAnswer> SendAsync(
        HttpRequestMessage request,
        string? token,
        Action<HttpRequestMessage>? change
    )
    {
        using (request)
        {
            if (token is not null)
            {
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            }

            change?.Invoke(request);
            using var response = await _http.SendAsync(request);
            return await HttpAnswer.ReadAsync(response);
        }
    }

    private string Absolute(string url) => url.StartsWith('/') ? Origin + url : url;
}

/// <summary>An answer, read whole.</summary>
internal sealed record HttpAnswer(HttpStatusCode Status, string Body, HttpResponseHeaders Headers, string? MediaType)
{
    /// <summary>The body as JSON; of an event stream the last event.</summary>
    public JsonElement Json =>
        JsonElement.Parse(
            MediaType == "text/event-stream"
                ? Body.Split('\n').Last(line => line.StartsWith("data:", StringComparison.Ordinal))[5..]
                : Body
        );

    /// <summary>JSON-RPC's result.</summary>
    public JsonElement Result =>
        Json.TryGetProperty("result", out var result)
            ? result
            : throw new CheckFailedException($"no result but {Body}");

    public string Challenge => Headers.WwwAuthenticate.ToString();

    public HttpAnswer Requires(HttpStatusCode wanted)
    {
        Must.Be(
            Status == wanted,
            $"the answer is {(int)Status} and must be {(int)wanted}: {(Body.Length > 300 ? Body[..300] : Body)}"
        );
        return this;
    }

    public static async Task<HttpAnswer> ReadAsync(HttpResponseMessage response) =>
        new(
            response.StatusCode,
            await response.Content.ReadAsStringAsync(),
            response.Headers,
            response.Content.Headers.ContentType?.MediaType
        );
}
