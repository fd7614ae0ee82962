using System.Net;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace MinimalMcp.Engine;

/// <summary>
/// A container engine, over Docker's HTTP API. The client's base address leads to it, or to something that passes requests on below a path of
/// its own, as Portainer does.
/// </summary>
/// <param name="http">Without a time limit of its own where builds, pulls or events are waited for.</param>
/// <param name="path">What stands before each path of the API; ends with a slash unless it is empty.</param>
public sealed partial class EngineClient(HttpClient http, string path = "") : IDisposable
{
    /// <summary>The newest version of the API whose answers this was written for.</summary>
    private static readonly Version Newest = new(1, 52);

    /// <summary>The API's own spelling, PascalCase, is also that of the records here.</summary>
    private static readonly JsonSerializerOptions Json = new() { RespectNullableAnnotations = false };

    /// <summary>The version that both sides speak; null where that was not asked.</summary>
    public Version? ApiVersion { get; private init; }

    /// <summary>Speaks the version that both know. Engines refuse what is newer than themselves, and since 29 also what is older than 1.44.</summary>
    public static async Task<EngineClient> ConnectAsync(HttpClient http, CancellationToken cancellation)
    {
        using var ping = await http.GetAsync(new Uri("_ping", UriKind.Relative), cancellation);
        var theirs = ping.Headers.TryGetValues("Api-Version", out var values) && Version.TryParse(values.First(), out var version) ? version : null;
        if (!ping.IsSuccessStatusCode || theirs is null)
        {
            // Every engine since 1.24 says its version: what does not is something else.
            throw await EngineException.OfAsync(ping, cancellation);
        }

        var ours = theirs < Newest ? theirs : Newest;
        return new(http, $"v{ours}/") { ApiVersion = ours };
    }

    /// <summary>Asks, and gives the JSON of the answer; nothing when there is none. That something is in the wished state already (304) is fine.</summary>
    public async Task<JsonElement> SendAsync(HttpMethod method, string resource, object? body = null, CancellationToken cancellation = default)
    {
        using var content = ContentOf(body);
        using var response = await OpenAsync(method, resource, content, cancellation);
        var text = await response.Content.ReadAsStringAsync(cancellation);
        return string.IsNullOrWhiteSpace(text) ? default : Parse(response, text);
    }

    public Task<JsonElement> GetAsync(string resource, CancellationToken cancellation = default) => SendAsync(HttpMethod.Get, resource, null, cancellation);

    public Task<JsonElement> PostAsync(string resource, object? body = null, CancellationToken cancellation = default) => SendAsync(HttpMethod.Post, resource, body, cancellation);

    public Task DeleteAsync(string resource, CancellationToken cancellation = default) => SendAsync(HttpMethod.Delete, resource, null, cancellation);

    /// <summary>A filter in the form of the API: JSON in the query.</summary>
    public static string Filters(params IEnumerable<(string Name, string Value)> filters) =>
        "filters=" + Uri.EscapeDataString(JsonSerializer.Serialize(filters.GroupBy(filter => filter.Name).ToDictionary(group => group.Key, group => group.Select(filter => filter.Value))));

    public void Dispose() => http.Dispose();

    private async Task<T> GetAsync<T>(string resource, CancellationToken cancellation)
    {
        var answer = await GetAsync(resource, cancellation);
        try
        {
            return (answer.ValueKind is JsonValueKind.Undefined ? default : answer.Deserialize<T>(Json)) ?? throw new JsonException();
        }
        catch (JsonException)
        {
            throw new EngineException(HttpStatusCode.OK, "JSON that is not what the API describes");
        }
    }

    /// <summary>Whether it changed anything: false when it was in that state already.</summary>
    private async Task<bool> ChangeAsync(HttpMethod method, string resource, CancellationToken cancellation)
    {
        using var response = await OpenAsync(method, resource, null, cancellation);
        if (response.StatusCode is not (HttpStatusCode.NoContent or HttpStatusCode.NotModified))
        {
            throw await EngineException.OfAsync(response, cancellation); // a page with status 200 has started or stopped nothing
        }

        return response.StatusCode is HttpStatusCode.NoContent;
    }

    private async IAsyncEnumerable<JsonElement> LinesAsync(HttpMethod method, string resource, HttpContent? content, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var response = await OpenAsync(method, resource, content, cancellation);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellation));
        while (await reader.ReadLineAsync(cancellation) is { } line)
        {
            if (line.Length == 0)
            {
                continue;
            }

            var json = Parse(response, line);
            // The engine answers 200 before it begins: what goes wrong later stands in the stream.
            if (json.ValueKind is JsonValueKind.Object && json.TryGetProperty("error", out var error) && error.ValueKind is JsonValueKind.String)
            {
                throw new EngineException(HttpStatusCode.OK, EngineException.OneLine(error.GetString()!));
            }

            yield return json;
        }
    }

    private async Task<HttpResponseMessage> OpenAsync(HttpMethod method, string resource, HttpContent? content, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, new Uri(path + resource, UriKind.Relative)) { Content = content };
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        if ((int)response.StatusCode < 400)
        {
            return response;
        }

        using (response)
        {
            throw await EngineException.OfAsync(response, cancellation);
        }
    }

    private static HttpContent? ContentOf(object? body) => body as HttpContent ?? (body is null ? null : JsonContent.Create(body, options: Json));

    private static JsonElement Parse(HttpResponseMessage response, string text)
    {
        try
        {
            return JsonElement.Parse(text);
        }
        catch (JsonException)
        {
            throw EngineException.NotJson(response, text);
        }
    }
}
