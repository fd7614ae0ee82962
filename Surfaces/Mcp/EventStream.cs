using MinimalMcp.Auth;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>Server-sent events: headers, and streams that stay open for server messages.</summary>
internal static class EventStream
{
    public static readonly byte[] Comment = ": keep-alive\n\n"u8.ToArray();

    private static readonly byte[] Refused =
        ": this stream ends because its credential was revoked or has expired\n\n"u8.ToArray();

    public static void Start(HttpResponse response)
    {
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache, no-transform";
        response.Headers["X-Accel-Buffering"] = "no"; // nginx would otherwise hold events back
    }

    /// <summary>The headers of GET, without a stream (HEAD).</summary>
    public static Task AnswerHead(HttpContext http)
    {
        Start(http.Response);
        return Task.CompletedTask;
    }

    /// <summary>
    /// The final comment of a stream whose credential is no longer valid. The client reconnects with a new one, or
    /// learns the reason.
    /// </summary>
    public static async Task EndAsync(HttpResponse response) =>
        await response.BodyWriter.WriteAsync(Refused, response.HttpContext.RequestAborted);

    /// <summary>Keeps a stream open with short comments until it ends or reaches its limit.</summary>
    public static async Task ServeAsync(
        HttpResponse response,
        SessionEvents events,
        TimeSpan keepAlive,
        TimeSpan limit,
        AuthorizedStream stream
    )
    {
        var attached = events.Attach(response.BodyWriter, stream.Ended);
        try
        {
            for (var open = TimeSpan.Zero; open < limit; open += keepAlive)
            {
                await events.SendAsync(Comment);
                await Task.Delay(keepAlive, attached.Ended);
            }
        }
        catch (OperationCanceledException)
        {
            // The client disconnected or opened another stream, the session or its credential ended, or the server
            // stops.
        }
        finally
        {
            await events.DetachAsync(attached);
        }

        if (stream.IsRefused)
        {
            await EndAsync(response);
        }
    }
}
