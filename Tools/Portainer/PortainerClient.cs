using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using MinimalMcp.Engine;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Portainer;

/// <summary>Portainer's own API, and Docker behind it. Failures are sentences for the caller or operator.</summary>
public sealed class PortainerClient(
    IHttpClientFactory http,
    IHttpMessageHandlerFactory handlers,
    IOptions<PortainerOptions> options,
    TimeProvider time
) : IHealthCheck
{
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(1);

    private (DateTimeOffset Until, IReadOnlyList<PortainerEnvironment> All)? _environments;

    public PortainerOptions Options => options.Value;

    /// <summary>Asks Portainer itself.</summary>
    public Task<JsonElement> SendAsync(HttpMethod method, string resource, CancellationToken ct) =>
        ToldAsync(() => SendCoreAsync(method, resource, ct));

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
            throw await EngineException.OfAsync(answer, ct);
        }

        try
        {
            await using var body = await answer.Content.ReadAsStreamAsync(ct);
            using var json = await JsonDocument.ParseAsync(body, cancellationToken: ct);
            return json.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw EngineException.OfJson(e);
        }
    }

    /// <summary>Asks the engine of an environment: the named one or, when there is only one, that.</summary>
    public async Task<T> AskAsync<T>(int? environment, Func<EngineClient, Task<T>> question, CancellationToken ct)
    {
        var chosen = environment ?? await OnlyEnvironmentAsync(ct);
        try
        {
            // Without a version in the path: Portainer and Docker agree on one.
            var url = new Uri(Options.Root!, $"api/endpoints/{chosen}/docker/");
            using var engine = new EngineClient(
                handlers.CreateHandler(nameof(PortainerClient)),
                url,
                null,
                Options.Headers
            );
            return await ToldAsync(() => engine.AskAsync(question));
        }
        catch (McpException e) when (e.Message.Contains("Unable to find an environment", StringComparison.Ordinal))
        {
            _environments = null; // it may have gone since
            throw new McpException($"There is no environment {chosen}. {Listed(await EnvironmentsAsync(ct))}");
        }
        catch (HttpRequestException e)
            when (e.StatusCode is HttpStatusCode.BadGateway
                && e.Message.Contains("nothing further", StringComparison.Ordinal)
            )
        {
            // A 502 without a word is how Portainer passes on that Docker does not answer there.
            throw new HttpRequestException(
                $"Portainer cannot reach the environment {chosen}: its Docker or its agent does not answer."
                    + " Start it, or name another environment of portainer_list_environments.",
                null,
                HttpStatusCode.BadGateway
            );
        }
    }

    /// <summary>What Portainer looks after, without its large snapshots. Asked again after a minute.</summary>
    public async Task<IReadOnlyList<PortainerEnvironment>> EnvironmentsAsync(CancellationToken ct)
    {
        if (_environments is { } known && known.Until > time.GetUtcNow())
        {
            return known.All;
        }

        var answer = await SendAsync(HttpMethod.Get, "endpoints?excludeSnapshots=true", ct);
        var all = Read<List<PortainerEnvironment>>(answer);
        _environments = (time.GetUtcNow() + Fresh, all);
        return all;
    }

    /// <summary>
    /// The only Docker environment; when there are several, the sentence that lists them. Ids are never guessed: 1 is
    /// often absent.
    /// </summary>
    public async Task<int> OnlyEnvironmentAsync(CancellationToken ct)
    {
        var all = await EnvironmentsAsync(ct);
        return all.Where(environment => environment.IsDocker).ToArray() is [var only]
            ? only.Id
            : throw new McpException($"Say which environment with endpoint_id. {Listed(all)}");
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
                "Portainer sent JSON that is not what it describes. Check Portainer:Url, and whether it is version 2.",
                null,
                HttpStatusCode.BadGateway
            );
        }
    }

    /// <summary>Whether it answers and with which version, which is public, and whether it takes our token.</summary>
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

    private static string Listed(IReadOnlyList<PortainerEnvironment> all) =>
        all.Count == 0
            ? "Portainer has none that this token may see."
            : "These are there: "
                + string.Join(
                    "; ",
                    all.Take(50)
                        .Select(environment =>
                            $"{environment.Id} {environment.Name} ({environment.Kind}, {(environment.IsUp ? "up" : "down")})"
                        )
                )
                + ".";

    private static async Task<T> ToldAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (EngineException e) when (e.CallerCanMend)
        {
            var hint =
                e.Said.Contains("No such container", StringComparison.OrdinalIgnoreCase)
                    ? " portainer_list_containers lists those of an environment."
                : e.Said.Contains("find a stack", StringComparison.OrdinalIgnoreCase)
                    ? " portainer_list_stacks lists them."
                : "";
            throw new McpException($"Portainer refused: {e.Said.TrimEnd('.')}.{hint}");
        }
        catch (EngineException e)
        {
            var hint = e is { IsPage: false, Status: HttpStatusCode.Unauthorized }
                ? " Portainer:Token must be an access token of My account that still exists."
                : "";
            var status = e.Status is HttpStatusCode.OK ? HttpStatusCode.BadGateway : e.Status;
            throw new HttpRequestException(e.Explain("Portainer") + hint, null, status);
        }
        catch (ArgumentException)
        {
            throw new McpException(
                "That is no name or id of a container: letters, digits, '_', '.' and '-'."
                    + " portainer_list_containers lists them."
            );
        }
    }
}

/// <summary>An environment as Portainer describes it, without its keys and certificates.</summary>
public sealed record PortainerEnvironment(int Id, string Name, int Type, int Status, bool Heartbeat)
{
    /// <summary>An engine, an agent or an edge agent. Others are Azure and Kubernetes.</summary>
    public bool IsDocker => Type is 1 or 2 or 4;

    /// <summary>Of an edge agent the status is always 1.</summary>
    public bool IsUp => Type is 4 or 7 ? Heartbeat : Status == 1;

    public string Kind =>
        Type switch
        {
            1 => "docker",
            2 => "docker agent",
            3 => "azure",
            4 => "docker edge agent",
            5 or 6 => "kubernetes",
            7 => "kubernetes edge agent",
            _ => $"type {Type}",
        };
}
