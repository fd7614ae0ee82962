using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Options;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>Streamable HTTP: one path for every revision since 2025-03-26.</summary>
internal sealed class McpEndpoint(
    ModernEra modern, HandshakeEra handshake, Sessions sessions, ToolRegistry registry, ToolProfiles profiles, Auth.OpenStreams streams, RpcMetrics metrics, IOptions<McpOptions> options,
    IHostApplicationLifetime lifetime, ILogger<McpEndpoint> logger)
{
    public async Task PostAsync(HttpContext http)
    {
        var started = Stopwatch.GetTimestamp();
        string? method = null;
        var errorCode = 0;
        try
        {
            RequireMediaTypes(http.Request);
            var tools = Tools(http);
            var body = await http.Request.BodyReader.ReadToEndAsync(CancellationToken.None); // a lost connection ends the reading by itself
            try
            {
                using var document = Envelope.Parse(body);
                if (document.RootElement.ValueKind is JsonValueKind.Array)
                {
                    await handshake.BatchAsync(http, document.RootElement, tools);
                }
                else
                {
                    var envelope = Envelope.Read(document.RootElement);
                    method = envelope.Method;
                    await OneAsync(http, envelope, tools);
                }
            }
            finally
            {
                http.Request.BodyReader.AdvanceTo(body.End);
            }
        }
        catch (RpcException refused)
        {
            errorCode = refused.Code;
            await http.Response.RefuseAsync(refused);
        }
        catch (BadHttpRequestException bad)
        {
            errorCode = RpcCode.InvalidRequest;
            await http.Response.RefuseAsync(new RpcException(RpcCode.InvalidRequest, bad.StatusCode == 413 ? "The body is too large." : "The request could not be read.", status: bad.StatusCode));
        }
        catch (OperationCanceledException)
        {
            // Cancelled by the client, or its session ended: MCP wants no response.
            http.Response.Accept();
        }

        metrics.Record(method, "http", started, errorCode);
    }

    /// <summary>The event stream of a session; without a session a quiet one, because hosts open it before anything else.</summary>
    public async Task GetAsync(HttpContext http)
    {
        var (isRefused, session) = await SessionOfAsync(http);
        if (isRefused)
        {
            return;
        }

        await using var stream = streams.Open(http, http.RequestAborted, lifetime.ApplicationStopping, session?.Ended ?? CancellationToken.None);
        using var use = session?.InUse();
        var events = session?.Events ?? new SessionEvents();
        EventStream.Start(http.Response);
        if (!events.TryAttach(http.Response.BodyWriter, stream.Ended))
        {
            await http.Response.RefuseAsync(new RpcException(RpcCode.InvalidRequest, "This session has an open event stream already.", status: StatusCodes.Status409Conflict));
            return;
        }

        await EventStream.ServeAsync(http.Response, events, options.Value.KeepAlive, session is null ? options.Value.SessionIdle : TimeSpan.MaxValue, stream);
    }

    public async Task DeleteAsync(HttpContext http)
    {
        var (isRefused, session) = await SessionOfAsync(http);
        if (isRefused)
        {
            return;
        }

        if (session is null)
        {
            await http.Response.RefuseAsync(new RpcException(RpcCode.InvalidRequest, "DELETE ends a session: name it in Mcp-Session-Id."));
            return;
        }

        await sessions.CloseAsync(session);
    }

    private async Task OneAsync(HttpContext http, Envelope envelope, ToolSet tools)
    {
        try
        {
            var version = HeaderCheck.Revision(http.Request, envelope);
            await (Revision.IsModern(version) ? modern.PostAsync(http, envelope, tools) : handshake.PostAsync(http, envelope, version, tools));
        }
        catch (Exception failure) when (Unexpected.Is(failure))
        {
            throw Unexpected.Explain(failure, envelope, logger);
        }
    }

    private ToolSet Tools(HttpContext http) => registry.Current.For(http.Request, profiles)
        ?? throw new RpcException(RpcCode.InvalidRequest, $"Unknown profile. There are: {string.Join(", ", profiles.Names)}.", status: StatusCodes.Status404NotFound);

    private static void RequireMediaTypes(HttpRequest request)
    {
        if (!RequestBody.IsJson(request) || request.Headers.ContentEncoding.Count > 0)
        {
            throw new RpcException(RpcCode.InvalidRequest, "Content-Type must be application/json, without Content-Encoding.", status: StatusCodes.Status415UnsupportedMediaType);
        }

        // A client that sends no Accept at all takes everything (RFC 9110, 12.5.1).
        var accept = request.Headers.Accept.ToString();
        if (accept.Length > 0 && accept is not "application/json, text/event-stream" && !accept.Contains("*/*", StringComparison.Ordinal)
            && !(accept.Contains("application/json", StringComparison.OrdinalIgnoreCase) && accept.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase)))
        {
            throw new RpcException(RpcCode.InvalidRequest, "Accept must list both application/json and text/event-stream.", status: StatusCodes.Status406NotAcceptable);
        }
    }

    // What GET and DELETE share: since 2026-07-28 there is neither, and a session that is named must be there.
    private async Task<(bool IsRefused, Session? Session)> SessionOfAsync(HttpContext http)
    {
        if (Revision.IsModern(http.Request.Headers["MCP-Protocol-Version"].ToString()))
        {
            http.Response.Headers.Allow = "POST";
            http.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return (true, null);
        }

        if (handshake.Find(http, out var session) is not { } refused)
        {
            return (false, session);
        }

        await http.Response.RefuseAsync(refused);
        return (true, null);
    }
}
