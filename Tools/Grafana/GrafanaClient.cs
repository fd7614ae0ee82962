using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Grafana;

/// <summary>The HTTP API of Grafana 10 to 13. It has no versions, so every answer is read with care.</summary>
internal sealed partial class GrafanaClient(HttpClient http) : IHealthCheck
{
    // Go's JSON reads + as it is, and some of its time parsers refuse \u002B.
    private static readonly JsonSerializerOptions Relaxed = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    // For the host's HTTP pipeline, where it looks at such options: this request changes nothing, whatever its method.
    private static readonly HttpRequestOptionsKey<bool> ReadOnly = new("ReadOnly");

    /// <summary>
    /// Sends a request and returns its answer. What the caller can fix is an <see cref="McpException"/>, anything else
    /// an <see cref="HttpRequestException"/>.
    /// </summary>
    /// <param name="path">Below /api/, already escaped.</param>
    /// <param name="missing">What to do when Grafana knows no such thing.</param>
    internal Task<JsonElement> GetAsync(string path, CancellationToken ct, string missing = "") =>
        SendAsync(new(HttpMethod.Get, path), null, missing, ct);

    internal Task<JsonElement> PostAsync(string path, JsonObject body, CancellationToken ct, string missing = "") =>
        SendAsync(new(HttpMethod.Post, path), body, missing, ct);

    internal Task<JsonElement> PutAsync(string path, JsonObject body, CancellationToken ct, string missing = "") =>
        SendAsync(new(HttpMethod.Put, path), body, missing, ct);

