using System.Collections.Concurrent;
using System.Text;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// The requests of one conversation that are being worked on, so that <c>notifications/cancelled</c> can stop one.
/// </summary>
internal sealed class InFlightRequests
{
    private readonly ConcurrentDictionary<string, CancellationTokenSource> _requests = new(StringComparer.Ordinal);

    /// <summary>Remembers a request until the returned handle is disposed.</summary>
    public Request Begin(in JsonRpcEnvelope envelope, CancellationToken cancellationToken)
    {
        var key = Encoding.UTF8.GetString(envelope.RawId);
        var source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _requests[key] = source;
        return new(this, key, source);
    }

    /// <summary>
    /// Handles the notification. A request that is unknown or finished is none of our business (MCP, cancellation).
    /// </summary>
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

    // Not here and now: what a tool registered for its cancellation may take long, or throw.
    private static async Task CancelAsync(CancellationTokenSource source)
    {
        try
        {
            await source.CancelAsync();
        }
        catch (Exception failure) when (failure is ObjectDisposedException or AggregateException)
        {
            // It finished at the same moment; or the tool's own clean-up failed.
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
