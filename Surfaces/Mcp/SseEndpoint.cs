using System.Buffers;
using System.Text;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Governance;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// HTTP+SSE of revision 2024-11-05: a GET opens the stream and learns where to post; answers come on the stream.
/// Deprecated, but what several clients still begin with.
/// </summary>
internal sealed class SseEndpoint(
    LineServices line,
    Sessions sessions,
    ToolRegistry registry,
    ToolProfiles profiles,
    StreamAuthorization streams,
    IOptions<McpOptions> options,
    IHostApplicationLifetime lifetime
)
{
    public async Task GetAsync(HttpContext http)
    {
        if (registry.Current.For(http.Request, profiles) is null)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        if (sessions.Hold(http, options.Value.MaxSessions) is not { } session)
        {
            await TextAsync(http, StatusCodes.Status503ServiceUnavailable, "Too many sessions: close one first.");
            return;
        }

        await using var stream = streams.Open(http, http.RequestAborted, lifetime.ApplicationStopping, session.Ended);
        using var use = session.InUse();
        await using var conversation = new LineTransport(
            "sse",
            () => registry.Current.For(http.Request, profiles) ?? registry.Current,
            line,
            Task.CompletedTask,
            (message, cancellationToken) => WriteAsync(http.Response, message, cancellationToken)
        );
        session.Line = conversation;
        sessions.Announce(session);
        try
        {
            await ServeAsync(http, session.Id, conversation, stream);
        }
        finally
        {
            await sessions.CloseAsync(session);
        }

        if (stream.IsRefused)
        {
            await conversation.WriteBetweenAsync(_ => EventStream.EndAsync(http.Response), http.RequestAborted);
        }
    }

    public async Task PostAsync(HttpContext http)
    {
        if (sessions.FindLine(http, http.Request.Query["sessionId"].ToString()) is not { } conversation)
        {
            await TextAsync(
                http,
                StatusCodes.Status404NotFound,
                "Session not found: open GET /sse and post where its endpoint event says."
            );
            return;
        }

        if (!RequestBody.IsJson(http.Request) || http.Request.Headers.ContentEncoding.Count > 0)
        {
            await TextAsync(
                http,
                StatusCodes.Status415UnsupportedMediaType,
                "Content-Type must be application/json, without Content-Encoding."
            );
            return;
        }

        byte[] message;
        try
        {
            var body = await http.Request.BodyReader.ReadToEndAsync(http.RequestAborted);
            message = body.ToArray();
            http.Request.BodyReader.AdvanceTo(body.End);
        }
        catch (BadHttpRequestException bad)
        {
            var why = bad.StatusCode == 413 ? "The message is too large." : "The request could not be read.";
            await TextAsync(http, bad.StatusCode, why);
            return;
        }

        await conversation.ReceiveAsync(message, CallOrigin.Of(http) with { HasSession = true }, http.RequestAborted);
        await TextAsync(http, StatusCodes.Status202Accepted, "Accepted");
    }

    private async Task ServeAsync(HttpContext http, string id, LineTransport conversation, AuthorizedStream stream)
    {
        try
        {
            EventStream.Start(http.Response);
            // Relative, so that it is right behind any proxy. The path base is what a proxy cut off.
            var endpoint = $"event: endpoint\ndata: {http.Request.PathBase}/message?sessionId={id}\n\n";
            await http.Response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes(endpoint), stream.Ended);
            while (true)
            {
                await Task.Delay(options.Value.KeepAlive, stream.Ended);
                await conversation.WriteBetweenAsync(
                    stop => http.Response.BodyWriter.WriteAsync(EventStream.Comment, stop).AsTask(),
                    stream.Ended
                );
            }
        }
        catch (OperationCanceledException)
        {
            // The client left, its credential is not good any more, or the server stops.
        }
    }

    private static async Task WriteAsync(
        HttpResponse response,
        ReadOnlyMemory<byte> message,
        CancellationToken cancellationToken
    )
    {
        await response.BodyWriter.WriteAsync("event: message\ndata: "u8.ToArray(), cancellationToken);
        await response.BodyWriter.WriteAsync(message, cancellationToken);
        await response.BodyWriter.WriteAsync("\n\n"u8.ToArray(), cancellationToken);
    }

    private static Task TextAsync(HttpContext http, int status, string text)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/plain";
        return http.Response.WriteAsync(text);
    }
}
