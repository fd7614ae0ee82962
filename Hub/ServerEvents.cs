using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using MinimalMcp.Governance;
using MinimalMcp.Tools;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Hub;

/// <summary>
/// Between servers and clients without a call: log messages at the level that somebody wants, and updates of resources
/// that somebody watches.
/// </summary>
internal sealed partial class ServerEvents : IDisposable
{
    private const int MaxData = 16 << 10;

    private readonly LogMessages _logs;
    private readonly ResourceUpdates _updates;
    private readonly ILogger<ServerEvents> _logger;
    private readonly ConcurrentDictionary<UpstreamConnection, string> _connected = new();

    public ServerEvents(LogMessages logs, ResourceUpdates updates, ILogger<ServerEvents> logger)
    {
        (_logs, _updates, _logger) = (logs, updates, logger);
        _logs.LevelChanged += SetLevels;
        _updates.Watched += Subscribe;
        _updates.Unwatched += Unsubscribe;
    }

    /// <summary>Follows the server until the connection ends.</summary>
    public void Attach(string server, UpstreamConnection connection)
    {
        connection.Logged += message => Log(server, message);
        connection.Client.RegisterNotificationHandler(NotificationMethods.ResourceUpdatedNotification, (message, _) =>
            message.Params?["uri"] is { } uri && uri.GetValueKind() is JsonValueKind.String
                ? new(_updates.AnnounceAsync(ServerUri.Join(server, uri.GetValue<string>())))
                : default
        );
        _connected[connection] = server;
        SetLevel(connection, server);
        foreach (var uri in _updates.AllWatched)
        {
            Subscribe(uri); // a new connection knows nothing of the one before
        }

        _ = connection.Ended.ContinueWith(_ => _connected.TryRemove(connection, out var _), TaskScheduler.Default);
    }

    public void Dispose()
    {
        _logs.LevelChanged -= SetLevels;
        _updates.Watched -= Subscribe;
        _updates.Unwatched -= Unsubscribe;
    }

    private void Log(string server, JsonRpcNotification notification)
    {
        LoggingMessageNotificationParams? message;
        try
        {
            message = notification.Params.Deserialize(McpTypeInfo.Of<LoggingMessageNotificationParams>());
        }
        catch (JsonException)
        {
            return;
        }

        if (message is null)
        {
            return;
        }

        var isLong = message.Data is { } data && Encoding.UTF8.GetByteCount(data.GetRawText()) > MaxData;
        _logs.Publish(
            server,
            new()
            {
                Level = message.Level,
                Logger = message.Logger is null ? server : $"{server}/{TextLimit.Cut(message.Logger, TextLimit.Name)}",
                Data = isLong
                    ? JsonSerializer.SerializeToElement(
                        $"[omitted: a message of more than {MaxData} bytes]",
                        RecordJson.Default.String
                    )
                    : message.Data,
            }
        );
    }

    private void SetLevels()
    {
        foreach (var (connection, server) in _connected)
        {
            SetLevel(connection, server);
        }
    }

    private void SetLevel(UpstreamConnection connection, string server)
    {
        if (_logs.Lowest is { } level && connection.Client.ServerCapabilities.Logging is not null)
        {
            _ = SendAsync(server, stop => connection.SetLevelAsync(level, stop));
        }
    }

    private void Subscribe(string uri) => Send(uri, (connection, own, stop) => connection.SubscribeAsync(own, stop));

    private void Unsubscribe(string uri) =>
        Send(uri, (connection, own, stop) => connection.UnsubscribeAsync(own, stop));

    private void Send(string uri, Func<UpstreamConnection, string, CancellationToken, Task> request)
    {
        if (ServerUri.Split(uri) is not { } split)
        {
            return;
        }

        foreach (var (connection, server) in _connected)
        {
            if (server == split.Server && connection.Client.ServerCapabilities.Resources?.Subscribe is true)
            {
                _ = SendAsync(server, stop => request(connection, split.Uri, stop));
            }
        }
    }

    // The client has its answer: what the server says to it is for the operator.
    private async Task SendAsync(string server, Func<CancellationToken, Task> request)
    {
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            await request(limit.Token);
        }
        catch (Exception failure)
        {
            LogRefused(server, failure.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning, "A server refused a subscription or log level {Server} {Reason}")]
    private partial void LogRefused(string server, string reason);
}
