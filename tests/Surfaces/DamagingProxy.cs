using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>
/// Stands before an outside system and damages its JSON, each time in another way that has been seen of real systems: a
/// value that is null, missing, empty, or a number of another type. The same seed damages in the same way.
/// </summary>
internal sealed class DamagingProxy : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _system;
    private Random _random = new(0);

    private DamagingProxy(WebApplication app, Uri system)
    {
        _app = app;
        _system = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false }) { BaseAddress = system };
    }

    public string Url => _app.Urls.Single();

    /// <summary>How many of a hundred values are damaged; none at first.</summary>
    public int Percent { get; set; }

    public static async Task<DamagingProxy> StartAsync(string system)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseSetting("urls", "http://127.0.0.1:0");
        var app = builder.Build();
        var proxy = new DamagingProxy(app, new(system));
        app.Run(proxy.ForwardAsync);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return proxy;
    }

    public void Seed(int seed) => _random = new(seed);

    public async ValueTask DisposeAsync()
    {
        _system.Dispose();
        await _app.DisposeAsync();
    }

    private async Task ForwardAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        using var request = new HttpRequestMessage(
            new(http.Request.Method),
            $"{http.Request.Path.ToUriComponent()}{http.Request.QueryString}"
        );
        if (body.Length > 0 || http.Request.ContentType is not null)
        {
            request.Content = new ByteArrayContent(body.ToArray());
        }

        foreach (
            var (name, value) in http.Request.Headers.Where(header => header.Key is not ("Host" or "Transfer-Encoding"))
        )
        {
            if (!request.Headers.TryAddWithoutValidation(name, value.AsEnumerable()))
            {
                request.Content?.Headers.TryAddWithoutValidation(name, value.AsEnumerable());
            }
        }

        using var response = await _system.SendAsync(request, http.RequestAborted);
        http.Response.StatusCode = (int)response.StatusCode;
        foreach (
            var (name, value) in response
                .Headers.Concat(response.Content.Headers)
                .Where(header => header.Key is not ("Transfer-Encoding" or "Content-Length" or "Connection"))
        )
        {
            http.Response.Headers[name] = value.ToArray();
        }

        var answer = await response.Content.ReadAsByteArrayAsync(http.RequestAborted);
        if (IsJson(response.Content.Headers.ContentType) && answer.Length > 0)
        {
            // Some systems send one JSON value on each line.
            var lines = Encoding.UTF8.GetString(answer).Split('\n').Select(Damaged);
            answer = Encoding.UTF8.GetBytes(string.Join('\n', lines));
        }

        if (answer.Length > 0)
        {
            await http.Response.Body.WriteAsync(answer, http.RequestAborted);
        }
    }

    private static bool IsJson(MediaTypeHeaderValue? type) =>
        type?.MediaType?.EndsWith("json", StringComparison.Ordinal) is true;

    private string Damaged(string line)
    {
        try
        {
            return JsonNode.Parse(line) is { } node ? Damage(node)?.ToJsonString() ?? "null" : line;
        }
        catch (System.Text.Json.JsonException)
        {
            return line;
        }
    }

    private JsonNode? Damage(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (name, value) in members.ToArray())
                {
                    members.Remove(name);
                    if (!Hit() || _random.Next(2) == 0)
                    {
                        members[name] = Hit() ? Instead(value) : Damage(value);
                    }
                }

                return members;
            case JsonArray items:
                var damaged = items.ToArray().Select(item => (Hit() ? Instead(item) : Damage(item))?.DeepClone());
                return new JsonArray([.. damaged]);
            default:
                return node?.DeepClone();
        }
    }

    private bool Hit() => _random.Next(100) < Percent;

    private JsonNode? Instead(JsonNode? value) =>
        _random.Next(5) switch
        {
            0 or 1 => null,
            2 => value switch
            {
                JsonObject => new JsonObject(),
                JsonArray => new JsonArray(),
                _ => "",
            },
            3 => value is JsonValue number && number.TryGetValue<double>(out var real)
                ? real + 0.5
                : value?.DeepClone(),
            _ => value is JsonValue text
            && text.TryGetValue<string>(out var said)
            && double.TryParse(said, out var parsed)
                ? parsed
            : value is JsonValue ? value.ToJsonString()
            : value?.DeepClone(),
        };
}