    /// <summary>A POST that only reads.</summary>
    internal Task<JsonElement> QueryAsync(string path, JsonObject body, CancellationToken ct, string missing = "")
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Options.Set(ReadOnly, true);
        return SendAsync(request, body, missing, ct);
    }

    internal Task<JsonElement> DeleteAsync(string path, CancellationToken ct, string missing = "") =>
        SendAsync(new(HttpMethod.Delete, path), null, missing, ct);

    /// <summary>
    /// A dashboard in the schema that it is stored in. The API of the classic schema answers 406 for one of schema v2
    /// and names the address where it is (Grafana 12 and later); some versions convert it and lose parts of it.
    /// </summary>
    internal async Task<StoredDashboard> DashboardAsync(string uid, CancellationToken ct)
    {
        var segment = Segment(uid, "uid");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"dashboards/uid/{segment}");
        var answer = await TryAsync(request, null, ct);
        if (
            answer is { Status: HttpStatusCode.NotAcceptable, Json: { } refusal }
            && Elsewhere().Match(refusal.Text("message") ?? "") is { Success: true } elsewhere
        )
        {
            return await V2Async(elsewhere.Groups[1].Value, elsewhere.Groups[2].Value);
        }

        var json = Check(answer, request, UidsAreListed);
        var (meta, dashboard) = (json.Member("meta"), json.Member("dashboard"));
        return meta.Text("apiVersion")?.Split('/')[^1] is { } version
            && version.StartsWith("v2", StringComparison.Ordinal)
                ? await V2Async(version, await NamespaceAsync(ct))
            : dashboard.ValueKind is JsonValueKind.Object ? StoredDashboard.Classic(uid, meta, dashboard)
            : throw Shape();

        async Task<StoredDashboard> V2Async(string api, string space)
        {
            var resource = await GetAsync($"{DashboardsOf(api, space)}/{segment}", ct, UidsAreListed);
            return resource.Member("spec").ValueKind is JsonValueKind.Object
                ? StoredDashboard.V2(uid, api, space, resource)
                : throw Shape();
        }
    }

    internal const string UidsAreListed = "grafana_list_dashboards returns the uids.";

    /// <summary>The path of the resources of schema v2, beside /api/.</summary>
    internal static string DashboardsOf(string api, string space) =>
        $"../apis/dashboard.grafana.app/{api}/namespaces/{space}/dashboards";

    /// <summary>The version of schema v2 that this Grafana serves, the wanted one if it does.</summary>
    internal async Task<string> V2ApiAsync(string? wanted, CancellationToken ct)
    {
        string[] served;
        try
        {
            served =
            [
                .. (await GetAsync("../apis/dashboard.grafana.app", ct))
                    .Items("versions")
                    .Select(version => version.Text("version"))
                    .OfType<string>()
                    .Where(version => SchemaV2().IsMatch(version)),
            ];
        }
        catch (HttpRequestException unknown) when (unknown.StatusCode is HttpStatusCode.NotFound)
        {
            served = [];
        }

        return served.Contains(wanted)
            ? wanted!
            : served.FirstOrDefault(version => version == "v2beta1")
                ?? served.OrderBy(version => version.Length).FirstOrDefault()
                ?? throw new McpException(
                    "This Grafana has no dashboards of schema v2: it is older than 12. "
                        + "Give the classic form: panels, templating, time."
                );
    }

    /// <summary>The namespace of the token's organisation in the newer APIs.</summary>
    internal async Task<string> NamespaceAsync(CancellationToken ct)
    {
        var settings = await GetAsync("frontend/settings", ct);
        if (settings.Text("namespace") is { } space && NamespaceName().IsMatch(space))
        {
            return space;
        }

        return (await GetAsync("org", ct)).Number("id") is > 1 and var id ? $"org-{id}" : "default";
    }

    /// <summary>Whether Grafana answers, whether it accepts our token, and its version.</summary>
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        try
        {
            var health = await HealthAsync(cancellationToken);
            var data = new Dictionary<string, object>();
            if (health.Authorised is { } authorised)
            {
                data["authorised"] = authorised;
            }

            if (health.Version is { } version)
            {
                data["version"] = version;
            }

            return new(
                health.Healthy
                    ? health.Authorised is true
                        ? HealthStatus.Healthy
                        : HealthStatus.Degraded
                    : HealthStatus.Unhealthy,
                health.Note,
                data: data
            );
        }
        catch (Exception e) when (e is HttpRequestException or McpException)
        {
            return HealthCheckResult.Unhealthy(e.Message);
        }
    }

    /// <summary>/api/health needs no credentials, so it proves nothing about the token; /api/org does.</summary>
    internal async Task<HealthResult> HealthAsync(CancellationToken ct)
    {
        var health = await GetAsync("health", ct);
        var (database, version) = (health.Text("database"), health.Text("version"));
        if (database is null)
        {
            throw Shape();
        }

        try
        {
            var organisation = (await GetAsync("org", ct)).Text("name");
            return new(
                database == "ok",
                database,
                version,
                Authorised: true,
                organisation,
                database == "ok" ? null : "Grafana's database fails: see Grafana's log."
            );
        }
        catch (HttpRequestException refused)
            when (refused.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            return new(database == "ok", database, version, Authorised: false, Note: refused.Message);
        }
        catch (Exception failed) when (failed is HttpRequestException or McpException)
        {
            return new(database == "ok", database, version, Note: failed.Message);
        }
    }

    /// <summary>
    /// An argument as one segment of a path. It must not lead elsewhere, also not behind a proxy that decodes it.
    /// </summary>
    internal static string Segment(string uid, string argument) =>
        uid.Length is > 0 and <= 200
        && uid is not ("." or "..")
        && !uid.Any(letter => letter is '/' or '\\' or '%' or '?' or '#' || char.IsControl(letter))
            ? Uri.EscapeDataString(uid)
            : throw new McpException(
                $"{argument} is not a uid: it has no slash, percent or question mark. The list tools have the uids."
            );

    internal static HttpRequestException Shape() =>
        new(
            "Grafana:Url answered something that is not Grafana's API. Check the address and its path prefix.",
            null,
            HttpStatusCode.BadGateway
        );

    private async Task<JsonElement> SendAsync(
        HttpRequestMessage request,
        JsonObject? body,
        string missing,
        CancellationToken ct
    )
    {
        using (request)
        {
            return Check(await TryAsync(request, body, ct), request, missing);
        }
    }

    private async Task<Answer> TryAsync(HttpRequestMessage request, JsonObject? body, CancellationToken ct)
    {
        request.Content = body is null ? null : JsonContent.Create(body, options: Relaxed);
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
            var bytes = await response.Content.ReadAsByteArrayAsync(ct);
            return new(response.StatusCode, Parse(bytes), bytes, response.Headers.RetryAfter?.Delta);
        }
        catch (Exception e)
            when (e is HttpRequestException { StatusCode: null }
                || (e is OperationCanceledException && !ct.IsCancellationRequested)
            )
        {
            throw new HttpRequestException(
                $"Grafana cannot be reached, or did not answer in time. Check Grafana:Url.{Doubt(request)}",
                e,
                e is OperationCanceledException ? HttpStatusCode.GatewayTimeout : HttpStatusCode.BadGateway
            );
        }
    }

    // A query that failed, and a database that fails, come with another status and the body of a success.
    private static JsonElement Check(Answer answer, HttpRequestMessage request, string missing) =>
        answer.Json is { } json
        && ((int)answer.Status is >= 200 and < 300 || json.Has("results") || json.Has("database"))
            ? json
            : throw Failure(answer, request, missing);

    private static string Doubt(HttpRequestMessage request) =>
        request.Method == HttpMethod.Get || request.Options.TryGetValue(ReadOnly, out _)
            ? ""
            : " The change may have been made: look at it in Grafana before you try again.";

    private static Exception Failure(Answer answer, HttpRequestMessage request, string missing)
    {
        var (code, json, bytes) = ((int)answer.Status, answer.Json, answer.Bytes);
        var isPage = Array.Find(bytes, letter => letter > ' ') == '<';
        // A plugin or a proxy may give its reason as plain text.
        var plain = json is null ? Encoding.UTF8.GetString(bytes).Trim() : "";
        var reason = GrafanaJson
            .Clean(
                json is { } body ? body.Text("message") ?? body.Text("error") ?? ""
                : isPage ? ""
                : plain
            )
            .TrimEnd('.');
        var because = reason.Length > 0 ? $": {reason}" : "";
        var address = request.RequestUri!.IsAbsoluteUri ? request.RequestUri.AbsolutePath : "";
        var call = $"{request.Method} {address[Math.Max(0, address.IndexOf("/api", StringComparison.Ordinal))..]}";
        var kind = json is { } error ? error.Text("reason") ?? error.Text("status") : null;
        return (code, kind) switch
        {
            (401, _) => Upstream(
                $"Grafana answered 401{because}. Check Grafana:Token: it may be expired, revoked or of another Grafana."
            ),
            // It names what is missing: "Permissions needed: datasources:create".
            (403, _) => Upstream(
                $"Grafana answered 403{because}. Give the service account of Grafana:Token that permission, "
                    + "or a higher role."
            ),
            // What Go's and nginx's servers answer to plain HTTP on a port with TLS.
            (400, _) when IsForTls(plain) => Upstream(
                "Grafana:Url begins with http://, but the server there speaks TLS. Use https:// in Grafana:Url."
            ),
            _ when isPage => Upstream(
                $"Grafana:Url reached a web page ({code}) and not the API. Check the address, its path prefix, "
                    + "and whether a login stands before it."
            ),
            (404, _) when json is not null => new GrafanaMissingException(
                $"Grafana knows no such thing{because}. {missing}".TrimEnd()
            ),
            (404, _) => Upstream($"Grafana knows no {call}{because}. Check Grafana:Url and its path prefix."),
            (409, "Conflict") or (412, "version-mismatch") => new McpException(
                "The dashboard was changed by somebody else meanwhile, and nothing was saved. "
                    + "Read it again with grafana_get_dashboard, and make the change in that version."
            ),
            (409, _) => new McpException(
                $"Grafana refused it, because there is one already{because}. Choose another name or uid."
            ),
            (412, "name-exists") => new McpException(
                $"{(reason.Length > 0 ? reason : "A dashboard of that title is in the folder already")}. "
                    + "Choose another title or folder, or change that one with grafana_update_dashboard."
            ),
            (412, _) => new McpException($"Grafana refused to save it{because}."),
            (429, _) => Upstream(
                $"Grafana answered 429{because}. It limits how much it answers: {Wait(answer)}, then try again."
            ),
            (400 or 422, _) => new McpException($"Grafana refused {call}{because}. {missing}".TrimEnd()),
            (< 300, _) => Shape(),
            _ => Upstream($"Grafana answered {code} to {call}{because}.{(code >= 500 ? Doubt(request) : "")}"),
        };

        HttpRequestException Upstream(string sentence) =>
            new(sentence, null, code < 400 ? HttpStatusCode.BadGateway : answer.Status);
    }

    private static bool IsForTls(string plain) =>
        plain.Contains("to an HTTPS server", StringComparison.Ordinal)
        || plain.Contains("sent to HTTPS port", StringComparison.Ordinal);

    private static string Wait(Answer answer) =>
        answer.RetryAfter is { TotalSeconds: > 0 and < 86_400 } wait
            ? string.Create(CultureInfo.InvariantCulture, $"wait {wait.TotalSeconds:0} seconds")
            : "wait a minute";

    private static JsonElement? Parse(byte[] body)
    {
        try
        {
            return JsonElement.Parse(body) is { ValueKind: JsonValueKind.Object or JsonValueKind.Array } answer
                ? answer
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"/apis/dashboard\.grafana\.app/(v2[a-z0-9]*)/namespaces/([a-zA-Z0-9-]+)/dashboards/")]
    private static partial Regex Elsewhere();

    [GeneratedRegex("^v2([a-z]+[0-9]+)?$")]
    private static partial Regex SchemaV2();

    [GeneratedRegex("^[a-zA-Z0-9-]{1,80}$")]
    private static partial Regex NamespaceName();

    private sealed record Answer(HttpStatusCode Status, JsonElement? Json, byte[] Bytes, TimeSpan? RetryAfter);
}

/// <summary>Grafana has nothing of that name.</summary>
internal sealed class GrafanaMissingException(string message) : McpException(message);
