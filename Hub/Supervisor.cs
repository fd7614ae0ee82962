using System.Collections.Concurrent;
using System.Text.Json;
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
    JoinedPrompts prompts,
    ServerEvents events,
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
    public LogRing Log(long id) => _logs.GetOrAdd(id, _ => new LogRing());

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

    /// <summary>
    /// All tools of a server as operators see them, from its last lists when it does not run; null when it never listed
    /// any.
    /// </summary>
    public async Task<IReadOnlyList<ServerTool>?> ToolsAsync(long id, CancellationToken cancellationToken)
    {
        if (tools.Tools(id) is { } joined)
        {
            return joined;
        }

        return
            await registry.ListsAsync(id, cancellationToken) is { } lists
            && await registry.FindAsync(id, cancellationToken) is { } server
            && server.Generation == lists.Generation
            ? JoinedTools.Unlisted(lists.Tools, await registry.ApprovedAsync(server, cancellationToken))
            : null;
    }

    /// <summary>Approves a definition that a tool has now.</summary>
    public async Task ApproveAsync(ServerDefinition server, ServerTool tool, CancellationToken cancellationToken)
    {
        await registry.ApproveAsync(server, tool.Definition, cancellationToken);
        tools.Approve(server.Id, await registry.ApprovedAsync(server, cancellationToken));
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
                // As it listed them last: clients see them while it starts.
                if (
                    await registry.ListsAsync(server.Id, cancellationToken) is { } lists
                    && lists.Generation == server.Generation
                )
                {
                    Join(server, lists, await registry.ApprovedAsync(server, cancellationToken));
                }

                _running[server.Id] = Supervise(server);
            }

            // Somebody may have approved a tool, here or on another replica.
            foreach (var server in _running.Values.Select(running => running.Definition))
            {
                tools.Approve(server.Id, await registry.ApprovedAsync(server, cancellationToken));
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
                var connection = await UpstreamConnection.OpenStdioAsync(
                    server,
                    options.Value,
                    markers.Of(server.Id),
                    Log(server.Id),
                    listsChanged,
                    cancellationToken
                );
                events.Attach(server.Name, connection);
                return connection;
            },
            async lists =>
            {
                Join(server, lists, await ApproveNewAsync(server, lists));
                _ = KeepAsync(server.Id, lists with { Generation = server.Generation });
            },
            () =>
            {
                if (State(server.Id).Status is ServerStatus.Error)
                {
                    Leave(server.Id);
                }
            },
            options.Value,
            time
        );

    private void Join(ServerDefinition server, ServerLists lists, IReadOnlyDictionary<string, ApprovedTool>? approved)
    {
        tools.Join(
            server,
            lists.Tools,
            (tool, arguments, caller, cancellationToken) =>
                ConnectionOf(server)
                    .CallForAsync(tool, arguments, caller, options.Value.ServerTimeout, cancellationToken),
            approved
        );
        prompts.Join(
            server,
            lists,
            new ServerRequests(server.Name, () => ConnectionOf(server), options.Value.ServerTimeout)
        );
    }

    // What nobody has seen before is approved with the registration of the server.
    private async Task<IReadOnlyDictionary<string, ApprovedTool>?> ApproveNewAsync(
        ServerDefinition server,
        ServerLists lists
    )
    {
        try
        {
            return await registry.ApproveNewAsync(server, lists.Tools, CancellationToken.None);
        }
        catch (StorageException failure)
        {
            LogNotKept(failure, server.Id);
            return tools.Approved(server.Id); // what is known here still counts
        }
    }

    private void Leave(long id)
    {
        tools.Leave(id);
        prompts.Leave(id);
    }

    private UpstreamConnection ConnectionOf(ServerDefinition server) =>
        _running.TryGetValue(server.Id, out var running)
            ? running.Connection
            : throw new McpException(SupervisedServer.Away(server.Name, ServerState.Inactive, time.GetUtcNow()));

    private async Task EndAsync(long id)
    {
        if (_running.TryRemove(id, out var server))
        {
            Leave(id);
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

    [LoggerMessage(LogLevel.Warning, "The lists of a server could not be kept {Server}")]
    private partial void LogNotKept(Exception failure, long server);
}
