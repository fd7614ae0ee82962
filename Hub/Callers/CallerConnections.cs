using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Hub.Processes;
using MinimalMcp.Hub.Remote;
using ModelContextProtocol;

namespace MinimalMcp.Hub.Callers;

/// <summary>
/// Connections to servers with <c>auth_type</c> per_caller: one for each caller and server, with a session of its own,
/// so that no caller acts as another. They are opened by the first call, and closed when they are idle, when their
/// number is needed for another caller, when the secret changes and when the server stops.
/// </summary>
internal sealed class CallerConnections : IDisposable
{
    private readonly Lock _changing = new();
    private readonly Dictionary<long, (ServerDefinition Server, LogRing Log)> _started = [];
    private readonly Dictionary<(long Server, string Subject), Open> _open = [];
    private readonly CallerSecrets _secrets;
    private readonly HubOptions _options;
    private readonly TimeProvider _time;
    private readonly ITimer _sweep;

    public CallerConnections(CallerSecrets secrets, IOptions<HubOptions> options, TimeProvider time)
    {
        (_secrets, _options, _time) = (secrets, options.Value, time);
        var pause = TimeSpan.FromSeconds(Math.Clamp(_options.CallerIdleTimeout.TotalSeconds / 4, 0.25, 30));
        _sweep = time.CreateTimer(_ => CloseIdle(), null, pause, pause);
        _secrets.Changed += Drop;
    }

    /// <summary>Callers may open connections to the server as it is registered now.</summary>
    public void Start(ServerDefinition server, LogRing log)
    {
        lock (_changing)
        {
            _started[server.Id] = (server, log);
        }
    }

    /// <summary>Closes all connections of the server; none are opened until it is started again.</summary>
    public Task StopAsync(long serverId)
    {
        lock (_changing)
        {
            _started.Remove(serverId);
            return Task.WhenAll(_open.Where(one => one.Key.Server == serverId).ToArray().Select(one => Close(one.Key)));
        }
    }

    /// <summary>Sends a request over the caller's own connection. A failure is a sentence for that caller.</summary>
    public async ValueTask<T> UseAsync<T>(
        ServerDefinition server,
        Caller caller,
        Func<UpstreamConnection, ValueTask<T>> request,
        CancellationToken cancellationToken
    )
    {
        if (caller.IsGuest || caller == Caller.Local)
        {
            throw new McpException(
                $"Server '{server.Name}' takes a secret of each caller, and this call has no signed-in caller. Sign "
                    + $"in, store your secret at {_secrets.Page} and try again."
            );
        }

        if (await _secrets.FindAsync(server, caller.Subject, cancellationToken) is not { } secret)
        {
            Drop(server.Id, caller.Subject); // it may have been deleted on another replica
            throw new McpException(
                $"Server '{server.Name}' takes a secret of each caller, and yours is not stored. Store it at "
                    + $"{_secrets.Page} and try again."
            );
        }

        var open = Take(server, caller.Subject, secret);
        try
        {
            return await request(await ConnectionAsync(server, open, cancellationToken));
        }
        catch (Exception failure) when (open.Credential.IsRefused && !cancellationToken.IsCancellationRequested)
        {
            throw new McpException(
                $"Server '{server.Name}' refuses your secret (401). Store another one at {_secrets.Page} and try "
                    + "again.",
                failure
            );
        }
        finally
        {
            Give(open);
        }
    }

    public void Dispose()
    {
        _secrets.Changed -= Drop;
        _sweep.Dispose();
        lock (_changing)
        {
            _started.Clear();
            foreach (var key in _open.Keys.ToArray())
            {
                _ = Close(key);
            }
        }
    }

