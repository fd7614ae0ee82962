using System.Net;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using MinimalMcp.Hub.Processes;
using MinimalMcp.Hub.Remote;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Hub;

/// <summary>One connection to a server: over stdio with its process, or over HTTP.</summary>
internal sealed partial class UpstreamConnection : IAsyncDisposable
{
    /// <summary>The newest revision with <c>initialize</c>. No probe: it burns many connections.</summary>
    internal const string Version = "2025-11-25";

    private static readonly TimeSpan LongestGoodbye = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan ReasonWithin = TimeSpan.FromSeconds(5);

    private readonly BoundedStdioTransport? _stdio;
    private readonly RemoteHandler? _remote;
    private readonly McpClient _client;
    private readonly UpstreamLists _lists;

    private UpstreamConnection(
        McpClient client,
        UpstreamCallers callers,
        LogRing log,
        BoundedStdioTransport? stdio = null,
        RemoteHandler? remote = null
    )
    {
        (_client, _callers, _stdio, _remote, _lists) = (client, callers, stdio, remote, new(log));
        Ended = stdio?.Ended ?? LostAsync(remote!);
    }

    public McpClient Client => _client;

    /// <summary>Completes with the reason when the connection has ended.</summary>
    public Task<string> Ended { get; }

    /// <summary>The server can tell us that its lists have changed.</summary>
    public bool IsListening => _remote?.IsListening ?? true;

