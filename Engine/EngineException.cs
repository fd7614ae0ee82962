using System.Net;
using System.Text;
using System.Text.Json;

namespace MinimalMcp.Engine;

/// <summary>What the engine, or what stands before it, said instead of doing it.</summary>
/// <param name="status">200 when the failure stood in the body of an answer that had begun well.</param>
/// <param name="said">In its own words: short, on one line, and empty when it was a page for people.</param>
public sealed class EngineException(HttpStatusCode status, string said, bool isPage = false)
    : Exception($"The engine answered {(int)status}: {(isPage ? "a web page" : said)}")
{
    private const int MaxWords = 300, MaxBytes = 4096;

    public HttpStatusCode Status => status;

    public string Said => said;

    /// <summary>HTML came where JSON is due: the address leads to a page, a login or another program.</summary>
    public bool IsPage => isPage;

    /// <summary>What an answer says of a failure: Docker and Portainer say it in <c>message</c>, old versions in plain text, proxies in pages.</summary>
    internal static async Task<EngineException> OfAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
        var bytes = new byte[MaxBytes];
        var body = Encoding.UTF8.GetString(bytes, 0, await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation)).Trim();
        try
        {
            return JsonElement.Parse(body) is { ValueKind: JsonValueKind.Object } json && json.TryGetProperty("message", out var message) && message.ValueKind is JsonValueKind.String
                ? new(response.StatusCode, OneLine(message.GetString()!))
                : new(response.StatusCode, "something else than the API describes");
        }
        catch (JsonException)
        {
            return IsHtml(response, body) ? new(response.StatusCode, "", isPage: true) : new(response.StatusCode, body.Length > 0 ? OneLine(body) : "nothing further");
        }
    }

    internal static EngineException NotJson(HttpResponseMessage response, string body) =>
        IsHtml(response, body) ? new(response.StatusCode, "", isPage: true) : new(response.StatusCode, "something that is not JSON");

    private static bool IsHtml(HttpResponseMessage response, string body) =>
        response.Content.Headers.ContentType?.MediaType?.Contains("html", StringComparison.OrdinalIgnoreCase) is true || body.AsSpan().TrimStart().StartsWith("<", StringComparison.Ordinal);

    internal static string OneLine(string words)
    {
        var line = string.Concat(words.Trim().Select(letter => char.IsControl(letter) ? ' ' : letter));
        return line.Length > MaxWords ? line[..MaxWords] + "…" : line;
    }
}