    private async Task<UpstreamConnection> ConnectionAsync(
        ServerDefinition server,
        Open open,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await open.Connection.WaitAsync(cancellationToken);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            var reason =
                open.IsClosed ? "the secret was changed, or the server stopped"
                : failure is OperationCanceledException
                    ? $"it did not answer within {_options.ServerTimeout.TotalSeconds:0} s (Hub:ServerTimeout)"
                : failure is McpProtocolException error
                    ? $"it answered with error {(int)error.ErrorCode}: {error.Message}"
                : RemoteAddress.Reason(failure);
            throw new McpException($"Server '{server.Name}' could not be connected for you: {reason}.", failure);
        }
    }

    private Open Take(ServerDefinition server, string subject, CallerSecret secret)
    {
        var key = (server.Id, subject);
        lock (_changing)
        {
            if (!_started.TryGetValue(server.Id, out var started) || !ReferenceEquals(started.Server, server))
            {
                throw new McpException(SupervisedServer.Away(server.Name, ServerState.Inactive, _time.GetUtcNow()));
            }

            if (_open.TryGetValue(key, out var open) && (open.Version != secret.Version || open.HasEnded))
            {
                _ = Close(key);
                open = null;
            }

            if (open is null)
            {
                MakeRoom(server);
                _open[key] = open = new(key, secret.Version, new(server, secret.Value, _secrets.Page));
                open.Connection = OpenAsync(open, started.Server, started.Log);
            }

            open.Uses++;
            return open;
        }
    }

    private void Give(Open open)
    {
        lock (_changing)
        {
            open.Uses--;
            open.Last = _time.GetTimestamp();
            if (open.HasEnded && _open.GetValueOrDefault(open.Key) == open)
            {
                _ = Close(open.Key);
            }
        }
    }

    // The least recently used one goes. One that is in use never does.
    private void MakeRoom(ServerDefinition server)
    {
        if (_open.Count < _options.MaxCallerConnections)
        {
            return;
        }

        var idle = _open.Values.Where(one => one.Uses == 0).MinBy(one => one.Last)
            ?? throw new McpException(
                $"Server '{server.Name}' cannot be connected for you now: {_options.MaxCallerConnections} connections "
                    + "of callers are in use, which is the limit (Hub:MaxCallerConnections). Try again in a minute."
            );
        _ = Close(idle.Key);
    }

    private void CloseIdle()
    {
        lock (_changing)
        {
            foreach (
                var idle in _open
                    .Values.Where(one =>
                        one.Uses == 0 && (one.HasEnded || _time.GetElapsedTime(one.Last) >= _options.CallerIdleTimeout)
                    )
                    .ToArray()
            )
            {
                _ = Close(idle.Key);
            }
        }
    }

    private void Drop(long serverId, string subject)
    {
        lock (_changing)
        {
            _ = Close((serverId, subject));
        }
    }

    // Under the lock. What waits for it goes on outside of it.
    private Task Close((long Server, string Subject) key) =>
        _open.Remove(key, out var open) ? Task.Run(async () => await open.DisposeAsync()) : Task.CompletedTask;

    // Whoever asked for it first may leave; it is opened for the others.
    private Task<UpstreamConnection> OpenAsync(Open open, ServerDefinition server, LogRing log) =>
        Task.Run(async () =>
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(open.Closed);
            limit.CancelAfter(_options.ServerTimeout);
            return await UpstreamConnection.OpenHttpAsync(
                server,
                _options,
                open.Credential,
                log,
                // The lists are those that the operator's connection reads.
                static () => { },
                limit.Token
            );
        });

    private sealed class Open((long Server, string Subject) key, long version, CallerCredential credential)
        : IAsyncDisposable
    {
        private readonly CancellationTokenSource _closed = new();

        public (long Server, string Subject) Key => key;

        public long Version => version;

        public CallerCredential Credential => credential;

        public Task<UpstreamConnection> Connection { get; set; } = null!;

        public int Uses { get; set; }

        public long Last { get; set; }

        public CancellationToken Closed => _closed.Token;

        public bool IsClosed => _closed.IsCancellationRequested;

        /// <summary>It could not be opened, or is lost.</summary>
        public bool HasEnded =>
            Connection.IsCompleted && (!Connection.IsCompletedSuccessfully || Connection.Result.HasEnded);

        public async ValueTask DisposeAsync()
        {
            await _closed.CancelAsync();
            await ((Task)Connection).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (Connection.IsCompletedSuccessfully)
            {
                await Connection.Result.DisposeAsync();
            }

            _closed.Dispose();
        }
    }
}
