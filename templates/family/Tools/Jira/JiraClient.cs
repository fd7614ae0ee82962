using System.Net;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MinimalMcp.Tools.Jira;

/// <summary>
/// Requests to Jira. The paths and shapes are examples: put those of the real system here, and record its answers for
/// the tests.
/// </summary>
internal sealed class JiraClient(HttpClient http) : IHealthCheck
{
    // Not every system unescapes: a plus sign is sent as +, and not as \u002B.
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public Task<FoundItems> SearchAsync(string query, int limit, CancellationToken ct) =>
        SendAsync<FoundItems>(HttpMethod.Get, $"api/items?query={Uri.EscapeDataString(query)}&limit={limit}", null, ct);

    public Task<Item> CreateAsync(string title, CancellationToken ct) =>
        SendAsync<Item>(HttpMethod.Post, "api/items", new { title }, ct);

    /// <summary>Whether Jira answers, and whether it accepts the token. The tool system_status shows it.</summary>
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        try
        {
            await SearchAsync("", 1, cancellationToken);
            return HealthCheckResult.Healthy(data: new Dictionary<string, object> { ["authorised"] = true });
        }
        catch (HttpRequestException e) when (e.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            return HealthCheckResult.Degraded(
                e.Message,
                data: new Dictionary<string, object> { ["authorised"] = false }
            );
        }
        catch (HttpRequestException e)
        {
            return HealthCheckResult.Unhealthy(e.Message);
        }
    }

    // A failure is an HttpRequestException. Its message is shown to the caller: it may hold nothing secret.
    private async Task<T> SendAsync<T>(HttpMethod method, string path, object? body, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, path)
        {
            Content = body is null ? null : JsonContent.Create(body, options: Json),
        };
        try
        {
            using var response = await http.SendAsync(request, ct);
            if (!response.IsSuccessStatusCode)
            {
                var hint = response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
                    ? " Check Jira:Token."
                    : "";
                throw new HttpRequestException(
                    $"Jira answered {(int)response.StatusCode}.{hint}",
                    null,
                    response.StatusCode
                );
            }

            return await response.Content.ReadFromJsonAsync<T>(ct) ?? throw new JsonException();
        }
        catch (HttpRequestException e) when (e.StatusCode is null)
        {
            throw new HttpRequestException("Jira cannot be reached. Check Jira:Url.", e, HttpStatusCode.BadGateway);
        }
        catch (JsonException e)
        {
            throw new HttpRequestException(
                "Jira sent an answer that cannot be read. Check Jira:Url.",
                e,
                HttpStatusCode.BadGateway
            );
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new HttpRequestException(
                "Jira did not answer in time. Try again later.",
                e,
                HttpStatusCode.GatewayTimeout
            );
        }
    }
}
