using System.Text.Json.Nodes;
using MinimalMcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// The resources that one conversation has subscribed to (MCP 2025-11-25, server/resources, "Subscriptions"): each
/// change is told by a notification that names the resource.
/// </summary>
internal sealed class ResourceSubscriptions(ResourceUpdates updates, Func<ReadOnlyMemory<byte>, Task> send)
    : IDisposable
{
    private const int Max = 100;

    private readonly Dictionary<string, IDisposable> _watched = new(StringComparer.Ordinal);
    private bool _hasEnded;

    public void Add(string uri)
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

            _watched[uri] = updates.Watch(uri, changed => send(Notification(changed)));
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
            foreach (var watching in _watched.Values)
            {
                watching.Dispose();
            }

            _watched.Clear();
        }
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
