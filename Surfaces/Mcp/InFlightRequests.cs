using System.Collections.Concurrent;
using System.Text;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>The running requests of a session, so that <c>notifications/cancelled</c> can stop one.</summary>
internal sealed class InFlightRequests
{
    private readonly ConcurrentDictionary<string, CancellationTokenSource> _requests = new(StringComparer.Ordinal);

    /// <summary>Tracks a request until the returned handle is disposed.</summary>
    public Request Begin(in JsonRpcEnvelope envelope, CancellationToken cancellationToken)
    {
        var key = Encoding.UTF8.GetString(envelope.RawId);
        var source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _requests[key] = source;
        return new(this, key, source);
    }

    /// <summary>Handles the notification. Unknown and finished requests are ignored (MCP, cancellation).</summary>
    public void Cancel(in JsonRpcEnvelope notification)
    {
        var id = notification.Param("requestId"u8);
        if (
            id.ValueKind is not System.Text.Json.JsonValueKind.Undefined
            && _requests.TryGetValue(id.GetRawText(), out var source)
        )
        {
            _ = CancelAsync(source);
        }
    }

    // Not inline: a tool's cancellation callback may take long or throw.
    private static async Task CancelAsync(CancellationTokenSource source)
    {
        try
        {
            await source.CancelAsync();
        }
        catch (Exception failure) when (failure is ObjectDisposedException or AggregateException)
        {
            // It finished concurrently, or the tool's clean-up failed.
        }
    }

    internal readonly struct Request(InFlightRequests owner, string key, CancellationTokenSource source) : IDisposable
    {
        public CancellationToken Token => source.Token;

        public void Dispose()
        {
            owner._requests.TryRemove(new(key, source));
            source.Dispose();
        }
    }
}
