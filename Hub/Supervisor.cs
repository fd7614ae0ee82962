using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Claims;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Governance;
using MinimalMcp.Hub.Callers;
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
    JoinedPrompts prompts,
    ServerEvents events,
    UpstreamTokens upstreamTokens,
    CallerConnections callers,
    ProcessMarkers markers,
    HubMetrics metrics,
    EventLog eventLog,
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
    public LogRing Log(long id) => _logs.GetOrAdd(id, _ => new LogRing { Noticed = notice => LogNotice(id, notice) });

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
            await Task.WhenAll(_running.Values.Select(server => EndAsync(server)));
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
        catch (Exception failure) when (failure is not OperationCanceledException and not StorageException)
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
            var registered = await registry.ListAsync(cancellationToken);
            var wanted = registered.Where(server => server.Wanted).ToArray();
            var ended = _running.Values.Where(server =>
                anew?.Invoke(server) is true || !wanted.Any(now => now.IsSameAs(server.Definition))
            );
            // Of those that start again, clients see no change until their lists are other ones.
            await Task.WhenAll(ended.Select(server => EndAsync(server, StaysListed(server))));
            bool StaysListed(SupervisedServer server) =>
                wanted.Any(now => now.Id == server.Definition.Id && now.Generation == server.Definition.Generation);

            // Somebody may have approved a tool, here or on another replica.
            foreach (var server in _running.Values.Select(running => running.Definition))
            {
                tools.Approve(server.Id, await registry.ApprovedAsync(server, cancellationToken));
            }

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

                if (server.Auth is AuthType.PerCaller)
                {
                    callers.Start(server, Log(server.Id));
                }

                _running[server.Id] = Supervise(server);
            }

            foreach (var id in _logs.Keys.Except(registered.Select(server => server.Id)))
            {
                _logs.TryRemove(id, out _);
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
                var connection = await OpenAsync(server, listsChanged, cancellationToken);
                if (server.Auth is not AuthType.PerCaller) // what it says to the operator is not for callers
                {
                    events.Attach(server.Name, connection);
                }

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
            state =>
                eventLog.Add(
                    EventLog.ServerError,
                    "failed",
                    [
                        ("id", server.Id.ToString(CultureInfo.InvariantCulture)),
                        ("server", server.Name),
                        ("status", ServerBody.Shown(state.Status)),
                    ],
                    detail: state.Reason
                ),
            options.Value,
            time
        );

    private async Task<UpstreamConnection> OpenAsync(
        ServerDefinition server,
        Action listsChanged,
        CancellationToken cancellationToken
    )
    {
        if (server.Transport is not TransportType.Stdio)
        {
            UpstreamCredential credential =
                server.Auth is AuthType.Oauth
                    ? new SignedInCredential(server, upstreamTokens)
                    : UpstreamCredential.Of(server);
            return await UpstreamConnection.OpenHttpAsync(
                server,
                options.Value,
                credential,
                Log(server.Id),
                listsChanged,
                cancellationToken
            );
        }

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
    }

    // Containers that an earlier instance left are removed before the first of ours starts, and ours when we die.
    private Task PrepareDockerAsync()
    {
        markers.WatchContainers();
        return _swept.Value;
    }

    private void Join(ServerDefinition server, ServerLists lists, IReadOnlyDictionary<string, ApprovedTool>? approved)
    {
        tools.Join(
            server,
            lists.Tools,
            metrics.Measured(server.Name, (tool, arguments, caller, cancellationToken) =>
                UseAsync(
                    server,
                    caller.User,
                    open => open.CallForAsync(tool, arguments, caller, options.Value.ServerTimeout, cancellationToken),
                    cancellationToken
                )
            ),
            approved
        );
        prompts.Join(server, lists, new ServerRequests(server, this, options.Value.ServerTimeout));
    }

    /// <summary>
    /// Sends a request to the server as it is registered now: over its connection, or over that of the caller.
    /// </summary>
    public ValueTask<T> UseAsync<T>(
        ServerDefinition server,
        ClaimsPrincipal? user,
        Func<UpstreamConnection, ValueTask<T>> request,
        CancellationToken cancellationToken
    ) =>
        !_running.TryGetValue(server.Id, out var running)
            ? throw new McpException(SupervisedServer.Away(server.Name, ServerState.Inactive, time.GetUtcNow()))
        : running.Definition.Auth is AuthType.PerCaller
            ? callers.UseAsync(running.Definition, Caller.From(user), request, cancellationToken)
        : request(running.Connection);

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

    private async Task EndAsync(SupervisedServer server, bool staysListed = false)
    {
        var id = server.Definition.Id;
        if (!staysListed)
        {
            Leave(id);
        }

        await Task.WhenAll(server.StopAsync(), callers.StopAsync(id));
        if (!staysListed)
        {
            Leave(id); // it may have listed while it stopped
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

    [LoggerMessage(LogLevel.Warning, "Server notice {Server}: {Notice}")]
    private partial void LogNotice(long server, string notice);

    [LoggerMessage(LogLevel.Warning, "The lists of a server could not be kept {Server}")]
    private partial void LogNotKept(Exception failure, long server);
}
