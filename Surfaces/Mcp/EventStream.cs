using System.Text;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>Server-sent events: their headers, and the stream that a session keeps open for what the server has to say.</summary>
internal static class EventStream
{
    private static readonly byte[] Comment = ": keep-alive\n\n"u8.ToArray();

    public static void Start(HttpResponse response)
    {
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache, no-transform";
        response.Headers["X-Accel-Buffering"] = "no"; // nginx would otherwise hold events back
    }

    /// <summary>
    /// Keeps a stream open with comments, at a few hundred bytes each, until the client leaves, the idle limit ends it, or the session
    /// starts a conversation: then the SDK's server takes the stream over.
    /// </summary>
    public static async Task ServeAsync(HttpContext http, Session? session, McpOptions options, CancellationToken stopping)
    {
        using var ended = session is null
            ? CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping)
            : CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping, session.Ended);
        using var use = session?.InUse();
        using var writing = new SemaphoreSlim(1, 1);
        var events = new Writer(http.Response, writing, ended.Token);
        try
        {
            Start(http.Response);
            await events.WriteAsync(Comment);
            session?.QuietStream = method => events.WriteAsync(Encoding.UTF8.GetBytes($"event: message\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"{method}\"}}\n\n"));
            for (var quiet = TimeSpan.Zero; session is not null || quiet < options.SessionIdle; quiet += options.KeepAlive)
            {
                var pause = Task.Delay(options.KeepAlive, ended.Token);
                if (session is null)
                {
                    await pause;
                }
                else if (await Task.WhenAny(pause, session.ConversationStarted) != pause)
                {
                    await TakeOverAsync(http, session, ended.Token);
                    return;
                }

                ended.Token.ThrowIfCancellationRequested();
                await events.WriteAsync(Comment);
            }
        }
        catch (OperationCanceledException)
        {
            // The client left, the session ended, or the server stops.
        }
        finally
        {
            session?.QuietStream = null;
            session?.CloseStream();
        }
    }

    private static async Task TakeOverAsync(HttpContext http, Session session, CancellationToken cancellationToken)
    {
        session.QuietStream = null;
        var conversation = await session.ConversationAsync();
        await conversation.Transport.HandleGetRequestAsync(http.Response.Body, cancellationToken);
    }

    private sealed class Writer(HttpResponse response, SemaphoreSlim writing, CancellationToken cancellationToken)
    {
        public async Task WriteAsync(byte[] text)
        {
            await writing.WaitAsync(cancellationToken);
            try
            {
                await response.BodyWriter.WriteAsync(text, cancellationToken);
            }
            finally
            {
                writing.Release();
            }
        }
    }
}
