using MinimalMcp.Auth;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>Server-sent events: their headers, and the stream that stays open for what the server has to say.</summary>
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

    /// <summary>What GET would begin with, and no stream.</summary>
    public static Task AnswerHead(HttpContext http)
    {
        Start(http.Response);
        return Task.CompletedTask;
    }

    /// <summary>
    /// The last word of a stream whose credential is not good any more. A client opens it again with a new one, or
    /// learns then what is wrong.
    /// </summary>
    public static async Task EndAsync(HttpResponse response) =>
        await response.BodyWriter.WriteAsync(Refused, response.HttpContext.RequestAborted);

    /// <summary>Keeps a stream open with comments, at a few bytes each, until it ends or reaches its limit.</summary>
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
            // The client left or opened another, the session or its credential ended, or the server stops.
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
