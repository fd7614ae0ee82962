using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Governance;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// HTTP+SSE of revision 2024-11-05: a GET opens the stream and learns where to post; answers come on the stream. Deprecated, but the URL that
/// several hosts still ask for.
/// </summary>
internal sealed class SseEndpoint(
    FastLane fast, FullLane full, ListChanges changes, ToolRegistry registry, ToolProfiles profiles, OpenStreams streams, RpcMetrics metrics, IOptions<McpOptions> options, IHostApplicationLifetime lifetime,
    ILogger<SseEndpoint> logger)
{
    private readonly ConcurrentDictionary<string, (StreamConversation Conversation, string Owner)> _open = new(StringComparer.Ordinal);

    public async Task GetAsync(HttpContext http)
    {
        if (registry.Current.For(http.Request, profiles) is null || _open.Count >= options.Value.MaxSessions)
        {
            http.Response.StatusCode = _open.Count >= options.Value.MaxSessions ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status404NotFound;
            return;
        }

        await using var stream = streams.Open(http, http.RequestAborted, lifetime.ApplicationStopping);
        var response = http.Response;
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        await using var conversation = new StreamConversation(
            "sse", () => registry.Current.For(http.Request, profiles) ?? registry.Current, fast, full, changes, metrics, logger, options.Value.MaxInFlight,
            async (message, cancellationToken) =>
            {
                await response.BodyWriter.WriteAsync("event: message\ndata: "u8.ToArray(), cancellationToken);
                await response.BodyWriter.WriteAsync(message, cancellationToken);
                await response.BodyWriter.WriteAsync("\n\n"u8.ToArray(), cancellationToken);
            });
        _open[id] = (conversation, Sessions.OwnerOf(http.User));
        try
        {
            EventStream.Start(response);
            // Relative, so that it is right behind any proxy. The path base is what a proxy cut off.
            await response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes($"event: endpoint\ndata: {http.Request.PathBase}/message?sessionId={id}\n\n"), stream.Ended);
            while (true)
            {
                await Task.Delay(options.Value.KeepAlive, stream.Ended);
                await conversation.KeepAliveAsync(cancellationToken => response.BodyWriter.WriteAsync(": keep-alive\n\n"u8.ToArray(), cancellationToken).AsTask(), stream.Ended);
            }
        }
        catch (OperationCanceledException)
        {
            // The client left, its credential is not good any more, or the server stops.
        }
        finally
        {
            _open.TryRemove(id, out _);
        }

        if (stream.IsRefused)
        {
            await conversation.KeepAliveAsync(_ => EventStream.EndAsync(response), http.RequestAborted);
        }
    }

    public async Task PostAsync(HttpContext http)
    {
        if (!_open.TryGetValue(http.Request.Query["sessionId"].ToString(), out var open) || open.Owner != Sessions.OwnerOf(http.User))
        {
            await TextAsync(http, StatusCodes.Status404NotFound, "Session not found: open GET /sse and post where its endpoint event says.");
            return;
        }

        if (!RequestBody.IsJson(http.Request) || http.Request.Headers.ContentEncoding.Count > 0)
        {
            await TextAsync(http, StatusCodes.Status415UnsupportedMediaType, "Content-Type must be application/json, without Content-Encoding.");
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
            await TextAsync(http, bad.StatusCode, bad.StatusCode == 413 ? "The message is too large." : "The request could not be read.");
            return;
        }

        await open.Conversation.ReceiveAsync(message, Origin.Of(http), http.RequestAborted);
        await TextAsync(http, StatusCodes.Status202Accepted, "Accepted");
    }

    private static Task TextAsync(HttpContext http, int status, string text)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/plain";
        return http.Response.WriteAsync(text);
    }
}
