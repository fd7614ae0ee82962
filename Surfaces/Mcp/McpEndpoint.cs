using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Options;
using MinimalMcp.Tools;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>Streamable HTTP: one path for every revision since 2025-03-26.</summary>
internal sealed class McpEndpoint(
    FastLane fast, FullLane full, Sessions sessions, ToolRegistry registry, ToolProfiles profiles, RpcMetrics metrics, IOptions<McpOptions> options, IHostApplicationLifetime lifetime,
    ILogger<McpEndpoint> logger)
{
    private const string SessionHeader = "Mcp-Session-Id";

    public async Task PostAsync(HttpContext http)
    {
        var started = Stopwatch.GetTimestamp();
        string? method = null;
        var errorCode = 0;
        try
        {
            RequireMediaTypes(http.Request);
            var tools = Tools(http);
            var body = await http.Request.BodyReader.ReadToEndAsync(http.RequestAborted);
            try
            {
                using var document = Envelope.Parse(body);
                if (document.RootElement.ValueKind is JsonValueKind.Array)
                {
                    await BatchAsync(http, document.RootElement, tools);
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
            await RefuseAsync(http, refused);
        }
        catch (BadHttpRequestException bad)
        {
            errorCode = RpcCode.InvalidRequest;
            await RefuseAsync(http, new RpcException(RpcCode.InvalidRequest, bad.StatusCode == 413 ? "The body is too large." : "The request could not be read.", status: bad.StatusCode));
        }
        catch (OperationCanceledException)
        {
            // Cancelled by the client, or its session ended: MCP wants no response.
            Accept(http.Response);
        }

        metrics.Record(method, "http", started, errorCode);
    }

    /// <summary>The event stream of a session; without a session a quiet one, because hosts open it before anything else.</summary>
    public async Task GetAsync(HttpContext http)
    {
        if (Revision.IsModern(http.Request.Headers["MCP-Protocol-Version"].ToString()))
        {
            NotAllowed(http);
            return;
        }

        if (FindSession(http, out var session) is { } refused)
        {
            await RefuseAsync(http, refused);
            return;
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping, session?.Ended ?? CancellationToken.None);
        using var use = session?.InUse();
        var events = session?.Events ?? new SessionEvents();
        EventStream.Start(http.Response);
        if (!events.TryAttach(http.Response.BodyWriter, ended.Token))
        {
            await RefuseAsync(http, new RpcException(RpcCode.InvalidRequest, "This session has an open event stream already.", status: StatusCodes.Status409Conflict));
            return;
        }

        await EventStream.ServeAsync(events, options.Value.KeepAlive, session is null ? options.Value.SessionIdle : TimeSpan.MaxValue, ended.Token);
    }

    public async Task DeleteAsync(HttpContext http)
    {
        if (Revision.IsModern(http.Request.Headers["MCP-Protocol-Version"].ToString()))
        {
            NotAllowed(http);
            return;
        }

        if (FindSession(http, out var session) is { } refused)
        {
            await RefuseAsync(http, refused);
            return;
        }

        if (session is null)
        {
            await RefuseAsync(http, new RpcException(RpcCode.InvalidRequest, "DELETE ends a session: name it in Mcp-Session-Id."));
            return;
        }

        await sessions.CloseAsync(session);
    }

    private async Task OneAsync(HttpContext http, Envelope envelope, ToolSet tools)
    {
        try
        {
            var version = HeaderCheck.Revision(http.Request, envelope);
            await (Revision.IsModern(version) ? ModernAsync(http, envelope, tools) : WithHandshakeAsync(http, envelope, version, tools));
        }
        catch (Exception failure) when (Unexpected.Is(failure))
        {
            throw Unexpected.Explain(failure, envelope, logger);
        }
    }

    // A closed connection cancels the call: since 2026-07-28 that is how a client says so.
    private async Task ModernAsync(HttpContext http, Envelope envelope, ToolSet tools)
    {
        HeaderCheck.Modern(http.Request, envelope, tools);
        if (envelope.IsNotification)
        {
            Accept(http.Response);
        }
        else if (fast.Takes(envelope, Revision.V2026_07_28, tools))
        {
            await FastAsync(http, envelope, Revision.V2026_07_28, tools, http.RequestAborted);
        }
        else if (envelope.Method is "initialize" or "ping" or "logging/setLevel" or "resources/subscribe" or "resources/unsubscribe")
        {
            throw new RpcException(RpcCode.MethodNotFound, $"Method not found: revision 2026-07-28 has no {envelope.Method}.", envelope.Id, StatusCodes.Status404NotFound);
        }
        else
        {
            EventStream.Start(http.Response);
            await full.ServeOnceAsync(FullLane.Message(envelope, Revision.V2026_07_28, tools, http.User), http.Response.Body, StatusOf, http.RequestAborted);
        }

        ValueTask StatusOf(JsonRpcMessage? first)
        {
            if (first is JsonRpcError error && !http.Response.HasStarted)
            {
                http.Response.StatusCode = Revision.StatusOf(error.Error.Code, Revision.V2026_07_28);
            }

            return default;
        }
    }

    // Before 2026-07-28 a closed connection means nothing (the client may come back): only notifications/cancelled cancels.
    private async Task WithHandshakeAsync(HttpContext http, Envelope envelope, string? version, ToolSet tools)
    {
        if (FindSession(http, out var session) is { } refused)
        {
            throw refused;
        }

        version ??= session?.Version ?? Revision.V2025_03_26;
        using var use = session?.InUse();
        if (envelope is { IsRequest: true, Method: "initialize" })
        {
            await InitializeAsync(http, envelope, tools);
        }
        else if (fast.Takes(envelope, version, tools))
        {
            using var request = session?.InFlight.Begin(envelope, session.Ended);
            await FastAsync(http, envelope, version, tools, request?.Token ?? CancellationToken.None);
        }
        else if (session is null && envelope.IsRequest)
        {
            EventStream.Start(http.Response);
            await full.ServeOnceAsync(FullLane.Message(envelope, version, tools, http.User), http.Response.Body, null, lifetime.ApplicationStopping);
        }
        else if (session is not null && (envelope.IsRequest || session.HasConversation))
        {
            await ConverseAsync(http, session, envelope, version, tools);
        }
        else
        {
            if (envelope.Method == "notifications/cancelled")
            {
                session?.InFlight.Cancel(envelope);
            }

            Accept(http.Response);
        }
    }

    private static async Task ConverseAsync(HttpContext http, Session session, Envelope envelope, string version, ToolSet tools)
    {
        // The SDK's server leaves the response of a cancelled request open, so the token here ends it.
        using InFlight.Request? request = envelope.IsRequest ? session.InFlight.Begin(envelope, session.Ended) : null;
        var conversation = await session.ConversationAsync();
        EventStream.Start(http.Response);
        if (!await conversation.Transport.HandlePostRequestAsync(FullLane.Message(envelope, version, tools, http.User), http.Response.Body, request?.Token ?? session.Ended))
        {
            Accept(http.Response);
        }

        if (envelope.Method == "notifications/cancelled")
        {
            session.InFlight.Cancel(envelope);
        }
    }

    private async Task InitializeAsync(HttpContext http, Envelope envelope, ToolSet tools)
    {
        var asked = envelope.Param("protocolVersion"u8);
        if (asked.ValueKind is not JsonValueKind.String)
        {
            throw new RpcException(RpcCode.InvalidParams, "Invalid params: initialize needs \"protocolVersion\", a string.", envelope.Id, StatusCodes.Status200OK);
        }

        var version = Revision.Known(asked) ?? Revision.NewestWithHandshake;
        if (Revision.IsModern(version) || Revision.IsModern(asked.GetString()))
        {
            throw Revision.Unsupported(asked.GetString()!, envelope.Id, StatusCodes.Status200OK, Revision.All[1..]);
        }

        if (sessions.Open(version, Sessions.OwnerOf(http.User), envelope) is { } session)
        {
            http.Response.Headers[SessionHeader] = session.Id;
        }

        await FastAsync(http, envelope, version, tools, CancellationToken.None);
    }

    private async Task FastAsync(HttpContext http, Envelope envelope, string version, ToolSet tools, CancellationToken cancellationToken)
    {
        using var answer = new JsonBuffer();
        await fast.AnswerAsync(envelope, version, tools, http.User, "http", answer, cancellationToken);
        await http.Response.WriteJsonAsync(StatusCodes.Status200OK, answer.Written);
    }

    // Revision 2025-03-26 requires batches, the ones after it forbid them.
    private async Task BatchAsync(HttpContext http, JsonElement batch, ToolSet tools)
    {
        var stated = http.Request.Headers["MCP-Protocol-Version"].ToString();
        var refused = FindSession(http, out var session);
        if (refused is not null || (session?.Version ?? stated) != Revision.V2025_03_26)
        {
            throw refused ?? new RpcException(RpcCode.InvalidRequest, "Invalid request: batches exist only in revision 2025-03-26; send one message per request.");
        }

        using var use = session?.InUse();
        using var answers = new JsonBuffer();
        await Batch.AnswerAsync(batch, answers, logger, AnswerOneAsync);
        if (answers.Written.IsEmpty)
        {
            Accept(http.Response);
            return;
        }

        await http.Response.WriteJsonAsync(StatusCodes.Status200OK, answers.Written);

        async ValueTask<JsonBuffer?> AnswerOneAsync(Envelope message)
        {
            if (!message.IsRequest)
            {
                if (session is { HasConversation: true })
                {
                    await (await session.ConversationAsync()).Transport.HandlePostRequestAsync(
                        FullLane.Message(message, Revision.V2025_03_26, tools, http.User), Stream.Null, session.Ended);
                }

                if (message.Method == "notifications/cancelled")
                {
                    session?.InFlight.Cancel(message);
                }

                return null;
            }

            using var request = session?.InFlight.Begin(message, session.Ended);
            var answer = new JsonBuffer();
            if (fast.Takes(message, Revision.V2025_03_26, tools))
            {
                await fast.AnswerAsync(message, Revision.V2025_03_26, tools, http.User, "http", answer, request?.Token ?? CancellationToken.None);
            }
            else
            {
                await full.AnswerAsync(message, Revision.V2025_03_26, tools, http.User, answer, request?.Token ?? lifetime.ApplicationStopping);
            }

            return answer;
        }
    }

    private RpcException? FindSession(HttpContext http, out Session? session)
    {
        var id = http.Request.Headers[SessionHeader];
        session = id.Count == 0 ? null : sessions.Find(id.ToString(), Sessions.OwnerOf(http.User));
        return id.Count == 0 || session is not null ? null
            : new RpcException(RpcCode.SessionNotFound, "Session not found: it ended or never was. Send initialize to start another.", status: StatusCodes.Status404NotFound);
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

    private static void Accept(HttpResponse response)
    {
        if (!response.HasStarted)
        {
            response.ContentType = null;
            response.StatusCode = StatusCodes.Status202Accepted;
        }
    }

    private static void NotAllowed(HttpContext http)
    {
        http.Response.Headers.Allow = "POST";
        http.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
    }

    private static async Task RefuseAsync(HttpContext http, RpcException refused)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();
            return;
        }

        using var answer = new JsonBuffer();
        var writer = answer.StartWriting();
        refused.WriteTo(writer);
        writer.Flush();
        await http.Response.WriteJsonAsync(refused.Status, answer.Written);
    }
}
