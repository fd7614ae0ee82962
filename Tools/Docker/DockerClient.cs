using System.Net;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using MinimalMcp.Engine;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Docker;

/// <summary>The engine behind the tools. What fails here is a sentence for the caller, or for the operator.</summary>
public sealed class DockerClient(IHttpClientFactory http, IOptions<DockerOptions> options, TimeProvider time) : IHealthCheck
{
    /// <summary>A GPT Action waits 45 seconds for an answer, so that a call comes back before.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private EngineClient? _engine;

    public async Task<T> AskAsync<T>(Func<EngineClient, Task<T>> question, CancellationToken ct)
    {
        try
        {
            // The version is agreed on once.
            return await question(_engine ??= await EngineClient.ConnectAsync(http.CreateClient(nameof(DockerClient)), ct));
        }
        catch (EngineException e)
        {
            if (e.Said.Contains("client version", StringComparison.Ordinal))
            {
                _engine = null; // another engine than the one that a version was agreed on with
            }

            throw Explained(e);
        }
        catch (ArgumentException)
        {
            throw new McpException("That is no name or id as Docker has them: letters, digits, '_', '.' and '-' for containers, registry/name:tag for images.");
        }
    }

    /// <summary>Makes a container and starts it. One that cannot be started is removed again.</summary>
    internal Task<RunResult> RunAsync(DockerRun run, bool detach, CancellationToken ct) => AskAsync(async engine =>
    {
        var id = await engine.CreateAsync(run.Name, run.ToConfiguration(options.Value), ct);
        try
        {
            await engine.StartAsync(id, ct);
        }
        catch (EngineException e)
        {
            await engine.RemoveAsync(id, force: true, volumes: true, ct);
            throw new McpException($"The container could not be started, and is removed again: {e.Said.TrimEnd('.')}.");
        }

        if (!detach)
        {
            using var patience = new CancellationTokenSource(Patience, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
            try
            {
                await engine.WaitAsync(id, either.Token);
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                // It goes on; what it is and printed so far is the answer.
            }
        }

        var now = await engine.ContainerAsync(id, ct);
        var log = detach ? null : LogText.Of(await engine.LogsAsync(id, new() { Tail = 1000, MaxCharacters = LogText.MaxCharacters }, ct), null);
        return new RunResult(ContainerView.ShortId(id), now.State?.Status ?? "", ContainerReport.PortsOf(now), detach || now.State?.Running is true ? null : now.State?.ExitCode, log);
    }, ct);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            var version = await AskAsync(engine => engine.GetAsync("version", cancellationToken), cancellationToken);
            return HealthCheckResult.Healthy(data: version.TryGetProperty("Version", out var number) ? new Dictionary<string, object> { ["version"] = number.ToString() } : null);
        }
        catch (Exception e) when (e is HttpRequestException or McpException)
        {
            return HealthCheckResult.Unhealthy(e.Message);
        }
    }

    internal static Exception Explained(EngineException e) =>
        e.CallerCanMend ? new McpException($"Docker refused: {e.Said.TrimEnd('.')}.") : new HttpRequestException(e.Explain("Docker"), null, e.Status is HttpStatusCode.OK ? HttpStatusCode.BadGateway : e.Status);
}
