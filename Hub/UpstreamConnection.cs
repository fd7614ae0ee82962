using System.Text.Json;
using MinimalMcp.Hub.Processes;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Hub;

/// <summary>One connection to a server: over stdio with its process.</summary>
internal sealed partial class UpstreamConnection : IAsyncDisposable
{
    /// <summary>The newest revision with <c>initialize</c>. No probe: it burns many connections.</summary>
    internal const string Version = "2025-11-25";

    private const int MaxPages = 100,
        MaxEntries = 5000,
        MaxListBytes = 4 << 20;

    private static readonly TimeSpan ReasonWithin = TimeSpan.FromSeconds(5);

    private readonly BoundedStdioTransport _stdio;
    private readonly McpClient _client;

    private UpstreamConnection(McpClient client, BoundedStdioTransport stdio, UpstreamCallers callers)
    {
        (_client, _stdio, _callers) = (client, stdio, callers);
    }

    public McpClient Client => _client;

    /// <summary>Completes with the reason when the connection has ended.</summary>
    public Task<string> Ended => _stdio.Ended;

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
            container?.Arguments(server.Args) ?? server.Args,
            container is null ? server.Env : DockerContainer.Variables(server.Env),
            options.WorkingFolder ?? Path.GetTempPath(),
            marker,
            log,
            container
        );
        var callers = new UpstreamCallers(server.Name);
        var transport = new BoundedStdioTransport(child, server.Name, options.MaxMessageBytes, log);
        try
        {
            var client = McpClient.CreateAsync(
                transport,
                Options(options, listsChanged, callers, Version),
                cancellationToken: cancellationToken
            );
            // A server that dies is named with its last lines, not with the client's own exception.
            if (await Task.WhenAny(client, transport.Ended) == transport.Ended && !client.IsCompletedSuccessfully)
            {
                cancellationToken.ThrowIfCancellationRequested(); // then the client has closed it
                _ = client.ContinueWith(static failed => failed.Exception, TaskScheduler.Default);
                throw new IOException(await transport.Ended);
            }

            return new(await client, transport, callers);
        }
        catch
        {
            await transport.DisposeAsync();
            throw;
        }
    }

    /// <summary>All lists. What a server does not have is empty; what fails otherwise fails all of them.</summary>
    public async Task<ServerLists> ReadListsAsync(CancellationToken cancellationToken)
    {
        var budget = new Budget();
        var has = _client.ServerCapabilities;
        var tools = await ReadAsync(
            has.Tools is not null,
            async cursor =>
            {
                var page = await _client.ListToolsAsync(
                    new ListToolsRequestParams { Cursor = cursor },
                    cancellationToken
                );
                return (page.Tools, page.NextCursor);
            },
            budget
        );
        var resources = await ReadAsync(
            has.Resources is not null,
            async cursor =>
            {
                var page = await _client.ListResourcesAsync(
                    new ListResourcesRequestParams { Cursor = cursor },
                    cancellationToken
                );
                return (page.Resources, page.NextCursor);
            },
            budget
        );
        var templates = await ReadAsync(
            has.Resources is not null,
            async cursor =>
            {
                var page = await _client.ListResourceTemplatesAsync(
                    new ListResourceTemplatesRequestParams { Cursor = cursor },
                    cancellationToken
                );
                return (page.ResourceTemplates, page.NextCursor);
            },
            budget
        );
        var prompts = await ReadAsync(
            has.Prompts is not null,
            async cursor =>
            {
                var page = await _client.ListPromptsAsync(
                    new ListPromptsRequestParams { Cursor = cursor },
                    cancellationToken
                );
                return (page.Prompts, page.NextCursor);
            },
            budget
        );
        return new(tools, resources, templates, prompts);
    }

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
        await _stdio.DisposeAsync();
        await Task.WhenAny(_client.DisposeAsync().AsTask(), Task.Delay(TimeSpan.FromSeconds(2)));
    }

    private static McpClientOptions Options(
        HubOptions options,
        Action listsChanged,
        UpstreamCallers callers,
        string? version
    )
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

    // Servers list what they do not declare; older ones answer any unknown method with -32602.
    private static async Task<IReadOnlyList<T>> ReadAsync<T>(
        bool declared,
        Func<string?, Task<(IList<T>, string?)>> read,
        Budget budget
    )
    {
        List<T> all = [];
        string? cursor = null;
        try
        {
            for (var page = 0; page < MaxPages; page++)
            {
                var (entries, next) = await read(cursor);
                all.AddRange(entries);
                budget.Take(entries);
                if (string.IsNullOrEmpty(next) || next == cursor)
                {
                    return all;
                }

                cursor = next;
            }
        }
        catch (McpProtocolException failure)
            when (all.Count == 0 && (!declared || failure.ErrorCode is McpErrorCode.MethodNotFound))
        {
            return [];
        }

        throw new IOException($"Its list has more than {MaxPages} pages.");
    }

    private sealed class Budget
    {
        private int _entries,
            _bytes;

        public void Take<T>(IList<T> entries)
        {
            _entries += entries.Count;
            _bytes += JsonSerializer.SerializeToUtf8Bytes(entries, McpJsonUtilities.DefaultOptions).Length;
            if (_entries > MaxEntries || _bytes > MaxListBytes)
            {
                throw new IOException(
                    $"Its lists have more than {MaxEntries} entries or {MaxListBytes} bytes, which is the limit."
                );
            }
        }
    }
}
