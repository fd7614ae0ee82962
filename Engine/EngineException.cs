using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace MinimalMcp.Engine;

/// <summary>A request that Docker, or a system in front of it, did not carry out.</summary>
/// <param name="status">200 when the failure was in the body of an answer that had begun well.</param>
/// <param name="reason">The system's own words: short, on one line, and empty for a web page.</param>
/// <param name="isPage">HTML came where JSON is due.</param>
/// <param name="isTheirs">The error has the form that the API describes, so the API itself refused.</param>
internal sealed partial class EngineException(
    HttpStatusCode status,
    string reason,
    bool isPage = false,
    bool isTheirs = false
) : Exception($"The Docker Engine answered {(int)status}: {(isPage ? "a web page" : reason)}")
{
    private const int MaxCharacters = 1000,
        MaxBytes = 4096;

    public HttpStatusCode Status => status;

    public string Reason => reason;

    /// <summary>The address leads to a page, a login or another program.</summary>
    public bool IsPage => isPage;

    /// <summary>Nothing stood in the answer.</summary>
    public bool IsEmpty { get; private init; }

    /// <summary>The request may have changed something before it failed.</summary>
    public bool MayHaveChanged { get; private init; }

    /// <summary>
    /// The caller asked for something that does not exist or is not possible. Docker answers 500 to some of these.
    /// </summary>
    public bool IsCallerError =>
        isTheirs
        && ((int)status is 400 or 404 or 406 or 409 or 501 || ((int)status == 500 && CallersOwn().IsMatch(reason)));

    /// <summary>What went wrong, and what an operator can do about it.</summary>
    /// <param name="system">As the operator knows it; its settings begin with that name.</param>
    public string Explain(string system) =>
        isPage
            ? $"{system} answered {(int)status} with a web page instead of JSON."
                + $" Check {system}:Url, its path, and whether a login page stands in front of {system}."
            : $"{system} {(status is HttpStatusCode.OK ? "failed" : $"answered {(int)status}")}: {reason.TrimEnd('.')}."
                + (int)status switch
                {
                    401 or 403 => $" Check the credentials for {system} and their permissions.",
                    429 => " Too many requests were sent; wait a minute.",
                    < 500 when !isTheirs => $" Check {system}:Url.",
                    >= 500 when MayHaveChanged => " Check whether anything changed before you try again.",
                    >= 500 => " Try again later.",
                    _ => "",
                };

    /// <summary>The reason and how to fix it, for what <see cref="IsCallerError"/>.</summary>
    public string ForCaller =>
        $"{reason.TrimEnd('.')}."
        + (
            reason.Contains("with provided prefix", StringComparison.Ordinal)
                ? " Several containers begin with this ID. Send more of its characters, or the container's name."
            : reason.Contains("does not support reading", StringComparison.Ordinal)
                ? " Docker keeps no log of this container. Look where its logging driver sends the lines."
            : reason.Contains("port is already allocated", StringComparison.Ordinal)
            || reason.Contains("address already in use", StringComparison.Ordinal)
                ? " Another container or program uses this port. Stop it, or publish another port."
            : ""
        );

    /// <summary>
    /// Reads the failure from an answer. Docker and Portainer write it to <c>message</c>, Portainer the reason to
    /// <c>details</c>. Old versions answer in plain text, and proxies with web pages.
    /// </summary>
    public static async Task<EngineException> FromAsync(HttpResponseMessage response, CancellationToken ct)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(ct);
        var bytes = new byte[MaxBytes];
        var length = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, ct);
        var body = Encoding.UTF8.GetString(bytes, 0, length).Trim();
        var mayHaveChanged = response.RequestMessage?.Method != HttpMethod.Get;
        try
        {
            var json = JsonElement.Parse(body);
            var message = json.ValueKind is JsonValueKind.Object ? Text(json, "message") : null;
            return message is null
                ? new(response.StatusCode, "an answer that the API does not describe")
                {
                    MayHaveChanged = mayHaveChanged,
                }
                : new(response.StatusCode, OneLine(WithDetails(message, Text(json, "details"))), isTheirs: true)
                {
                    MayHaveChanged = mayHaveChanged,
                };
        }
        catch (JsonException)
        {
            return IsHtml(response, body)
                ? new(response.StatusCode, "", isPage: true) { MayHaveChanged = mayHaveChanged }
                : new(response.StatusCode, body.Length > 0 ? OneLine(body) : "an empty answer")
                {
                    IsEmpty = body.Length == 0,
                    MayHaveChanged = mayHaveChanged,
                };
        }
    }

    /// <summary>For JSON that could not be read as what the API describes.</summary>
    public static EngineException FromJson(Exception failure)
    {
        if (failure.Message.StartsWith("'<'", StringComparison.Ordinal))
        {
            return new(HttpStatusCode.OK, "", isPage: true);
        }

        // The reader's own exception is inside the serializer's. An answer that ends where it begins is an empty one.
        var reader = failure.InnerException ?? failure;
        var isSyntax = reader is JsonException && reader.GetType() != typeof(JsonException);
        return isSyntax && failure is JsonException { BytePositionInLine: > 0 }
            ? new(HttpStatusCode.OK, "the answer is not JSON")
            : Unexpected();
    }

    /// <summary>For an answer without what the API promises.</summary>
    public static EngineException Unexpected() => new(HttpStatusCode.OK, "the JSON is not what the API describes");

    public static bool IsHtml(HttpResponseMessage response, string body = "") =>
        response.Content.Headers.ContentType?.MediaType?.Contains("html", StringComparison.OrdinalIgnoreCase) is true
        || body.AsSpan().TrimStart().StartsWith("<", StringComparison.Ordinal);

    /// <summary>A text on one line, without control characters and of limited length.</summary>
    public static string OneLine(string text, int max = MaxCharacters)
    {
        var line = string.Concat(text.Trim().Select(letter => char.IsControl(letter) ? ' ' : letter));
        return line.Length > max ? line[..max] + "…" : line;
    }

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var text) && text.ValueKind is JsonValueKind.String ? text.GetString() : null;

    // Portainer often repeats its message in the details.
    private static string WithDetails(string message, string? details) =>
        string.IsNullOrWhiteSpace(details) || message.Contains(details.TrimEnd('.'), StringComparison.OrdinalIgnoreCase)
            ? message
            : $"{message.TrimEnd('.')}: {details}";

    // Docker 20.10 answers 500 to an ambiguous ID (29 answers 400), and every version to a port that is taken.
    [GeneratedRegex("with provided prefix|port is already allocated|address already in use")]
    private static partial Regex CallersOwn();
}

