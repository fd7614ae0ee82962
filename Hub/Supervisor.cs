using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Options;
using MinimalMcp.Hub.Processes;
using MinimalMcp.Hub.Remote;
using MinimalMcp.Hub.SignIn;
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
    UpstreamTokens upstreamTokens,
    ProcessMarkers markers,
    IOptions<HubOptions> options,
    TimeProvider time,
    ILogger<Supervisor> logger
) : BackgroundService
{
    private readonly ConcurrentDictionary<long, SupervisedServer> _running = new();
    private readonly ConcurrentDictionary<long, LogRing> _logs = new();
    private readonly SemaphoreSlim _following = new(1);
    private readonly SemaphoreSlim _changed = new(0);

    public ServerState State(long id) => _running.TryGetValue(id, out var server) ? server.State : ServerState.Inactive;

    /// <summary>The newest lines that the server wrote beside its answers.</summary>
    public LogRing Log(long id) => _logs.GetOrAdd(id, _ => new LogRing { Noticed = notice => LogNotice(id, notice) });

    /// <summary>Waits until the server is active. Throws with a sentence when its first start fails.</summary>
    public async Task StartAsync(long id, CancellationToken cancellationToken)
    {
        if (State(id).Status is ServerStatus.Error)
        {
            await EndAsync(id); // somebody starts it again: its restarts count anew
        }

        await registry.SetWantedAsync(id, true, cancellationToken);
        await FollowAsync(cancellationToken);
        if (_running.TryGetValue(id, out var server))
        {
            await server.Started.WaitAsync(cancellationToken);
        }
    }

    public async Task StopAsync(long id, CancellationToken cancellationToken)
    {
        await registry.SetWantedAsync(id, false, cancellationToken);
        await FollowAsync(cancellationToken);
    }

    public async Task RestartAsync(long id, CancellationToken cancellationToken)
    {
        await EndAsync(id);
        await StartAsync(id, cancellationToken);
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
        markers.Sweep();
        markers.Watch();
        registry.Changed += Signal;
        try
        {
            Signal(0);
            while (true)
            {
                await _changed.WaitAsync(stoppingToken);
                try
                {
                    await FollowAsync(stoppingToken);
                }
                catch (StorageException unavailable)
                {
                    LogUnfollowed(unavailable.Message); // the registry looks again, and reports changes then
                }
                catch (Exception failure) when (failure is not OperationCanceledException)
                {
                    LogFailed(failure);
                }
            }
        }
        finally
        {
            registry.Changed -= Signal;
            await Task.WhenAll(_running.Keys.Select(EndAsync));
        }

        void Signal(long id) => _changed.Release();
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        await _following.WaitAsync(cancellationToken);
        try
        {
            var wanted = (await registry.ListAsync(cancellationToken)).Where(server => server.Wanted).ToArray();
            var ended = _running.Values.Where(server => !wanted.Any(now => IsSame(now, server.Definition)));
            await Task.WhenAll(ended.Select(server => EndAsync(server.Definition.Id)));
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
            (listsChanged, cancellationToken) =>
                server.Transport is TransportType.Stdio
                    ? UpstreamConnection.OpenStdioAsync(
                        server,
                        options.Value,
                        markers.Of(server.Id),
                        Log(server.Id),
                        listsChanged,
                        cancellationToken
                    )
                    : UpstreamConnection.OpenHttpAsync(
                        server,
                        options.Value,
                        server.Auth is AuthType.Oauth
                            ? new SignedInCredential(server, upstreamTokens)
                            : UpstreamCredential.Of(server),
                        Log(server.Id),
                        listsChanged,
                        cancellationToken
                    ),
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

    private async Task EndAsync(long id)
    {
        if (_running.TryRemove(id, out var server))
        {
            tools.Leave(id);
            await server.StopAsync();
        }
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

    // Whether it runs as it is now defined; when it was changed last is no part of that.
    private static bool IsSame(ServerDefinition now, ServerDefinition running) =>
        now.Id == running.Id
        && JsonSerializer.Serialize(now with { UpdatedAt = 0 })
            == JsonSerializer.Serialize(running with { UpdatedAt = 0 });

    [LoggerMessage(LogLevel.Error, "The registered servers could not be followed")]
    private partial void LogFailed(Exception failure);

    [LoggerMessage(LogLevel.Warning, "The registered servers could not be read {Reason}")]
    private partial void LogUnfollowed(string reason);

    [LoggerMessage(LogLevel.Warning, "Server notice {Server}: {Notice}")]
    private partial void LogNotice(long server, string notice);

    [LoggerMessage(LogLevel.Warning, "The lists of a server could not be kept {Server}")]
    private partial void LogNotKept(Exception failure, long server);
}
