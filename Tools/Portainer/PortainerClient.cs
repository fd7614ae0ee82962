using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using MinimalMcp.Engine;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Portainer;

/// <summary>Portainer's own API, and the Docker Engines behind it. Failures become sentences for the caller.</summary>
internal sealed class PortainerClient(
    IHttpClientFactory http,
    IHttpMessageHandlerFactory handlers,
    IOptions<PortainerOptions> options,
    TimeProvider time
) : IHealthCheck
{
    private const int MaxListed = 50;
    private static readonly TimeSpan CacheTime = TimeSpan.FromMinutes(1);

    // What Portainer answers with status 500 when the Docker of an environment cannot be reached.
    private static readonly string[] Unreachable =
    [
        "No Edge agent registered",
        "Unable to get the active tunnel",
        "Unable to proxy the request",
    ];

    private (DateTimeOffset Until, IReadOnlyList<PortainerEnvironment> All)? _environments;

    public PortainerOptions Options => options.Value;

    /// <summary>Calls Portainer's own API.</summary>
    public Task<JsonElement> SendAsync(HttpMethod method, string resource, CancellationToken ct) =>
        ExplainAsync(() => SendCoreAsync(method, resource, ct), null);

    private async Task<JsonElement> SendCoreAsync(HttpMethod method, string resource, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, new Uri(Options.Root!, "api/" + resource));
        foreach (var (name, value) in Options.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var client = http.CreateClient(nameof(PortainerClient));
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        if (!answer.IsSuccessStatusCode || EngineException.IsHtml(answer))
        {
            throw await EngineException.FromAsync(answer, ct);
        }

        try
        {
            await using var body = await answer.Content.ReadAsStreamAsync(ct);
            using var json = await JsonDocument.ParseAsync(body, cancellationToken: ct);
            return json.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw EngineException.FromJson(e);
        }
    }

    /// <summary>Calls the Docker Engine of an environment: the named one or, when there is only one, that.</summary>
    public async Task<T> AskAsync<T>(int? environment, Func<EngineClient, Task<T>> call, CancellationToken ct)
    {
        var id = environment ?? await OnlyEnvironmentAsync(ct);
        // Without a version in the path: Portainer and Docker agree on one.
        using var engine = new EngineClient(
            handlers.CreateHandler(nameof(PortainerClient)),
            new Uri(Options.Root!, $"api/endpoints/{id}/docker/"),
            version: null,
            Options.Headers,
            circuit: $"environment {id}"
        );
        try
        {
            return await ExplainAsync(() => engine.AskAsync(call), id);
        }
        catch (McpException e) when (e.Message.Contains("Unable to find an environment", StringComparison.Ordinal))
        {
            _environments = null; // it may have been removed since
            throw new McpException($"There is no environment {id}. {Listed(await EnvironmentsAsync(ct))}");
        }
    }

    /// <summary>The environments of Portainer, without their large snapshots. Cached for a minute.</summary>
    public async Task<IReadOnlyList<PortainerEnvironment>> EnvironmentsAsync(CancellationToken ct)
    {
        if (_environments is { } cached && cached.Until > time.GetUtcNow())
        {
            return cached.All;
        }

        var answer = await SendAsync(HttpMethod.Get, "endpoints?excludeSnapshots=true", ct);
        var all = Read<List<PortainerEnvironment>>(answer);
        _environments = (time.GetUtcNow() + CacheTime, all);
        return all;
    }

    /// <summary>
    /// The only Docker environment. When there are several, an error lists them. IDs are never guessed: 1 is often
    /// absent.
    /// </summary>
    public async Task<int> OnlyEnvironmentAsync(CancellationToken ct)
    {
        var all = await EnvironmentsAsync(ct);
        return all.Where(environment => environment.IsDocker).ToArray() is [var only]
            ? only.Id
            : throw new McpException($"Set endpoint_id to the ID of an environment. {Listed(all)}");
    }

    public static T Read<T>(JsonElement answer)
    {
        try
        {
            return (answer.ValueKind is JsonValueKind.Undefined ? default : answer.Deserialize<T>())
                ?? throw new JsonException();
        }
        catch (JsonException)
        {
            throw new HttpRequestException(
                "Portainer sent JSON that is not what its API describes."
                    + " Check Portainer:Url, and that Portainer has version 2.",
                null,
                HttpStatusCode.BadGateway
            );
        }
    }

    /// <summary>Checks that Portainer answers, which is public, and that it accepts the token.</summary>
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        var data = new Dictionary<string, object>();
        try
        {
            var status = await SendAsync(HttpMethod.Get, "system/status", cancellationToken);
            if (status.ValueKind is JsonValueKind.Object && status.TryGetProperty("Version", out var version))
            {
                data["version"] = version.ToString();
            }

            await SendAsync(HttpMethod.Get, "endpoints?excludeSnapshots=true&limit=1&start=1", cancellationToken);
            data["authorised"] = true;
            return HealthCheckResult.Healthy(data: data);
        }
        catch (HttpRequestException e) when (e.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            data["authorised"] = false;
            return HealthCheckResult.Degraded(e.Message, data: data);
        }
        catch (Exception e) when (e is HttpRequestException or McpException)
        {
            return HealthCheckResult.Unhealthy(e.Message, data: data);
        }
    }

    private static string Listed(IReadOnlyList<PortainerEnvironment> all)
    {
        if (all.Count == 0)
        {
            return "Portainer has no environments that this token may see.";
        }

        var shown = all.Take(MaxListed)
            .Select(environment =>
                $"{environment.Id} {environment.Name} ({environment.Kind}, {(environment.IsUp ? "up" : "down")})"
            );
        var more = all.Count > MaxListed ? "; portainer_list_environments lists the rest" : "";
        return $"Environments: {string.Join("; ", shown)}{more}.";
    }

    private static async Task<T> ExplainAsync<T>(Func<Task<T>> call, int? environment)
    {
        try
        {
            return await call();
        }
        catch (EngineException e) when (e.IsCallerError)
        {
            var hint =
                e.Reason.Contains("No such container", StringComparison.OrdinalIgnoreCase)
                    ? " portainer_list_containers lists the containers of an environment."
                : e.Reason.Contains("find a stack", StringComparison.OrdinalIgnoreCase)
                    ? " portainer_list_stacks lists the stacks."
                : "";
            throw new McpException($"Portainer refused: {e.ForCaller}{hint}");
        }
        catch (EngineException e) when (environment is not null && IsUnreachable(e))
        {
            // An empty 502 is how Portainer passes on that Docker does not answer.
            var reason = e.IsEmpty ? "its Docker Engine or agent does not answer" : e.Reason.TrimEnd('.');
            throw new HttpRequestException(
                $"Portainer cannot reach environment {environment}: {reason}."
                    + " Start Docker or the agent there, or choose another of portainer_list_environments.",
                null,
                HttpStatusCode.BadGateway
            );
        }
        catch (EngineException e)
        {
            var hint = e is { IsPage: false, Status: HttpStatusCode.Unauthorized }
                ? " Portainer:Token must be an access token (My account, Access tokens) that still exists."
                : "";
            var status = e.Status is HttpStatusCode.OK ? HttpStatusCode.BadGateway : e.Status;
            throw new HttpRequestException(e.Explain("Portainer") + hint, null, status);
        }
        catch (ArgumentException)
        {
            throw new McpException(
                "container_id is not a valid container name or ID: it may have letters, digits, '_', '.' and '-', and"
                    + " begins with a letter or digit. portainer_list_containers lists the containers."
            );
        }
    }

    private static bool IsUnreachable(EngineException e) =>
        e is { IsEmpty: true, Status: HttpStatusCode.BadGateway }
        || Array.Exists(Unreachable, reason => e.Reason.StartsWith(reason, StringComparison.Ordinal));
}
