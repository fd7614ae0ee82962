using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using MinimalMcp.Hub.Processes;
using MinimalMcp.Storage;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Hub;

/// <summary>
/// Runs the servers that should run, one process for each, and lists their tools among ours. It follows the registry:
/// a server that was changed is started again, one that was deleted or stopped is ended.
/// </summary>
internal sealed partial class Supervisor(
    ServerRegistry registry,
    JoinedTools tools,
    ProcessMarkers markers,
    IOptions<HubOptions> options,
    TimeProvider time,
    ILogger<Supervisor> logger
) : BackgroundService
{
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<long, SupervisedServer> _running = new();
    private readonly ConcurrentDictionary<long, LogRing> _logs = new();
    private readonly Lazy<Task> _swept = new(markers.SweepContainersAsync);
    private readonly SemaphoreSlim _following = new(1);
    private readonly SemaphoreSlim _changed = new(0);

    public ServerState State(long id) => _running.TryGetValue(id, out var server) ? server.State : ServerState.Inactive;

    /// <summary>The newest lines that the server wrote beside its answers.</summary>
    public LogRing Log(long id) => _logs.GetOrAdd(id, _ => new LogRing());

    /// <summary>Waits until the server is active. Throws with a sentence when its first start fails.</summary>
    public Task StartAsync(long id, CancellationToken cancellationToken) =>
        StartAsync(id, state => state.Status is ServerStatus.Error, cancellationToken);

    /// <summary>As <see cref="StartAsync(long, CancellationToken)"/>, with a new process.</summary>
    public Task RestartAsync(long id, CancellationToken cancellationToken) =>
        StartAsync(id, _ => true, cancellationToken);

    public async Task StopAsync(long id, CancellationToken cancellationToken)
    {
        await registry.SetWantedAsync(id, false, cancellationToken);
        await FollowAsync(cancellationToken);
    }

    public async Task<ServerState> CheckHealthAsync(long id, CancellationToken cancellationToken)
    {
        if (_running.TryGetValue(id, out var server))
        {
            await server.CheckHealthAsync(cancellationToken);
        }

        return State(id);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Run(markers.Sweep, stoppingToken);
        registry.Changed += Signal;
        try
        {
            Signal(0);
            _ = SweepContainersAsync(stoppingToken);
            while (true)
            {
                await _changed.WaitAsync(stoppingToken);
                try
                {
                    await FollowAsync(stoppingToken);
                }
                catch (Exception failure) when (failure is not OperationCanceledException)
                {
                    if (failure is not StorageException) // which the registry reports
                    {
                        LogFailed(failure);
                    }

                    await Task.Delay(Again, time, stoppingToken);
                    Signal(0);
                }
            }
        }
        finally
        {
            registry.Changed -= Signal;
            await Task.WhenAll(_running.Keys.Select(id => EndAsync(id)));
        }

        void Signal(long id) => _changed.Release();
    }

    private async Task SweepContainersAsync(CancellationToken cancellationToken)
    {
        try
        {
            if ((await registry.ListAsync(cancellationToken)).Any(server => server.Command is DockerRun.Program))
            {
                await _swept.Value;
            }
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            LogFailed(failure);
        }
    }

    private async Task StartAsync(long id, Func<ServerState, bool> anew, CancellationToken cancellationToken)
    {
        await registry.SetWantedAsync(id, true, cancellationToken);
        await FollowAsync(cancellationToken, server => server.Definition.Id == id && anew(server.State));
        if (_running.TryGetValue(id, out var server))
        {
            await server.Started.WaitAsync(cancellationToken);
        }
    }

    // One at a time, so that a server never runs twice.
    private async Task FollowAsync(CancellationToken cancellationToken, Func<SupervisedServer, bool>? anew = null)
    {
        await _following.WaitAsync(cancellationToken);
        try
        {
            var wanted = (await registry.ListAsync(cancellationToken)).Where(server => server.Wanted).ToArray();
            var ended = _running.Values.Where(server =>
                anew?.Invoke(server) is true || !wanted.Any(now => now.IsSameAs(server.Definition))
            );
            // Of those that start again, clients see no change until their lists are other ones.
            await Task.WhenAll(
                ended
                    .Select(server => server.Definition.Id)
                    .Select(id => EndAsync(id, staysListed: wanted.Any(server => server.Id == id)))
            );
            foreach (var server in wanted.Where(server => !_running.ContainsKey(server.Id)))
            {
                if (await registry.ListsAsync(server.Id, cancellationToken) is { } lists)
                {
                    Join(server, lists); // as it listed them last: clients see them while it starts
                }

                _running[server.Id] = Supervise(server);
            }
        }
        finally
        {
            _following.Release();
        }
    }

    private SupervisedServer Supervise(ServerDefinition server) =>
        new(
            server,
            async (listsChanged, cancellationToken) =>
            {
                markers.Watch();
                if (server.Command is DockerRun.Program)
                {
                    await PrepareDockerAsync();
                }

                return await UpstreamConnection.OpenStdioAsync(
                    server,
                    options.Value,
                    markers.Of(server.Id),
                    Log(server.Id),
                    listsChanged,
                    cancellationToken
                );
            },
            lists =>
            {
                Join(server, lists);
                _ = KeepAsync(server.Id, lists);
            },
            () =>
            {
                if (State(server.Id).Status is ServerStatus.Error)
                {
                    tools.Leave(server.Id);
                }
            },
            options.Value,
            time
        );

    // Containers that an earlier instance left are removed before the first of ours starts, and ours when we die.
    private Task PrepareDockerAsync()
    {
        markers.WatchContainers();
        return _swept.Value;
    }

    private void Join(ServerDefinition server, ServerLists lists) =>
        tools.Join(server, lists.Tools, async (tool, arguments, progress, cancellationToken) =>
        {
            if (!_running.TryGetValue(server.Id, out var running))
            {
                throw new McpException(SupervisedServer.Away(server.Name, ServerState.Inactive, time.GetUtcNow()));
            }

            return await running.Connection.CallToolAsync(
                tool,
                arguments,
                progress,
                options.Value.ServerTimeout,
                cancellationToken
            );
        });

    private async Task EndAsync(long id, bool staysListed = false)
    {
        if (!_running.TryGetValue(id, out var server))
        {
            return;
        }

        if (!staysListed)
        {
            tools.Leave(id);
        }

        await server.StopAsync();
        if (!staysListed)
        {
            tools.Leave(id); // it may have listed while it stopped
        }

        _running.TryRemove(id, out _);
    }

    private async Task KeepAsync(long id, ServerLists lists)
    {
        try
        {
            await registry.SaveListsAsync(id, lists, CancellationToken.None);
        }
        catch (Exception failure)
        {
            LogNotKept(failure, id);
        }
    }

    [LoggerMessage(LogLevel.Error, "The registered servers could not be followed")]
    private partial void LogFailed(Exception failure);

    [LoggerMessage(LogLevel.Warning, "The lists of a server could not be kept {Server}")]
    private partial void LogNotKept(Exception failure, long server);
}
