using System.Net;
using System.Text;
using System.Text.Json;

namespace MinimalMcp.Engine;

/// <summary>What the engine, or what stands before it, said instead of doing it.</summary>
/// <param name="status">200 when the failure stood in the body of an answer that had begun well.</param>
/// <param name="said">In its own words: short, on one line, and empty when it was a page for people.</param>
/// <param name="isPage">HTML came where JSON is due.</param>
/// <param name="isTheirs">It came as the API describes errors, so it was the API that said it.</param>
public sealed class EngineException(HttpStatusCode status, string said, bool isPage = false, bool isTheirs = false)
    : Exception($"The engine answered {(int)status}: {(isPage ? "a web page" : said)}")
{
    private const int MaxWords = 300, MaxBytes = 4096;

    public HttpStatusCode Status => status;

    public string Said => said;

    /// <summary>HTML came where JSON is due: the address leads to a page, a login or another program.</summary>
    public bool IsPage => isPage;

    /// <summary>The caller asked for what is not there, or not possible; otherwise something is wrong with the system.</summary>
    public bool CallerCanMend => isTheirs && (int)status is 400 or 404 or 406 or 409;

    /// <summary>One sentence of what went wrong, and what an operator can do about it.</summary>
    /// <param name="system">As the operator knows it; its settings begin with that name.</param>
    public string Explain(string system) => isPage
        ? $"{system} answered {(int)status} with a web page where its API should be. Check {system}:Url, its path, and whether a login page stands before it."
        : $"{system} {(status is HttpStatusCode.OK ? "failed" : $"answered {(int)status}")}: {said.TrimEnd('.')}." + (int)status switch
        {
            401 or 403 => $" Check {system}'s credentials and what they may do.",
            429 => " It is asked too often; wait a minute.",
            < 500 when !isTheirs => $" Check {system}:Url.",
            >= 500 => " Look whether anything changed before trying again.",
            _ => "",
        };

    /// <summary>What an answer says of a failure: Docker and Portainer say it in <c>message</c>, old versions in plain text, proxies in pages.</summary>
    internal static async Task<EngineException> OfAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
        var bytes = new byte[MaxBytes];
        var body = Encoding.UTF8.GetString(bytes, 0, await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation)).Trim();
        try
        {
            return JsonElement.Parse(body) is { ValueKind: JsonValueKind.Object } json && json.TryGetProperty("message", out var message) && message.ValueKind is JsonValueKind.String
                ? new(response.StatusCode, OneLine(message.GetString()!), isTheirs: true)
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

    internal static string OneLine(string words, int max = MaxWords)
    {
        var line = string.Concat(words.Trim().Select(letter => char.IsControl(letter) ? ' ' : letter));
        return line.Length > max ? line[..max] + "…" : line;
    }
}