    public static async Task<UpstreamConnection> OpenStdioAsync(
        ServerDefinition server,
        HubOptions options,
        string marker,
        LogRing log,
        Action listsChanged,
        CancellationToken cancellationToken
    )
    {
        var container = server.Command is DockerRun.Program ? new DockerContainer(server.Name, marker, log) : null;
        var child = ChildProcess.Start(
            server.Command ?? throw new IOException("The server has no command."),
            container?.Arguments(server.Args, options) ?? server.Args,
            container is null ? server.Env : DockerContainer.Variables(server.Env),
            marker,
            log,
            options,
            container
        );
        var callers = new UpstreamCallers(server.Name);
        var transport = new BoundedStdioTransport(child, server.Name, options.MaxMessageBytes, log);
        try
        {
            var client = McpClient.CreateAsync(
                new OrderedTransport(transport, callers.Take),
                Options(listsChanged, callers, Version),
                cancellationToken: cancellationToken
            );
            // A server that dies is named with its last lines, not with the client's own exception.
            if (await Task.WhenAny(client, transport.Ended) == transport.Ended && !client.IsCompletedSuccessfully)
            {
                cancellationToken.ThrowIfCancellationRequested(); // then the client has closed it
                _ = client.ContinueWith(static failed => failed.Exception, TaskScheduler.Default);
                throw new IOException(await transport.Ended);
            }

            return new(await client, callers, log, transport);
        }
        catch
        {
            await transport.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Over Streamable HTTP or SSE. A server of a revision without <c>initialize</c> refuses it, and is then asked what
    /// it supports.
    /// </summary>
    public static async Task<UpstreamConnection> OpenHttpAsync(
        ServerDefinition server,
        HubOptions options,
        UpstreamCredential credential,
        LogRing log,
        Action listsChanged,
        CancellationToken cancellationToken
    )
    {
        ExceptionDispatchInfo first;
        try
        {
            return await OpenAsync(probes: false);
        }
        catch (Exception failure) when (server.Transport is not TransportType.Sse && IsAboutInitialize(failure))
        {
            first = ExceptionDispatchInfo.Capture(failure);
        }

        try
        {
            return await OpenAsync(probes: true);
        }
        catch (Exception failure) when (IsAboutInitialize(failure))
        {
            first.Throw();
            throw;
        }

        Task<UpstreamConnection> OpenAsync(bool probes)
        {
            var callers = new UpstreamCallers(server.Name);
            return OpenHttpAsync(
                server,
                new RemoteHandler(server, options, credential, listsChanged, probes),
                callers,
                Options(listsChanged, callers, null),
                log,
                cancellationToken
            );
        }
    }

    private static async Task<UpstreamConnection> OpenHttpAsync(
        ServerDefinition server,
        RemoteHandler handler,
        UpstreamCallers callers,
        McpClientOptions options,
        LogRing log,
        CancellationToken cancellationToken
    )
    {
        var transport = new HttpClientTransport(
            new()
            {
                Endpoint = server.Address!,
                Name = server.Name,
                TransportMode =
                    server.Transport is TransportType.Sse ? HttpTransportMode.Sse : HttpTransportMode.StreamableHttp,
                ConnectionTimeout = Timeout.InfiniteTimeSpan, // what opens the connection has the limit
            },
            new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan },
            ownsHttpClient: true
        );
        using var open = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var ordered = new OrderedTransport(transport, callers.Take);
        var creating = McpClient.CreateAsync(ordered, options, cancellationToken: open.Token);
        try
        {
            // The SDK's client tries for some time to reach a server over SSE, and does not say why it could not.
            if (await Task.WhenAny(creating, handler.Lost) == handler.Lost && !creating.IsCompletedSuccessfully)
            {
                await open.CancelAsync();
                await ((Task)creating).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                cancellationToken.ThrowIfCancellationRequested();
                throw await handler.Lost;
            }

            var client = await creating;
            _ = client.Completion.ContinueWith(
                ended => handler.Lose(new UpstreamLostException("the connection was closed", ended.Result.Exception)),
                cancellationToken: CancellationToken.None,
                TaskContinuationOptions.OnlyOnRanToCompletion,
                TaskScheduler.Default
            );
            return new(client, callers, log, remote: handler);
        }
        catch
        {
            await transport.DisposeAsync();
            handler.Dispose();
            throw;
        }
    }

    /// <summary>All lists. What a server does not have is empty; what fails otherwise fails all of them.</summary>
    public Task<ServerLists> ReadListsAsync(CancellationToken cancellationToken) =>
        _lists.ReadAsync(_client, cancellationToken);

    /// <summary>Whether the server answers. Any answer counts: ping is gone from 2026-07-28.</summary>
    public async Task PingAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _client.PingAsync(new PingRequestParams(), cancellationToken);
        }
        catch (McpProtocolException)
        {
            // it lives
        }
    }

    public async ValueTask DisposeAsync()
    {
        // The process first: it ends all requests in flight, so that the client waits for none.
        if (_stdio is not null)
        {
            await _stdio.DisposeAsync();
        }

        await Task.WhenAny(_client.DisposeAsync().AsTask(), Task.Delay(LongestGoodbye));
        _remote?.Dispose(); // closes its sockets
    }

    /// <summary>It is lost, also before the reason is known.</summary>
    public bool HasEnded => Ended.IsCompleted || _remote?.Lost.IsCompleted == true;

    private static async Task<string> LostAsync(RemoteHandler remote) => RemoteAddress.Reason(await remote.Lost);

    private static bool IsAboutInitialize(Exception failure) =>
        failure is McpException
        || failure
            is HttpRequestException
            {
                StatusCode: HttpStatusCode.BadRequest
                    or HttpStatusCode.NotFound
                    or HttpStatusCode.MethodNotAllowed
                    or HttpStatusCode.UnprocessableEntity
                    or HttpStatusCode.NotImplemented
            };

    private static McpClientOptions Options(Action listsChanged, UpstreamCallers callers, string? version)
    {
        ValueTask Changed(JsonRpcNotification _, CancellationToken __)
        {
            listsChanged();
            return default;
        }

        return new()
        {
            ClientInfo = new()
            {
                Name = "MinimalMcp",
                Version = typeof(UpstreamConnection).Assembly.GetName().Version!.ToString(3),
            },
            ProtocolVersion = version,
            // What opens the connection has the time limit.
            InitializationTimeout = Timeout.InfiniteTimeSpan,
            Handlers = new()
            {
                ElicitationHandler = callers.ElicitAsync,
                SamplingHandler = (question, _, stop) => callers.SampleAsync(question, stop),
                NotificationHandlers =
                [
                    new(NotificationMethods.ToolListChangedNotification, Changed),
                    new(NotificationMethods.ResourceListChangedNotification, Changed),
                    new(NotificationMethods.PromptListChangedNotification, Changed),
                ],
            },
        };
    }
}
