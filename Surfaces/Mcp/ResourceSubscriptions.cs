using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// What one conversation has subscribed to (MCP 2025-11-25, server/resources and server/utilities/logging): each change
/// of a resource is told by a notification that names it, and log messages come from the level on that it set.
/// </summary>
internal sealed class ResourceSubscriptions(
    ResourceUpdates updates,
    LogMessages logs,
    Func<ReadOnlyMemory<byte>, Task> send
) : IDisposable
{
    private const int Max = 100;

    private readonly Dictionary<string, IDisposable> _watched = new(StringComparer.Ordinal);
    private IDisposable? _logging;
    private bool _hasEnded;

    /// <summary>From now on the conversation gets log messages of this level and above.</summary>
    /// <param name="server">The only server that it sees; null for all.</param>
    public void SetLevel(LoggingLevel level, string? server, SanitizedMessages visible)
    {
        lock (_watched)
        {
            var before = _logging;
            _logging = _hasEnded ? null : logs.Listen(level, server, message => send(Notification(message, visible)));
            before?.Dispose();
        }
    }

    /// <param name="key">The resource's name in <see cref="ResourceUpdates"/>, when it is another server's.</param>
    public void Add(string uri, string? key = null)
    {
        lock (_watched)
        {
            if (_hasEnded || _watched.ContainsKey(uri))
            {
                return;
            }

            if (_watched.Count == Max)
            {
                throw new McpProtocolException(
                    $"Invalid params: a session has at most {Max} subscriptions. Unsubscribe from a resource first.",
                    McpErrorCode.InvalidParams
                );
            }

            _watched[uri] = updates.Watch(key ?? uri, _ => send(Notification(uri)));
        }
    }

    public void Remove(string uri)
    {
        lock (_watched)
        {
            if (_watched.Remove(uri, out var watching))
            {
                watching.Dispose();
            }
        }
    }

    public void Dispose()
    {
        lock (_watched)
        {
            _hasEnded = true;
            _logging?.Dispose();
            foreach (var watching in _watched.Values)
            {
                watching.Dispose();
            }

            _watched.Clear();
        }
    }

    private static byte[] Notification(LoggingMessageNotificationParams message, SanitizedMessages visible)
    {
        var notification = new JsonRpcNotification
        {
            Method = NotificationMethods.LoggingMessageNotification,
            Params = JsonSerializer.SerializeToNode(message, McpTypeInfo.Of<LoggingMessageNotificationParams>()),
        };
        visible.Show(notification);
        return JsonSerializer.SerializeToUtf8Bytes(notification, SdkPath.MessageInfo);
    }

    private static byte[] Notification(string uri) =>
        System.Text.Encoding.UTF8.GetBytes(
            new JsonObject
            {
                ["jsonrpc"] = "2.0",
                ["method"] = NotificationMethods.ResourceUpdatedNotification,
                ["params"] = new JsonObject { ["uri"] = uri },
            }.ToJsonString()
        );
}
