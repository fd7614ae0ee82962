using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Prometheus;

/// <summary>The HTTP API of Prometheus, 2.x and 3.x, and of what speaks it too (Mimir, Thanos, VictoriaMetrics).</summary>
public sealed partial class PrometheusClient(HttpClient http) : IHealthCheck
{
    // Proxies take 8 kB of request line, and Prometheus itself about 1 MB.
    private const int LongestQuery = 4000;

    // What may also be posted; the others are GET only.
    private static readonly string[] Posted = ["query", "query_range", "series", "labels"];

    /// <summary>Asks, and gives the data. What the caller can mend is an <see cref="McpException"/>, anything else an <see cref="HttpRequestException"/>.</summary>
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

        // Some gateways let only GET through.
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
            if (
                build.ValueKind is JsonValueKind.Object
                && build.TryGetProperty("version", out var version)
                && version.GetString() is { } number
            )
            {
                data["version"] = number;
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

    /// <summary>A label in a path. Names that are not classic ones are written as Prometheus 3 wants them: U__ and each other letter by its number.</summary>
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
        // Prometheus itself, gateways and other systems that speak its API say some reasons as plain text.
        var plain = json is null && !isPage ? Encoding.UTF8.GetString(body).Trim() : "";
        throw Failure(response.StatusCode, json, plain, isPage, path, asked);
    }

    private static Exception Failure(
        HttpStatusCode status,
        JsonElement? json,
        string plain,
        bool isPage,
        string path,
        string? asked
    )
    {
        var code = (int)status;
        var said = Clean(json is { } body ? Text(body, "error") ?? Text(body, "message") ?? "" : plain).TrimEnd('.');
        var because = said.Length > 0 ? $": {said}" : "";
        return (code, json is { } error ? Text(error, "errorType") : null) switch
        {
            (401, _) => Upstream(
                $"Prometheus answered 401{because}. Check Prometheus:Token, or Prometheus:Username and Prometheus:Password."
            ),
            (403, _) => Upstream($"Prometheus answered 403{because}. These credentials may not read /api/v1/{path}."),
            (429, _) => Upstream(
                $"Prometheus answered 429{because}. It has too much to do: wait a minute, then ask for less."
            ),
            (_, "bad_data") => new McpException($"Prometheus refused it: {Explain(said, asked)}."),
            (_, "execution") => new McpException(
                $"Prometheus cannot evaluate it: {said}."
                    + (
                        said.Contains("many-to-many", StringComparison.Ordinal)
                        || said.Contains("duplicate series", StringComparison.Ordinal)
                            ? " Aggregate both sides to the same labels first, or match with on(...) and group_left."
                            : ""
                    )
            ),
            (_, "timeout" or "canceled") => new McpException(
                $"Prometheus gave up{because}. Narrow the selector, shorten the range or raise the step."
            ),
            (503, _) when json is not null => Upstream(
                $"Prometheus is not ready{because}. It may be starting: try again in a minute."
            ),
            (404, null) => Upstream(
                $"Prometheus knows no /api/v1/{path}{because}. Check Prometheus:Url and its path prefix; an old version may lack it."
            ),
            _ when isPage => Upstream(
                $"Prometheus:Url reached a web page ({code}) and not the API. Check the address, its path prefix, and whether a login stands before it."
            ),
            (< 300, _) => Upstream(
                "Prometheus:Url answered something that is not Prometheus' API. Check the address and its path prefix."
            ),
            (< 500, _) => new McpException($"Prometheus answered {code}{because}."),
            _ => Upstream($"Prometheus answered {code}{because}. Try again; if it lasts, its log has the reason."),
        };

        HttpRequestException Upstream(string sentence) =>
            new(sentence, null, code < 400 ? HttpStatusCode.BadGateway : status);
    }

    // "1:4: parse error" counts from the beginning of the query: the model is shown where that is.
    private static string Explain(string said, string? asked)
    {
        if (
            Position().Match(said) is not { Success: true } at
            || asked is null
            || !int.TryParse(at.Groups[1].ValueSpan, out var line)
            || !int.TryParse(at.Groups[2].ValueSpan, out var column)
        )
        {
            return said.TrimEnd('.');
        }

        var text = asked.Split('\n').ElementAtOrDefault(line - 1) ?? "";
        var end = Math.Clamp(column - 1, 0, text.Length);
        var start = Math.Max(0, end - 30);
        return $"at line {line}, column {column}, {(end > start ? $"after \"{text[start..end]}\"" : "at the beginning")}: {at.Groups[3].Value.TrimEnd('.')}";
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
    private static partial Regex ClassicName();

    [GeneratedRegex(@"(\d+):(\d+): (?:parse error: )?(.+)$")]
    private static partial Regex Position();
}

/// <summary>What Prometheus answered, with its own remarks.</summary>
internal sealed record PrometheusAnswer(JsonElement Data, string[]? Warnings, string[]? Infos)
{
    /// <summary>Makes something of it; what has another shape than the API's is not an answer of Prometheus.</summary>
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
            throw new HttpRequestException(
                "Prometheus:Url answered something that is not Prometheus' API. Check the address and its path prefix.",
                shape,
                HttpStatusCode.BadGateway
            );
        }
    }
}
