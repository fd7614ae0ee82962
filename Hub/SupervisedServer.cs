using System.Diagnostics;
using System.Text.Json;
using MinimalMcp.Hub.Processes;
using MinimalMcp.Hub.Remote;
using ModelContextProtocol;

namespace MinimalMcp.Hub;

/// <summary>What a server does now.</summary>
internal enum ServerStatus
{
    Inactive,
    Starting,
    Active,
    Stopping,
    Error,
    NeedsSignIn,
}

internal sealed record ServerState(
    ServerStatus Status,
    string? Reason,
    DateTimeOffset? NextAttempt,
    int RestartCount,
    DateTimeOffset? LastHealthCheck,
    double? ResponseTimeMs
)
{
    /// <summary>When it became active; null when it is not.</summary>
    public DateTimeOffset? ActiveSince { get; init; }

    /// <summary>The latest failure since it was started, also when it is active again.</summary>
    public string? LastError { get; init; }

    public DateTimeOffset? LastErrorAt { get; init; }

    public static ServerState Inactive { get; } = new(ServerStatus.Inactive, null, null, 0, null, null);
}

/// <summary>
/// Keeps one server connected until it is stopped. After a failure it restarts with backoff; after too many restarts
/// without five active minutes between them it is in error until somebody starts it.
/// </summary>
internal sealed class SupervisedServer : IAsyncDisposable
{
    private static readonly TimeSpan Stable = TimeSpan.FromMinutes(5),
        Coalesce = TimeSpan.FromMilliseconds(100),
        LongestPing = TimeSpan.FromSeconds(10);

    private readonly Func<Action, CancellationToken, Task<UpstreamConnection>> _open;
    private readonly Func<ServerLists, Task> _listed;
    private readonly Action _changed;
    private readonly Action<ServerState> _failed;
    private readonly HubOptions _options;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _listsChanged = new(0, 1);
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _running;
    private string? _lastLists;
    private volatile ServerState _state = ServerState.Inactive with { Status = ServerStatus.Starting };
    private volatile UpstreamConnection? _connection;

    public SupervisedServer(
        ServerDefinition definition,
        Func<Action, CancellationToken, Task<UpstreamConnection>> open,
        Func<ServerLists, Task> listed,
        Action changed,
        Action<ServerState> failed,
        HubOptions options,
        TimeProvider time
    )
    {
        Definition = definition;
        (_open, _listed, _changed, _failed, _options, _time) = (open, listed, changed, failed, options, time);
        _running = Task.Run(RunAsync);
    }

    public ServerDefinition Definition { get; }

    public ServerState State => _state;

    /// <summary>Completes when the server is active for the first time, or fails with the first failure.</summary>
    public Task Started => _connection is null ? _first.Task : Task.CompletedTask;

    /// <summary>The connection, or an exception with a sentence when the server is away.</summary>
    public UpstreamConnection Connection =>
        _connection ?? throw new McpException(Away(Definition.Name, _state, _time.GetUtcNow()));

    public static string Away(string name, ServerState state, DateTimeOffset now)
    {
        var status = state.Status switch
        {
            ServerStatus.Starting when state.Reason is not null => "is restarting",
            ServerStatus.Starting => "is starting",
            ServerStatus.Stopping => "is stopping",
            ServerStatus.Error => "is in error",
            ServerStatus.NeedsSignIn => "needs a sign-in",
            _ => "is not started",
        };
        var reason = state.Reason is null ? "" : $": {state.Reason}";
        var next =
            state.NextAttempt is { } at
                ? $" The next attempt is in {Math.Max(1, Math.Ceiling((at - now).TotalSeconds)):0} s."
            : state.Status is ServerStatus.Error or ServerStatus.Inactive ? " An operator must start it."
            : "";
        return $"Server '{name}' {status}{reason}{(reason.EndsWith('.') ? "" : ".")}{next}";
    }

