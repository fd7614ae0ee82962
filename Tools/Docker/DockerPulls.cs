using System.Collections.Concurrent;
using System.Net;
using MinimalMcp.Engine;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Docker;

/// <summary>
/// Images on their way. An image takes minutes, and a GPT Action waits 45 seconds, so that pulls do not end with the
/// call that began them.
/// </summary>
public sealed class DockerPulls(DockerClient docker, TimeProvider time, IHostApplicationLifetime lifetime)
{
    private const int MaxPulls = 4;

    private readonly ConcurrentDictionary<string, Pull> _pulls = new(StringComparer.Ordinal);

    /// <summary>Pulls an image. What takes longer than a caller waits goes on, and the next call reports it.</summary>
    public async Task<PullResult> PullAsync(string image, CancellationToken ct)
    {
        if (!EngineClient.IsImage().IsMatch(image))
        {
            throw new McpException(
                "That is no image. Write it as registry/name:tag, for example redis:7 or ghcr.io/acme/web:1.2."
            );
        }

        foreach (var ended in _pulls.Where(other => other.Key != image && other.Value.Done.IsCompleted))
        {
            _pulls.TryRemove(ended); // nobody asked again
        }

        if (_pulls.Count >= MaxPulls && !_pulls.ContainsKey(image))
        {
            throw new McpException(
                $"{MaxPulls} images are being pulled already: {string.Join(", ", _pulls.Keys)}."
                    + " Try again when one is there."
            );
        }

        var pull = _pulls.GetOrAdd(image, static (name, pulls) => new Pull(name, pulls.RunAsync), this);
        await Task.WhenAny(pull.Done, Task.Delay(DockerClient.Patience, time, ct));
        ct.ThrowIfCancellationRequested();
        if (!pull.Done.IsCompleted)
        {
            return new(image, "pulling", $"{pull.Status} It goes on; call again to see whether it is there.");
        }

        _pulls.TryRemove(KeyValuePair.Create(image, pull));
        try
        {
            await pull.Done;
            return new(image, "pulled", pull.Status);
        }
        catch (EngineException e)
        {
            throw e.Status is HttpStatusCode.OK or HttpStatusCode.InternalServerError
                ? new McpException($"{image} could not be pulled: {e.Said.TrimEnd('.')}.")
                : DockerClient.Explained(e);
        }
    }

    private async Task RunAsync(string image, Action<string> report)
    {
        using var engine = await docker.ConnectAsync(nameof(DockerPulls), lifetime.ApplicationStopping);
        await engine.AskAsync(async _ =>
        {
            await engine.PullAsync(
                image,
                status => report(status.Length > 0 ? $"{status}." : ""),
                lifetime.ApplicationStopping
            );
            return true;
        });
    }

    private sealed class Pull
    {
        public Pull(string image, Func<string, Action<string>, Task> run) =>
            Done = Task.Run(() => run(image, status => Status = status.Length > 0 ? status : Status));

        public Task Done { get; }

        public string Status { get; private set; } = "";
    }
}
