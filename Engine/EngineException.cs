using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace MinimalMcp.Engine;

/// <summary>What Docker, or what stands in front of it, answered instead of doing what was asked.</summary>
/// <param name="status">200 when the failure stood in the body of an answer that had begun well.</param>
/// <param name="said">Its own words: short, on one line, and empty when it was a page for people.</param>
/// <param name="isPage">HTML came where JSON is due.</param>
/// <param name="isTheirs">It came as the API describes errors, so the API itself refused.</param>
public sealed class EngineException(HttpStatusCode status, string said, bool isPage = false, bool isTheirs = false)
    : Exception($"The engine answered {(int)status}: {(isPage ? "a web page" : said)}")
{
    private const int MaxWords = 300,
        MaxBytes = 4096;

    public HttpStatusCode Status => status;

    public string Said => said;

    /// <summary>The address leads to a page, a login or another program.</summary>
    public bool IsPage => isPage;

    /// <summary>The caller asked for something that does not exist or is not possible.</summary>
    public bool CallerCanMend => isTheirs && (int)status is 400 or 404 or 406 or 409;

    /// <summary>One sentence of what went wrong, and what an operator can do about it.</summary>
    /// <param name="system">As the operator knows it; its settings begin with that name.</param>
    public string Explain(string system) =>
        isPage
            ? $"{system} answered {(int)status} with a web page where its API should be."
                + $" Check {system}:Url, its path, and whether a login page stands before it."
            : $"{system} {(status is HttpStatusCode.OK ? "failed" : $"answered {(int)status}")}: {said.TrimEnd('.')}."
                + (int)status switch
                {
                    401 or 403 => $" Check {system}'s credentials and what they may do.",
                    429 => " It is asked too often; wait a minute.",
                    < 500 when !isTheirs => $" Check {system}:Url.",
                    >= 500 => " Look whether anything changed before trying again.",
                    _ => "",
                };

    /// <summary>
    /// Reads a failure from an answer. Docker and Portainer write it to <c>message</c>, Portainer its reason to
    /// <c>details</c>, old versions answer in plain text and proxies with pages.
    /// </summary>
    public static async Task<EngineException> OfAsync(HttpResponseMessage response, CancellationToken ct)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(ct);
        var bytes = new byte[MaxBytes];
        var length = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, ct);
        var body = Encoding.UTF8.GetString(bytes, 0, length).Trim();
        try
        {
            var json = JsonElement.Parse(body);
            return json.ValueKind is JsonValueKind.Object && Text(json, "message") is { } message
                ? new(response.StatusCode, OneLine(WithDetails(message, Text(json, "details"))), isTheirs: true)
                : new(response.StatusCode, "something else than the API describes");
        }
        catch (JsonException)
        {
            return IsHtml(response, body)
                ? new(response.StatusCode, "", isPage: true)
                : new(response.StatusCode, body.Length > 0 ? OneLine(body) : "nothing further");
        }
    }

    /// <summary>For JSON that could not be read as what the API describes.</summary>
    public static EngineException OfJson(Exception failure)
    {
        if (failure.Message.StartsWith("'<'", StringComparison.Ordinal))
        {
            return new(HttpStatusCode.OK, "", isPage: true);
        }

        // The reader's own exception is within the serializer's. An answer that ends where it begins is an empty one.
        var reader = failure.InnerException ?? failure;
        var isSyntax = reader is JsonException && reader.GetType() != typeof(JsonException);
        return isSyntax && failure is JsonException { BytePositionInLine: > 0 }
            ? new(HttpStatusCode.OK, "something that is not JSON")
            : Nothing();
    }

    public static EngineException Nothing() => new(HttpStatusCode.OK, "JSON that is not what the API describes");

    public static bool IsHtml(HttpResponseMessage response, string body = "") =>
        response.Content.Headers.ContentType?.MediaType?.Contains("html", StringComparison.OrdinalIgnoreCase) is true
        || body.AsSpan().TrimStart().StartsWith("<", StringComparison.Ordinal);

    public static string OneLine(string words, int max = MaxWords)
    {
        var line = string.Concat(words.Trim().Select(letter => char.IsControl(letter) ? ' ' : letter));
        return line.Length > max ? line[..max] + "…" : line;
    }

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var text) && text.ValueKind is JsonValueKind.String ? text.GetString() : null;

    // Portainer's details are often its message again.
    private static string WithDetails(string message, string? details) =>
        string.IsNullOrWhiteSpace(details) || message.Contains(details.TrimEnd('.'), StringComparison.OrdinalIgnoreCase)
            ? message
            : $"{message.TrimEnd('.')}: {details}";
}

/// <summary>Throws what an answer says of a failure, and refuses successes that are none.</summary>
internal sealed partial class EngineAnswers(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        var answer = await base.SendAsync(request, cancellationToken);
        // A start, stop or removal is answered without a body: a page with status 200 has changed nothing.
        var path = request.RequestUri!.AbsolutePath;
        var expectsNothing =
            (request.Method == HttpMethod.Post && Change().IsMatch(path))
            || (request.Method == HttpMethod.Delete && path.Contains("/containers/", StringComparison.Ordinal));
        var isRight = expectsNothing
            ? answer.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.NotModified
            : (int)answer.StatusCode < 400 && !EngineException.IsHtml(answer);
        if (isRight)
        {
            return answer;
        }

        using (answer)
        {
            throw await EngineException.OfAsync(answer, cancellationToken);
        }
    }

    [GeneratedRegex("/containers/[^/]+/(start|stop|restart|kill|pause|unpause)$")]
    private static partial Regex Change();
}
