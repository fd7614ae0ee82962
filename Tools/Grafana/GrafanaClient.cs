using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Grafana;

/// <summary>The HTTP API of Grafana 10 to 12. It has no versions, so what is read is read with care.</summary>
public sealed class GrafanaClient(HttpClient http) : IHealthCheck
{
    /// <summary>Asks, and gives the answer. What the caller can mend is an <see cref="McpException"/>, anything else an <see cref="HttpRequestException"/>.</summary>
    /// <param name="path">Below /api/, already escaped.</param>
    /// <param name="missing">What to do when Grafana knows no such thing.</param>
    internal Task<JsonElement> GetAsync(string path, CancellationToken ct, string missing = "") =>
        SendAsync(HttpMethod.Get, path, null, missing, ct);

    internal Task<JsonElement> PostAsync(string path, JsonObject body, CancellationToken ct, string missing = "") =>
        SendAsync(HttpMethod.Post, path, body, missing, ct);

    internal Task<JsonElement> DeleteAsync(string path, CancellationToken ct, string missing = "") =>
        SendAsync(HttpMethod.Delete, path, null, missing, ct);

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

    /// <summary>/api/health wants no credentials, so being healthy proves nothing about the token: the organisation does.</summary>
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

    /// <summary>An argument as one segment of a path. It must not lead elsewhere, also not behind a proxy that decodes it.</summary>
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
        HttpMethod method,
        string path,
        JsonObject? body,
        string missing,
        CancellationToken ct
    )
    {
        using var request = new HttpRequestMessage(method, path)
        {
            Content = body is null ? null : JsonContent.Create(body),
        };
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
            var bytes = await response.Content.ReadAsByteArrayAsync(ct);
            var json = Parse(bytes);
            // A query that failed, and a database that fails, are told with another status and the body of a success.
            return
                json is { } answer && (response.IsSuccessStatusCode || answer.Has("results") || answer.Has("database"))
                ? answer
                : throw Failure(response.StatusCode, json, bytes, method, path, missing);
        }
        catch (Exception e)
            when (e is HttpRequestException { StatusCode: null }
                || (e is OperationCanceledException && !ct.IsCancellationRequested)
            )
        {
            var doubt =
                method == HttpMethod.Get
                    ? ""
                    : " The change may have been made all the same: look before trying again.";
            throw new HttpRequestException(
                $"Grafana cannot be reached, or did not answer in time. Check Grafana:Url.{doubt}",
                e,
                e is OperationCanceledException ? HttpStatusCode.GatewayTimeout : HttpStatusCode.BadGateway
            );
        }
    }

    private static Exception Failure(
        HttpStatusCode status,
        JsonElement? json,
        byte[] bytes,
        HttpMethod method,
        string path,
        string missing
    )
    {
        var code = (int)status;
        var isPage = Array.Find(bytes, letter => letter > ' ') == '<';
        // A plugin or a proxy may say its reason as plain text.
        var plain = json is null && !isPage ? Encoding.UTF8.GetString(bytes).Trim() : "";
        var said = GrafanaJson
            .Clean(json is { } body ? body.Text("message") ?? body.Text("error") ?? "" : plain)
            .TrimEnd('.');
        var because = said.Length > 0 ? $": {said}" : "";
        var call = $"{method.Method} /api/{path.Split('?')[0]}";
        return (code, json is { } error ? error.Text("status") : null) switch
        {
            (401, _) => Upstream(
                $"Grafana answered 401{because}. Check Grafana:Token: it may be expired, revoked or of another Grafana."
            ),
            // It names what is missing: "Permissions needed: datasources:create".
            (403, _) => Upstream(
                $"Grafana answered 403{because}. Give the service account of Grafana:Token that permission, or a higher role."
            ),
            _ when isPage => Upstream(
                $"Grafana:Url reached a web page ({code}) and not the API. Check the address, its path prefix, and whether a login stands before it."
            ),
            (404, _) when json is not null => new McpException(
                $"Grafana knows no such thing{because}. {missing}".TrimEnd()
            ),
            (404, _) => Upstream($"Grafana knows no {call}{because}. Check Grafana:Url and its path prefix."),
            (409, _) => new McpException(
                $"Grafana refused it, because there is one already{because}. Choose another name or uid."
            ),
            (412, "version-mismatch") => new McpException(
                "The dashboard was changed by somebody else meanwhile. Read it again with grafana_get_dashboard, and make the change in that version."
            ),
            (412, "name-exists") => new McpException(
                $"{(said.Length > 0 ? said : "A dashboard of that title is in the folder already")}. Choose another title or folder, or change that one with grafana_update_dashboard."
            ),
            (412, _) => new McpException($"Grafana refused to save it{because}."),
            (429, _) => Upstream($"Grafana answered 429{because}. It has too much to do: wait a minute."),
            (400 or 422, _) => new McpException($"Grafana refused {call}{because}. {missing}".TrimEnd()),
            (< 300, _) => Shape(),
            _ => Upstream(
                $"Grafana answered {code} to {call}{because}."
                    + (
                        method != HttpMethod.Get && code >= 500
                            ? " The change may have been made all the same: look before trying again."
                            : ""
                    )
            ),
        };

        HttpRequestException Upstream(string sentence) =>
            new(sentence, null, code < 400 ? HttpStatusCode.BadGateway : status);
    }

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
}
