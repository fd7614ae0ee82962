using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Prometheus;

/// <summary>The HTTP API of Prometheus 2 and 3, and of what serves it too (Mimir, Thanos, VictoriaMetrics).</summary>
internal sealed partial class PrometheusClient(HttpClient http) : IHealthCheck
{
    // Proxies accept 8 kB of request line, and Prometheus itself about 1 MB.
    private const int LongestQuery = 4000;

    // These may also be posted; the others are GET only.
    private static readonly string[] Posted = ["query", "query_range", "series", "labels"];

    // For the host's HTTP pipeline, where it looks at such options: a POST of this API only reads.
    private static readonly HttpRequestOptionsKey<bool> ReadOnly = new("ReadOnly");

    /// <summary>
    /// Sends a request and returns its data. What the caller can fix is an <see cref="McpException"/>, anything else an
    /// <see cref="HttpRequestException"/>.
    /// </summary>
    /// <param name="path">Below /api/v1/, already escaped.</param>
    /// <param name="parameters">Those without a value are left out.</param>
    internal async Task<PrometheusAnswer> AskAsync(
        string path,
        CancellationToken ct,
        params (string Name, string? Value)[] parameters
    )
    {
        var given = parameters.Where(parameter => !string.IsNullOrEmpty(parameter.Value)).ToArray();
        var query = string.Join(
            '&',
            given.Select(parameter =>
                $"{Uri.EscapeDataString(parameter.Name)}={Uri.EscapeDataString(parameter.Value!)}"
            )
        );
        var asked = given.FirstOrDefault(parameter => parameter.Name is "query" or "match[]").Value;
        if (query.Length > LongestQuery && Posted.Contains(path))
        {
            using var form = new HttpRequestMessage(HttpMethod.Post, path)
            {
                Content = new FormUrlEncodedContent(
                    given.Select(parameter => KeyValuePair.Create(parameter.Name, parameter.Value!))
                ),
            };
            using var posted = await SendAsync(form, ct);
            if (posted.StatusCode is not (HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed))
            {
                return await ReadAsync(posted, path, asked, ct);
            }
        }

        // Some gateways only allow GET.
        using var request = new HttpRequestMessage(HttpMethod.Get, query.Length > 0 ? $"{path}?{query}" : path);
        using var response = await SendAsync(request, ct);
        return await ReadAsync(response, path, asked, ct);
    }

