namespace MinimalMcp.Surfaces.Mcp;

/// <summary>Server-sent events: their headers, and the stream that is kept open for what the server has to say.</summary>
internal static class EventStream
{
    private static readonly byte[] Comment = ": keep-alive\n\n"u8.ToArray();

    public static void Start(HttpResponse response)
    {
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache, no-transform";
        response.Headers["X-Accel-Buffering"] = "no"; // nginx would otherwise hold events back
    }

    /// <summary>Keeps an attached stream open with comments, at a few hundred bytes each, until it ends or has been open long enough.</summary>
    public static async Task ServeAsync(SessionEvents events, TimeSpan keepAlive, TimeSpan limit, CancellationToken ended)
    {
        try
        {
            for (var open = TimeSpan.Zero; open < limit; open += keepAlive)
            {
                await events.SendAsync(Comment);
                await Task.Delay(keepAlive, ended);
            }
        }
        catch (OperationCanceledException)
        {
            // The client left, the session ended, or the server stops.
        }
        finally
        {
            await events.DetachAsync();
        }
    }
}