    public async Task StopAsync()
    {
        if (_state.Status is not (ServerStatus.Inactive or ServerStatus.Error))
        {
            Set(_state with { Status = ServerStatus.Stopping, NextAttempt = null });
        }

        await _stop.CancelAsync();
        await _running;
        Set(_state with { Status = ServerStatus.Inactive, Reason = null, NextAttempt = null });
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
        _listsChanged.Dispose();
    }

    /// <summary>Asks the server whether it answers, now.</summary>
    public async Task CheckHealthAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.ServerTimeout < LongestPing ? _options.ServerTimeout : LongestPing);
        var started = Stopwatch.GetTimestamp();
        await Connection.PingAsync(limit.Token);
        Set(
            _state with
            {
                LastHealthCheck = _time.GetUtcNow(),
                ResponseTimeMs = Stopwatch.GetElapsedTime(started).TotalMilliseconds,
            }
        );
    }

    private async Task RunAsync()
    {
        for (var restarts = 0; !_stop.IsCancellationRequested; )
        {
            var (reason, active, failure) = await ConnectAsync();
            if (_stop.IsCancellationRequested)
            {
                break;
            }

            _first.TrySetException(new McpException($"Server '{Definition.Name}' did not start: {reason}"));
            if (failure is SignInNeededException signIn)
            {
                Set(_state with { Status = ServerStatus.NeedsSignIn, Reason = reason, NextAttempt = null });
                await signIn.WaitAsync(_stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                Set(_state with { Status = ServerStatus.Starting, Reason = null });
                restarts = 0;
                continue;
            }

            restarts = active >= Stable ? 0 : restarts;
            // What refuses us refuses us again, and may lock us out for asking.
            if (failure is UpstreamRefusedException || !Definition.AutoRestart || restarts >= Definition.MaxRestarts)
            {
                Set(_state with { Status = ServerStatus.Error, Reason = reason, NextAttempt = null });
                return;
            }

            var wait = Backoff(restarts++);
            Set(
                _state with
                {
                    Status = ServerStatus.Starting,
                    Reason = reason,
                    NextAttempt = _time.GetUtcNow() + wait,
                    RestartCount = _state.RestartCount + 1,
                }
            );
            await Task.Delay(wait, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Set(_state with { NextAttempt = null });
        }

        _first.TrySetException(new McpException($"Server '{Definition.Name}' was stopped."));
    }

    // 1 s, 2 s, 4 s up to a minute, each between half and all of it.
    private static TimeSpan Backoff(int restarts) =>
        TimeSpan.FromSeconds(Math.Min(60, Math.Pow(2, Math.Min(restarts, 6))) * (0.5 + Random.Shared.NextDouble() / 2));

    // Until the connection ends; with the reason, and how long it was active.
    private async Task<(string Reason, TimeSpan Active, Exception? Failure)> ConnectAsync()
    {
        var active = 0L;
        UpstreamConnection? connection = null;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            limit.CancelAfter(_options.StartTimeout);
            try
            {
                connection = await _open(SignalLists, limit.Token);
                await PublishAsync(await connection.ReadListsAsync(limit.Token));
            }
            catch (Exception failure)
                when (failure is OperationCanceledException or TimeoutException && !_stop.IsCancellationRequested)
            {
                return (
                    $"it did not answer within {_options.StartTimeout.TotalSeconds:0} s (Hub:StartTimeout)",
                    TimeSpan.Zero,
                    null
                );
            }

            active = _time.GetTimestamp();
            _connection = connection;
            Set(_state with { Status = ServerStatus.Active, Reason = null, NextAttempt = null });
            _first.TrySetResult();
            var reason = await ServeAsync(connection);
            Lose(reason);
            return (reason, _time.GetElapsedTime(active), null);
        }
        catch (Exception failure)
        {
            var reason = Sentence(failure, connection);
            if (active == 0)
            {
                return (reason, TimeSpan.Zero, failure);
            }

            Lose(reason);
            return (reason, _time.GetElapsedTime(active), null);
        }
        finally
        {
            _connection = null;
            if (connection is not null)
            {
                await connection.DisposeAsync();
            }
        }
    }

    // At once: to end what is left of a process takes seconds, and it would be called active all the time.
    private void Lose(string reason)
    {
        _connection = null;
        if (!_stop.IsCancellationRequested)
        {
            Set(_state with { Status = ServerStatus.Starting, Reason = reason, NextAttempt = null });
        }
    }

    private static string Sentence(Exception failure, UpstreamConnection? connection) =>
        connection?.Ended is { IsCompletedSuccessfully: true } ended ? ended.Result
        : failure is McpProtocolException error ? $"it answered with error {(int)error.ErrorCode}: {error.Message}"
        : RemoteAddress.Reason(failure);

    private async Task<string> ServeAsync(UpstreamConnection connection)
    {
        var interval =
            Definition.HealthCheckInterval > 0
                ? TimeSpan.FromSeconds(Definition.HealthCheckInterval)
                : Timeout.InfiniteTimeSpan;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var health = WatchHealthAsync(connection, interval, ended.Token);
        var lists = WatchListsAsync(connection, ended.Token);
        try
        {
            var first = await Task.WhenAny(connection.Ended, health, lists).WaitAsync(_stop.Token);
            return first == connection.Ended ? await connection.Ended
                : first == health ? await health
                : await lists;
        }
        finally
        {
            await ended.CancelAsync();
            await Task.WhenAll((Task)health, lists).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Three misses: a server with one thread does not answer while it works on a long call.
    private async Task<string> WatchHealthAsync(
        UpstreamConnection connection,
        TimeSpan interval,
        CancellationToken cancellationToken
    )
    {
        for (var misses = 0; ; )
        {
            await Task.Delay(interval, _time, cancellationToken);
            try
            {
                await CheckHealthAsync(cancellationToken);
                misses = 0;
                if (!connection.IsListening)
                {
                    SignalLists(); // it cannot tell us that they have changed
                }
            }
            catch (Exception) when (!cancellationToken.IsCancellationRequested)
            {
                if (++misses == 3)
                {
                    return "it did not answer three health checks in a row";
                }
            }
        }
    }

    // Servers announce changes in bursts, right after they started.
    private async Task<string> WatchListsAsync(UpstreamConnection connection, CancellationToken cancellationToken)
    {
        var pause = Coalesce;
        while (true)
        {
            await _listsChanged.WaitAsync(cancellationToken);
            await Task.Delay(pause, cancellationToken);
            _listsChanged.Wait(0, CancellationToken.None);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(_options.StartTimeout);
            try
            {
                await PublishAsync(await connection.ReadListsAsync(limit.Token));
                pause = Coalesce;
            }
            catch (Exception) when (!cancellationToken.IsCancellationRequested)
            {
                // The lists of before stay, and are read again.
                pause = TimeSpan.FromSeconds(Math.Min(60, Math.Max(1, pause.TotalSeconds * 2)));
                SignalLists();
            }
        }
    }

    private void SignalLists()
    {
        try
        {
            _listsChanged.Release();
        }
        catch (SemaphoreFullException)
        {
            // they will be read anyway
        }
    }

    private async Task PublishAsync(ServerLists lists)
    {
        var json = JsonSerializer.Serialize(lists, McpJsonUtilities.DefaultOptions);
        if (json != _lastLists)
        {
            await _listed(lists);
            _lastLists = json; // only then: lists that could not be joined are joined at the next reading
        }
    }

    private void Set(ServerState state)
    {
        var (before, now) = (_state, _time.GetUtcNow());
        var isActive = state.Status is ServerStatus.Active;
        state = state with { ActiveSince = isActive ? before.ActiveSince ?? now : null };
        _state =
            state.Reason is { } reason && reason != before.Reason
                ? state with
                {
                    LastError = reason,
                    LastErrorAt = now,
                }
                : state;
        if (before.Status != state.Status || before.RestartCount != state.RestartCount)
        {
            _changed();
        }

        var isRestart = state.RestartCount > before.RestartCount;
        if (isRestart || (state.Status is ServerStatus.Error or ServerStatus.NeedsSignIn && before != state))
        {
            _failed(state);
        }
    }
}
