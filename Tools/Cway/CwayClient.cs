using System.Collections.Frozen;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Cway;

/// <summary>
/// Cway's GraphQL API over HTTP POST. The operations stand in <c>Queries/*.graphql</c>; nothing else is ever sent.
/// </summary>
internal sealed partial class CwayClient(
    IOptions<CwayOptions> options,
    IHttpClientFactory http,
    CwayTokenClient tokens,
    TimeProvider time
) : IHealthCheck
{
    internal static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNameCaseInsensitive = false,
    };

    private static readonly FrozenDictionary<string, string> Operations = ReadOperations();

    /// <summary>Where progress becomes percent. The planner and the search may count differently.</summary>
    internal CwayPercent PlannerPercent { get; } = new(options.Value.PercentageScale);

    internal CwayPercent Percent { get; } = new(options.Value.PercentageScale);

    internal CwayOptions Options => options.Value;

    internal string Url => options.Value.Url;

    /// <summary>Asks for one field; null when Cway has no such thing.</summary>
    internal async Task<CwayAnswer<T>> AskAsync<T>(
        string operation,
        string field,
        object? variables,
        CancellationToken ct
    )
    {
        using var answer = await SendAsync(operation, Operations[operation], variables, ct);
        var data = answer.Data;
        if (data.ValueKind is JsonValueKind.Object && data.TryGetProperty(field, out var value) && !IsNull(value))
        {
            return new(Read<T>(value), answer.Errors is null ? null : $"Cway left something out: {answer.Errors}.");
        }

        return answer.Errors is null ? new(default, null) : throw answer.Refusal(field);
    }

    /// <summary>Makes a change that answers true, or says that it was refused.</summary>
    internal async Task ChangeAsync(string operation, string field, object variables, CancellationToken ct)
    {
        var (done, _) = await AskAsync<bool?>(operation, field, variables, ct);
        if (done is false)
        {
            throw new McpException(
                $"Cway did not do it: {field} answered false. Look at the current state, and whether the user of "
                    + "CWAY_API_TOKEN may do it."
            );
        }
    }

    /// <summary>One operation for many ids, each under its own alias. What Cway could not give is null.</summary>
    internal async Task<JsonElement?[]> AskEachAsync(string operation, IReadOnlyList<string> ids, CancellationToken ct)
    {
        var variables = ids.Select((id, at) => ("id" + at, id)).ToDictionary(pair => pair.Item1, pair => pair.id);
        using var answer = await SendAsync(operation + "Batch", Batch(operation, ids.Count), variables, ct);
        if (answer.Data.ValueKind is not JsonValueKind.Object)
        {
            throw answer.Refusal(operation);
        }

        return
        [
            .. ids.Select(
                (_, at) =>
                    answer.Data.TryGetProperty("p" + at, out var one) && !IsNull(one) ? one.Clone() : (JsonElement?)null
            ),
        ];
    }

    /// <summary>The text that asks an operation of one <c>$id</c> for many ids.</summary>
    internal static string Batch(string operation, int count)
    {
        var text = Operations[operation];
        var body = text[(text.IndexOf('{') + 1)..text.LastIndexOf('}')].Trim();
        var query = new StringBuilder($"query {operation}Batch(");
        query.AppendJoin(", ", Enumerable.Range(0, count).Select(at => $"$id{at}: UUID!")).Append(") {");
        for (var at = 0; at < count; at++)
        {
            query.Append($" p{at}: ").Append(body.Replace("$id", "$id" + at, StringComparison.Ordinal));
        }

        return query.Append(" }").ToString();
    }

    internal static IEnumerable<string> OperationNames => Operations.Keys;

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        var data = new Dictionary<string, object>();
        try
        {
            var (login, _) = await AskAsync<CwayLogin>("CwayLoginInfo", "loginInfo", null, cancellationToken);
            data["authorised"] = login is not null;
            return HealthCheckResult.Healthy(data: data);
        }
        catch (Exception e) when (e is HttpRequestException or McpException)
        {
            var refused =
                e is HttpRequestException { StatusCode: HttpStatusCode.Unauthorized }
                && data.TryAdd("authorised", false);
            return new(refused ? HealthStatus.Degraded : HealthStatus.Unhealthy, e.Message, data: data);
        }
    }

    private async Task<Answer> SendAsync(string operation, string query, object? variables, CancellationToken ct)
    {
        var isQuery = query.StartsWith("query", StringComparison.Ordinal);
        var attempts = isQuery ? options.Value.MaxRetries : 1;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await SendOnceAsync(operation, query, variables, isQuery, ct);
            }
            catch (HttpRequestException failed) when (attempt < attempts && IsPassing(failed))
            {
                await Task.Delay(TimeSpan.FromSeconds(attempt), time, ct);
            }
        }
    }

    // A gateway's answers and broken connections pass. Our own limits (too large, too late, circuit open) do not.
    private static bool IsPassing(HttpRequestException failed) =>
        failed.StatusCode is HttpStatusCode.BadGateway or HttpStatusCode.InternalServerError
        && failed.HttpRequestError is not HttpRequestError.ConfigurationLimitExceeded
        && !failed.Data.Contains("final");

    private async Task<Answer> SendOnceAsync(
        string operation,
        string query,
        object? variables,
        bool isQuery,
        CancellationToken ct
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, options.Value.Url);
        request.Headers.Authorization = new("Bearer", await tokens.GetAsync(ct));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        request.Content = new ByteArrayContent(
            JsonSerializer.SerializeToUtf8Bytes(
                new
                {
                    query,
                    variables = variables ?? new { },
                    operationName = operation,
                },
                Json
            )
        );
        request.Content.Headers.ContentType = new("application/json");
        using var response = await http.CreateClient(nameof(CwayClient)).SendAsync(request, ct);
        var body = await response.Content.ReadAsByteArrayAsync(ct);
        var doubt = isQuery ? "" : " The change may have been made all the same: look before trying again.";
        JsonDocument? document = null;
        try
        {
            document = JsonDocument.Parse(body);
        }
        catch (JsonException)
        {
            // A page of a proxy, or of a login.
        }

        if (document?.RootElement.ValueKind is JsonValueKind.Object && HasAnswer(document.RootElement, response))
        {
            return new(document);
        }

        document?.Dispose();
        throw Failure((int)response.StatusCode, response.Headers.RetryAfter?.Delta, doubt);
    }

    // Some servers answer GraphQL errors with 400: they say more than the status.
    private static bool HasAnswer(JsonElement root, HttpResponseMessage response) =>
        response.IsSuccessStatusCode || response.StatusCode is HttpStatusCode.BadRequest
            ? root.TryGetProperty("data", out _) || root.TryGetProperty("errors", out _)
            : false;

    private static HttpRequestException Failure(int status, TimeSpan? again, string doubt)
    {
        var sentence = status switch
        {
            401 => "Cway answered 401: the token is wrong or has expired. Set CWAY_API_TOKEN (Cway:Token) to a valid "
                + "API token of Cway.",
            403 => "Cway answered 403: the user of CWAY_API_TOKEN may not use the API.",
            404 or 405 => $"Cway answered {status}: there is no GraphQL endpoint. Check CWAY_API_URL (Cway:Url).",
            429 => "Cway answered 429: too many requests. Try again "
                + (again is { } wait ? $"in {Math.Ceiling(wait.TotalSeconds):0} seconds." : "in a minute."),
            >= 500 => $"Cway answered {status}. Try again later.{doubt}",
            >= 200 and < 300 =>
                "Cway sent something that is no GraphQL answer, perhaps a login page. Check CWAY_API_URL (Cway:Url)."
                    + doubt,
            _ => $"Cway answered {status}.{doubt}",
        };
        var code = status is >= 200 and < 300 ? HttpStatusCode.BadGateway : (HttpStatusCode)status;
        var failure = new HttpRequestException(sentence, null, code);
        if (status is >= 200 and < 300)
        {
            failure.Data["final"] = true; // the same page would come again
        }

        return failure;
    }

    private static T Read<T>(JsonElement value)
    {
        try
        {
            return value.Deserialize<T>(Json)!;
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or FormatException)
        {
            throw new HttpRequestException(
                "Cway sent something of another shape than its schema says. Check CWAY_API_URL (Cway:Url).",
                null,
                HttpStatusCode.BadGateway
            )
            {
                Data = { ["final"] = true },
            };
        }
    }

    private static bool IsNull(JsonElement value) => value.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined;

    private static FrozenDictionary<string, string> ReadOperations()
    {
        var assembly = typeof(CwayClient).Assembly;
        var operations = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (
            var name in assembly
                .GetManifestResourceNames()
                .Where(name => name.EndsWith(".graphql", StringComparison.Ordinal))
        )
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            var text = Comment().Replace(reader.ReadToEnd(), "");
            foreach (Match operation in Operation().Matches(text))
            {
                operations.Add(operation.Groups[1].Value, operation.Value.Trim());
            }
        }

        return operations.ToFrozenDictionary();
    }

    [GeneratedRegex(
        @"^(?:query|mutation) (\w+).*?(?=^(?:query|mutation) |\z)",
        RegexOptions.Multiline | RegexOptions.Singleline
    )]
    private static partial Regex Operation();

    [GeneratedRegex("^#.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    /// <summary>An answer: data, or errors, or some of both.</summary>
    private sealed class Answer(JsonDocument document) : IDisposable
    {
        public JsonElement Data { get; } = document.RootElement.TryGetProperty("data", out var data) ? data : default;

        /// <summary>What Cway said was wrong, in one line; null when nothing.</summary>
        public string? Errors { get; } = Messages(document.RootElement);

        public void Dispose() => document.Dispose();

        public Exception Refusal(string field)
        {
            var kinds = Kinds(document.RootElement);
            return kinds.Contains("ValidationError") ? Wrong()
                : kinds.Any(kind => kind is "FORBIDDEN" or "UNAUTHORIZED" or "UNAUTHENTICATED")
                    ? new McpException(
                        $"Cway refused {field}: {Errors}. The user of CWAY_API_TOKEN may not do this here."
                    )
                : new McpException($"Cway refused {field}: {Errors}.");

            HttpRequestException Wrong() =>
                new(
                    $"Cway's schema has changed: it does not know what this server asks ({Errors}). "
                        + "This server has to be updated.",
                    null,
                    HttpStatusCode.BadGateway
                )
                {
                    Data = { ["final"] = true },
                };
        }

        private static IEnumerable<JsonElement> Each(JsonElement root) =>
            root.TryGetProperty("errors", out var errors) && errors.ValueKind is JsonValueKind.Array
                ? errors.EnumerateArray().Where(error => error.ValueKind is JsonValueKind.Object)
                : [];

        private static string? Messages(JsonElement root)
        {
            var said = Each(root)
                .Select(error => error.TryGetProperty("message", out var text) ? text.ToString() : "no reason given")
                .Distinct()
                .Take(3)
                .ToArray();
            if (said.Length == 0)
            {
                return null;
            }

            var line = string.Concat(string.Join("; ", said).Where(letter => !char.IsControl(letter))).TrimEnd('.');
            return line.Length > 300 ? line[..300] + "…" : line;
        }

        private static string[] Kinds(JsonElement root) =>
            [
                .. Each(root)
                    .Select(error =>
                        error.TryGetProperty("extensions", out var more)
                        && more.ValueKind is JsonValueKind.Object
                        && more.TryGetProperty("classification", out var kind)
                            ? kind.ToString()
                            : ""
                    ),
            ];
    }
}

/// <summary>What Cway gave, and what it left out.</summary>
internal readonly record struct CwayAnswer<T>(T? Value, string? Note);