/// <summary>Turns error answers into exceptions, and refuses successes that are none.</summary>
/// <param name="inner">Sends the requests.</param>
/// <param name="circuit">What of the system the requests are for; a circuit breaker below counts it alone.</param>
internal sealed partial class EngineErrorHandler(HttpMessageHandler inner, string? circuit) : DelegatingHandler(inner)
{
    private static readonly HttpRequestOptionsKey<string> Circuit = new("Circuit");

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        if (circuit is not null)
        {
            request.Options.Set(Circuit, circuit);
        }

        var answer = await base.SendAsync(request, cancellationToken);
        // A start, stop or removal is answered without a body: a web page with status 200 has changed nothing.
        var path = request.RequestUri!.AbsolutePath;
        var expectsNothing =
            (request.Method == HttpMethod.Post && Change().IsMatch(path))
            || (request.Method == HttpMethod.Delete && path.Contains("/containers/", StringComparison.Ordinal));
        var isSuccess = expectsNothing
            ? answer.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.NotModified
            : (int)answer.StatusCode < 400 && !EngineException.IsHtml(answer);
        if (isSuccess)
        {
            return answer;
        }

        using (answer)
        {
            throw await EngineException.FromAsync(answer, cancellationToken);
        }
    }

    [GeneratedRegex("/containers/[^/]+/(start|stop|restart|kill|pause|unpause)$")]
    private static partial Regex Change();
}
