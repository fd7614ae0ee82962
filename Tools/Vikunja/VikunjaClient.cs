using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Vikunja;

/// <summary>Vikunja's API v1, whose verbs are unusual: PUT creates and POST updates. One method of v2 is used where there is one.</summary>
public sealed class VikunjaClient(IOptions<VikunjaOptions> options, IHttpClientFactory http, TimeProvider time)
    : IHealthCheck
{
    private const int PerPage = 50,
        MaxPages = 20; // of 50: servers silently give no more at once
    private static readonly TimeSpan VersionHolds = TimeSpan.FromMinutes(10);

    private readonly string _home = string.IsNullOrEmpty(options.Value.PublicUrl)
        ? VikunjaOptions.RootOf(options.Value.Url!)
        : options.Value.PublicUrl.TrimEnd('/');
    private (DateTimeOffset Until, Version? Version) _version;

    public TimeZoneInfo Zone { get; } = TimeZoneInfo.FindSystemTimeZoneById(options.Value.TimeZone);

    public string LinkTo(string page) => $"{_home}/{page}";

    /// <param name="scope">What a token needs for it, for the sentence of a refusal.</param>
    public async Task<JsonObject> SendAsync(
        HttpMethod method,
        string path,
        string scope,
        CancellationToken ct,
        JsonObject? body = null
    ) =>
        Read(await ExchangeAsync(method, "api/v1/" + path, body, "application/json", ct), method, scope) as JsonObject
        ?? throw VikunjaFailure.Unreadable(method);

    /// <summary>All items of a list, from as many of its pages as the limit and our bound allow; and whether there are more.</summary>
    public async Task<(IReadOnlyList<JsonObject> Items, bool More)> ListAsync(
        string path,
        string scope,
        int limit,
        CancellationToken ct,
        params (string Name, string? Value)[] query
    )
    {
        var items = new List<JsonObject>();
        var seen = new HashSet<long>();
        var words = string.Concat(
            query
                .Where(part => !string.IsNullOrWhiteSpace(part.Value))
                .Select(part => $"&{part.Name}={Uri.EscapeDataString(part.Value!)}")
        );
        for (var page = 1; page <= MaxPages; page++)
        {
            var answer = await ExchangeAsync(
                HttpMethod.Get,
                $"api/v1/{path}?page={page}&per_page={PerPage}{words}",
                null,
                "",
                ct
            );
            var fresh = ListIn(answer, scope)
                .OfType<JsonObject>()
                .Where(item => seen.Add(Number(item, "id")))
                .ToArray();
            items.AddRange(fresh.Take(limit - items.Count));
            if (items.Count < seen.Count || items.Count == limit)
            {
                return (items, items.Count < seen.Count || answer.TotalPages > page);
            }

            // Without the header, the end is a page that brings nothing new: how many fit on one is the server's decision.
            if (answer.TotalPages is { } total ? page >= total : fresh.Length == 0)
            {
                return (items, false);
            }
        }

        return (items, true);
    }

    /// <summary>A list that has no pages.</summary>
    public async Task<JsonArray> AllAsync(string path, string scope, CancellationToken ct) =>
        ListIn(await ExchangeAsync(HttpMethod.Get, "api/v1/" + path, null, "", ct), scope);

    /// <summary>v2 changes the named fields alone. False when this server, or this token, has no v2: nothing was changed then.</summary>
    public async Task<bool> TryPatchAsync(string path, JsonObject changes, string scope, CancellationToken ct)
    {
        if (!(await VersionAsync(ct) >= new Version(2, 4)))
        {
            return false;
        }

        var answer = await ExchangeAsync(
            HttpMethod.Patch,
            "api/v2/" + path,
            changes,
            "application/merge-patch+json",
            ct
        );
        if (
            (int)answer.Status is 401 or 403 or 404 or 405 or 415 or 501
            || (answer.IsSuccess && answer.Text.AsSpan().TrimStart().StartsWith('<'))
        )
        {
            return false;
        }

        _ = Read(answer, HttpMethod.Patch, scope);
        return true;
    }

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        var data = new Dictionary<string, object>();
        try
        {
            var info = await SendAsync(HttpMethod.Get, "info", "", cancellationToken); // open to everybody
            data["version"] = Text(info, "version") ?? "unknown";
            await ListAsync("projects", "projects: read_all", 1, cancellationToken);
            data["authorised"] = true;
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

    internal static long Number(JsonObject of, string name) =>
        of[name] is JsonValue value && value.TryGetValue<long>(out var number) ? number : 0;

    internal static string? Text(JsonObject of, string name) =>
        of[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private async Task<Version?> VersionAsync(CancellationToken ct)
    {
        if (_version.Until <= time.GetUtcNow())
        {
            var said = Text(await SendAsync(HttpMethod.Get, "info", "", ct), "version") ?? "";
            var digits = string.Concat(
                said.TrimStart('v').TakeWhile(letter => char.IsAsciiDigit(letter) || letter == '.')
            ); // "v2.4.0-12-gabc", "unstable"
            _version = (
                time.GetUtcNow() + VersionHolds,
                Version.TryParse(digits.TrimEnd('.'), out var version) ? version : null
            );
        }

        return _version.Version;
    }

    private async Task<Answer> ExchangeAsync(
        HttpMethod method,
        string path,
        JsonObject? body,
        string type,
        CancellationToken ct
    )
    {
        using var request = new HttpRequestMessage(method, path);
        request.Content = body is null ? null : new StringContent(body.ToJsonString(), Encoding.UTF8, type);
        using var response = await http.CreateClient(nameof(VikunjaClient)).SendAsync(request, ct);
        var text = Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(ct));
        var again = response.Headers.RetryAfter?.Delta is { } delta
            ? $"in {delta.TotalSeconds:0} seconds"
            : "in a minute";
        return new(
            response.StatusCode,
            response.IsSuccessStatusCode,
            text,
            int.TryParse(Header("x-pagination-total-pages"), out var pages) ? pages : null,
            again,
            Header("x-max-permission")
        );

        string? Header(string name) => response.Headers.TryGetValues(name, out var values) ? values.First() : null;
    }

    // An empty list may be null.
    private static JsonArray ListIn(Answer answer, string scope) =>
        Read(answer, HttpMethod.Get, scope) switch
        {
            null => [],
            JsonArray list => list,
            _ => throw VikunjaFailure.Unreadable(HttpMethod.Get),
        };

    private static JsonNode? Read(Answer answer, HttpMethod method, string scope)
    {
        JsonNode? node = null;
        var isJson = true;
        try
        {
            node = JsonNode.Parse(answer.Text, documentOptions: new() { AllowDuplicateProperties = false });
        }
        catch (JsonException)
        {
            isJson = false;
        }

        if (!answer.IsSuccess)
        {
            throw VikunjaFailure.Of(
                (int)answer.Status,
                node as JsonObject,
                isJson ? "" : answer.Text,
                method,
                scope,
                answer.Again
            );
        }

        if (isJson && node is JsonObject found && answer.Permission is { } permission)
        {
            found["max_permission"] ??= permission;
        }

        return isJson ? node : throw VikunjaFailure.Unreadable(method);
    }

    private sealed record Answer(
        HttpStatusCode Status,
        bool IsSuccess,
        string Text,
        int? TotalPages,
        string Again,
        string? Permission
    );
}