    /// <summary>Whether Prometheus answers, whether it accepts our credentials, and its version.</summary>
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        try
        {
            var build = (await AskAsync("status/buildinfo", cancellationToken)).Data;
            var data = new Dictionary<string, object> { ["authorised"] = true };
            if (build.ValueKind is JsonValueKind.Object && Text(build, "version") is { Length: > 0 } version)
            {
                data["version"] = version;
            }

            return HealthCheckResult.Healthy(data: data);
        }
        catch (HttpRequestException e) when (e.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            return HealthCheckResult.Degraded(
                e.Message,
                data: new Dictionary<string, object> { ["authorised"] = false }
            );
        }
        catch (Exception e) when (e is HttpRequestException or McpException)
        {
            return HealthCheckResult.Unhealthy(e.Message);
        }
    }

    /// <summary>
    /// A label as a segment of a path. A name that is not a classic one is written as Prometheus 3 wants it: U__, and
    /// each other character by its number.
    /// </summary>
    internal static string Escape(string label)
    {
        if (ClassicName().IsMatch(label))
        {
            return label;
        }

        var escaped = new StringBuilder("U__");
        foreach (var letter in label.EnumerateRunes())
        {
            escaped.Append(
                letter.Value == '_' ? "__"
                : Rune.IsLetterOrDigit(letter) && letter.IsAscii ? letter.ToString()
                : $"_{letter.Value:x}_"
            );
        }

        return escaped.ToString();
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken ct)
    {
        request.Options.Set(ReadOnly, true);
        try
        {
            return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        }
        catch (Exception e)
            when (e is HttpRequestException { StatusCode: null }
                || (e is OperationCanceledException && !ct.IsCancellationRequested)
            )
        {
            throw new HttpRequestException(
                "Prometheus cannot be reached, or did not answer in time. Check Prometheus:Url.",
                e,
                e is OperationCanceledException ? HttpStatusCode.GatewayTimeout : HttpStatusCode.BadGateway
            );
        }
    }

    private static async Task<PrometheusAnswer> ReadAsync(
        HttpResponseMessage response,
        string path,
        string? asked,
        CancellationToken ct
    )
    {
        var body = await response.Content.ReadAsByteArrayAsync(ct);
        var json = Parse(body);
        if (
            response.IsSuccessStatusCode
            && json is { } answer
            && Text(answer, "status") == "success"
            && answer.TryGetProperty("data", out var data)
        )
        {
            return new(data, Texts(answer, "warnings"), Texts(answer, "infos"));
        }

        var isPage = Array.Find(body, letter => letter > ' ') == '<';
        // Prometheus itself, gateways and other systems with this API give some reasons as plain text.
        var plain = json is null ? Encoding.UTF8.GetString(body).Trim() : "";
        throw Failure(response, json, plain, isPage, path, asked);
    }

    private static Exception Failure(
        HttpResponseMessage response,
        JsonElement? json,
        string plain,
        bool isPage,
        string path,
        string? asked
    )
    {
        var code = (int)response.StatusCode;
        var reason = Clean(
                json is { } body ? Text(body, "error") ?? Text(body, "message") ?? ""
                : isPage ? ""
                : plain
            )
            .TrimEnd('.');
        var because = reason.Length > 0 ? $": {reason}" : "";
        return (code, json is { } error ? Text(error, "errorType") : null) switch
        {
            (401, _) => Upstream(
                $"Prometheus answered 401{because}. Check Prometheus:Token, or Prometheus:Username and "
                    + "Prometheus:Password."
            ),
            (403, _) => Upstream($"Prometheus answered 403{because}. These credentials may not read /api/v1/{path}."),
            (429, _) => Upstream(
                $"Prometheus answered 429{because}. It limits how much it answers: {Wait(response)}, then ask for less."
            ),
            // What Go's and nginx's servers answer to plain HTTP on a port with TLS.
            (400, _) when IsForTls(plain) => Upstream(
                "Prometheus:Url begins with http://, but the server there speaks TLS. Use https:// in Prometheus:Url."
            ),
            (_, "execution") or (422, not null) => new McpException(
                $"Prometheus cannot evaluate it: {reason}.{HowToMatch(reason)}"
            ),
            (_, "bad_data") or (400, not null) => new McpException(
                $"Prometheus refused it: {Explain(reason, asked)}.{HowToQuote(reason, asked)}"
            ),
            (_, "timeout" or "canceled") => new McpException(
                $"Prometheus stopped the query{because}. Narrow the selector, shorten the range or raise the step."
            ),
            (503, _) when json is not null => Upstream(
                $"Prometheus is not ready{because}. It may be starting: try again in a minute."
            ),
            (404, null) => Upstream(
                $"Prometheus knows no /api/v1/{path}{because}. Check Prometheus:Url and its path prefix; "
                    + "an old version may lack it."
            ),
            _ when isPage => Upstream(
                $"Prometheus:Url reached a web page ({code}) and not the API. Check the address, its path prefix, "
                    + "and whether a login stands before it."
            ),
            (< 300, _) => Upstream(PrometheusAnswer.NotTheApi),
            (< 500, _) => new McpException($"Prometheus answered {code}{because}."),
            _ => Upstream($"Prometheus answered {code}{because}. Try again; if it lasts, its log has the reason."),
        };

        HttpRequestException Upstream(string sentence) =>
            new(sentence, null, code < 400 ? HttpStatusCode.BadGateway : response.StatusCode);
    }

    private static bool IsForTls(string plain) =>
        plain.Contains("to an HTTPS server", StringComparison.Ordinal)
        || plain.Contains("sent to HTTPS port", StringComparison.Ordinal);

    private static string Wait(HttpResponseMessage response) =>
        response.Headers.RetryAfter?.Delta is { TotalSeconds: > 0 and < 86_400 } wait
            ? string.Create(CultureInfo.InvariantCulture, $"wait {wait.TotalSeconds:0} seconds")
            : "wait a minute";

    private static string HowToMatch(string reason) =>
        reason.Contains("many-to-many", StringComparison.Ordinal)
        || reason.Contains("duplicate series", StringComparison.Ordinal)
        || reason.Contains("duplicate time series", StringComparison.Ordinal)
            ? " Aggregate both sides to the same labels first, or match with on(...) and group_left."
            : "";

    // "1:4: parse error" counts bytes from the beginning of the query: the model is shown the place, in characters.
    private static string Explain(string reason, string? asked)
    {
        if (Place(reason, asked) is not { } place)
        {
            return reason.TrimEnd('.');
        }

        var (line, column, before, rest) = place;
        var start = Math.Max(0, before.Length - 30);
        var after = before.Length > 0 ? $"after \"{before[start..]}\"" : "at the beginning";
        return $"at line {line}, column {column}, {after}: {rest.TrimEnd('.')}";
    }

    private static string HowToQuote(string reason, string? asked)
    {
        if (
            Place(reason, asked) is not { } place
            || !place.Reason.Contains("unexpected character", StringComparison.Ordinal)
        )
        {
            return "";
        }

        var name = DottedName()
            .Matches(asked!)
            .Select(match => match.Value)
            .FirstOrDefault(name => place.Before.EndsWith(name.Split('.')[0], StringComparison.Ordinal));
        return name is null
            ? ""
            : $" A name with dots is quoted and stands in braces (Prometheus 3): {{\"{name}\"}}, with labels "
                + $"{{\"{name}\", job=\"api\"}}.";
    }

    private static (int Line, int Column, string Before, string Reason)? Place(string reason, string? asked)
    {
        if (
            Position().Match(reason) is not { Success: true } at
            || asked is null
            || !int.TryParse(at.Groups[1].ValueSpan, out var line)
            || !int.TryParse(at.Groups[2].ValueSpan, out var column)
        )
        {
            return null;
        }

        var bytes = Encoding.UTF8.GetBytes(asked.Split('\n').ElementAtOrDefault(line - 1) ?? "");
        var before = Encoding.UTF8.GetString(bytes, 0, Math.Clamp(column - 1, 0, bytes.Length));
        // A place beyond the query is not one of it, and stays as Prometheus gave it.
        var character = column - 1 > bytes.Length ? column : before.Length + 1;
        return (line, character, before, at.Groups[3].Value);
    }

    private static JsonElement? Parse(byte[] body)
    {
        try
        {
            return JsonElement.Parse(body) is { ValueKind: JsonValueKind.Object } answer ? answer : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;

    private static string[]? Texts(JsonElement json, string name) =>
        json.TryGetProperty(name, out var list) && list.ValueKind is JsonValueKind.Array && list.GetArrayLength() > 0
            ? [.. list.EnumerateArray().Select(item => Clean(item.ToString())).Take(10)]
            : null;

    private static string Clean(string text)
    {
        var plain = string.Concat(text.Where(letter => !char.IsControl(letter)));
        return plain.Length > 400 ? plain[..400] + "…" : plain;
    }

    [GeneratedRegex("^[a-zA-Z_][a-zA-Z0-9_]*$")]
    internal static partial Regex ClassicName();

    [GeneratedRegex(@"(\d+):(\d+): (?:parse error: )?(.+)$")]
    private static partial Regex Position();

    [GeneratedRegex(@"[a-zA-Z_][a-zA-Z0-9_]*(?:\.[a-zA-Z0-9_]+)+")]
    private static partial Regex DottedName();
}

/// <summary>The data that Prometheus answered, with its own warnings and infos.</summary>
internal sealed record PrometheusAnswer(JsonElement Data, string[]? Warnings, string[]? Infos)
{
    public const string NotTheApi =
        "Prometheus:Url answered something that is not Prometheus' API. Check the address and its path prefix.";

    /// <summary>Maps the data; what has another shape than the API's is not an answer of Prometheus.</summary>
    public T Read<T>(Func<PrometheusAnswer, T> read)
    {
        try
        {
            return read(this);
        }
        catch (Exception shape)
            when (shape
                    is InvalidOperationException
                        or KeyNotFoundException
                        or IndexOutOfRangeException
                        or FormatException
            )
        {
            throw new HttpRequestException(NotTheApi, shape, HttpStatusCode.BadGateway);
        }
    }
}
