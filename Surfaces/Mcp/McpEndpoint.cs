using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Auth.Diagnostics;
using MinimalMcp.Governance;
using MinimalMcp.Tools;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// Streamable HTTP, in front of the SDK's endpoints: one path for every revision since 2025-03-26. Reads each message
/// strictly, refuses what is wrong, answers what the direct path can answer, and hands the rest to the SDK.
/// </summary>
internal sealed partial class McpEndpoint(
    DirectPath direct,
    SdkPath sdk,
    ScopeChallenge stepUp,
    Sessions sessions,
    SseEndpoint sse,
    ToolRegistry registry,
    ToolProfiles profiles,
    StreamAuthorization streams,
    DiagnosticsLog diagnostics,
    JsonRpcMetrics metrics,
    IOptions<McpOptions> options,
    IOptions<HttpServerTransportOptions> transport,
    IHostApplicationLifetime lifetime,
    ILogger<McpEndpoint> logger
)
{
    private const string SessionHeader = "Mcp-Session-Id",
        VersionHeader = "MCP-Protocol-Version";
    private const string BothTypes = "application/json, text/event-stream";

    /// <param name="next">The SDK's endpoint.</param>
    public async Task PostAsync(HttpContext http, RequestDelegate next)
    {
        var started = Stopwatch.GetTimestamp();
        string? method = null;
        var errorCode = 0;
        try
        {
            var takesStream = RequireMediaTypes(http.Request);
            var reader = http.Request.BodyReader;
            var body = await reader.ReadToEndAsync(CancellationToken.None); // a lost connection ends it by itself
            try
            {
                using var document = JsonRpcEnvelope.Parse(body);
                if (document.RootElement.ValueKind is JsonValueKind.Array)
                {
                    await BatchAsync(http, document.RootElement);
                }
                else
                {
                    var envelope = JsonRpcEnvelope.Read(document.RootElement);
                    method = envelope.Method;
                    await OneAsync(new(http, envelope, Tools(http, envelope.Id), takesStream, body, next));
                }
            }
            finally
            {
                reader.AdvanceTo(body.End);
            }
        }
        catch (JsonRpcException refused)
        {
            errorCode = refused.Code;
            await http.Response.RefuseAsync(refused);
        }
        catch (BadHttpRequestException bad)
        {
            errorCode = JsonRpcErrorCode.InvalidRequest;
            var why = bad.StatusCode == 413 ? "The body is too large." : "The request could not be read.";
            await http.Response.RefuseAsync(new JsonRpcException(errorCode, why, status: bad.StatusCode));
        }
        catch (OperationCanceledException)
        {
            // Cancelled by the client, or its session ended: MCP wants no response.
            http.Response.Accept();
        }

        metrics.Record(method, "http", started, errorCode);
    }

    /// <summary>
    /// The event stream of a session. Without a session, a quiet one for clients that say their revision, because some
    /// open it before anything else; whoever says neither speaks HTTP+SSE of 2024-11-05, and gets that.
    /// </summary>
    public async Task GetAsync(HttpContext http, RequestDelegate next)
    {
        var (isRefused, session) = await SessionOfAsync(http);
        if (isRefused)
        {
            return;
        }

        if (HttpMethods.IsHead(http.Request.Method))
        {
            await EventStream.AnswerHead(http);
            return;
        }

        if (
            session is not null
            && transport.Value.EventStreamStore is not null
            && http.Request.Headers.ContainsKey("Last-Event-ID")
        )
        {
            await next(http);
            return;
        }

        if (session is null && http.Request.Headers[VersionHeader].Count == 0)
        {
            await sse.GetAsync(http);
            return;
        }

        if (session is not null)
        {
            await ListenAsync(http, session, TimeSpan.MaxValue);
        }
        else if (
            sessions.Hold(http, Math.Max(options.Value.MaxSessions, options.Value.MaxSessionsPerCaller)) is { } quiet
        )
        {
            await ListenAsync(http, quiet, options.Value.SessionIdle);
            await sessions.CloseAsync(quiet);
        }
        else
        {
            await http.Response.RefuseAsync(
                new JsonRpcException(
                    JsonRpcErrorCode.InvalidRequest,
                    $"Too many open streams: a caller has at most {options.Value.MaxSessionsPerCaller}, and all "
                        + "callers "
                        + $"{options.Value.MaxSessions}. Close one first.",
                    status: StatusCodes.Status429TooManyRequests
                )
            );
        }
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
            await http.Response.RefuseAsync(
                new JsonRpcException(
                    JsonRpcErrorCode.InvalidRequest,
                    $"DELETE ends a session: name it in {SessionHeader}."
                )
            );
            return;
        }

        await sessions.EndAsync(session);
    }

    private async Task OneAsync(Request request)
    {
        try
        {
            if (ProtocolRevision.IsHandshake(request.Envelope))
            {
                await InitializeAsync(request);
                return;
            }

            var version = HeaderCheck.Revision(request.Http.Request, request.Envelope);
            await (ProtocolRevision.IsModern(version) ? ModernAsync(request) : HandshakeEraAsync(request, version));
        }
        catch (Exception failure) when (InternalError.Is(failure))
        {
            throw InternalError.Explain(failure, request.Envelope, logger);
        }
    }

    private async Task ListenAsync(HttpContext http, Session session, TimeSpan limit)
    {
        await using var stream = streams.Open(http, http.RequestAborted, lifetime.ApplicationStopping, session.Ended);
        using var use = session.InUse();
        EventStream.Start(http.Response);
        await EventStream.ServeAsync(http.Response, session.Events, options.Value.KeepAlive, limit, stream);
    }

    private async Task InitializeAsync(Request request)
    {
        _ = await FindSessionAsync(request.Http, request.Envelope.Id);
        var handshake = Handshake.Read(request.Envelope);
        diagnostics.RecordInitialize(request.Http, request.Envelope.Param("clientInfo"u8), handshake.Version);
        if (await sessions.OpenAsync(request.Http, handshake) is { } session)
        {
            request.Http.Response.Headers[SessionHeader] = session.Id;
        }

        await direct.AnswerAsync(
            request.Http,
            request.Envelope,
            handshake.Version,
            request.Tools,
            CancellationToken.None
        );
    }

    // Before 2026-07-28 a closed connection means nothing (the client may come back): only a notification cancels.
    private async Task HandshakeEraAsync(Request request, string? version)
    {
        var (http, envelope, tools) = (request.Http, request.Envelope, request.Tools);
        var session = await FindSessionAsync(http, envelope.Id);
        version ??= session?.Handshake!.Version ?? ProtocolRevision.V2025_03_26;
        using var use = session?.InUse();
        session?.Count(envelope);
        await stepUp.RequireScopeAsync(http, envelope, tools);
        if (direct.Takes(envelope, version, tools, session?.Handshake))
        {
            using var running = session?.InFlight.Begin(envelope, session.Ended);
            await direct.AnswerAsync(http, envelope, version, tools, running?.Token ?? CancellationToken.None);
        }
        else if (session is not null && (envelope.IsRequest ? request.TakesStream : session.HasConversation))
        {
            await ConverseAsync(request, session, version);
        }
        else if (envelope.IsRequest)
        {
            await OnceAsync(request, version, session?.Ended ?? lifetime.ApplicationStopping);
        }
        else
        {
            if (envelope.Method == "notifications/cancelled")
            {
                session?.InFlight.Cancel(envelope);
            }

            http.Response.Accept();
        }
    }

    // A closed connection cancels the call: since 2026-07-28 that is how a client says so.
    private async Task ModernAsync(Request request)
    {
        var (http, envelope, tools) = (request.Http, request.Envelope, request.Tools);
        HeaderCheck.Modern(http.Request, envelope, tools);
        await stepUp.RequireScopeAsync(http, envelope, tools);
        if (envelope.IsNotification)
        {
            http.Response.Accept();
        }
        else if (direct.Takes(envelope, ProtocolRevision.V2026_07_28, tools))
        {
            await direct.AnswerAsync(http, envelope, ProtocolRevision.V2026_07_28, tools, http.RequestAborted);
        }
        else if (ProtocolRevision.IsRemoved(envelope.Method!))
        {
            throw new JsonRpcException(
                JsonRpcErrorCode.MethodNotFound,
                $"Method not found: revision 2026-07-28 has no {envelope.Method}.",
                envelope.Id,
                StatusCodes.Status404NotFound
            );
        }
        else if (envelope.Method is not RequestMethods.SubscriptionsListen)
        {
            await (
                request.TakesStream
                    ? PassAsync(request, ProtocolRevision.V2026_07_28, http.RequestAborted)
                    : OnceAsync(request, ProtocolRevision.V2026_07_28, http.RequestAborted)
            );
        }
        else if (!request.TakesStream)
        {
            throw NotAcceptable("subscriptions/listen is answered with an event stream", envelope.Id);
        }
        else
        {
            await using var stream = streams.Open(http, http.RequestAborted);
            try
            {
                await PassAsync(request, ProtocolRevision.V2026_07_28, stream.Ended);
            }
            catch (OperationCanceledException) when (stream.IsRefused)
            {
                await EventStream.EndAsync(http.Response);
            }
        }
    }

    private async Task ConverseAsync(Request request, Session session, string version)
    {
        // The SDK's server leaves the response of a cancelled request open, so the token here ends it.
        var (http, envelope) = (request.Http, request.Envelope);
        using InFlightRequests.Request? running = envelope.IsRequest
            ? session.InFlight.Begin(envelope, session.Ended)
            : null;
        await session.ConverseAsync(http.User);
        await PassAsync(request, version, running?.Token ?? session.Ended, session.Subscriptions);
        if (envelope.Method == "notifications/cancelled")
        {
            session.InFlight.Cancel(envelope);
        }
    }

    // Hands the request to the SDK as a client that follows its rules to the letter would have sent it.
    private async Task PassAsync(
        Request request,
        string version,
        CancellationToken cancellationToken,
        ResourceSubscriptions? subscriptions = null
    )
    {
        var http = request.Http;
        sdk.Check(request.Envelope, request.Tools, CallOrigin.Of(http));
        SdkCall.Current = new(request.Tools, CallOrigin.Of(http)) { Subscriptions = subscriptions };
        http.Request.Headers.Accept = BothTypes;
        http.Request.Headers[VersionHeader] = version;
        http.Request.Body = new MemoryStream(request.Body.ToArray());
        var connection = http.RequestAborted;
        http.RequestAborted = cancellationToken;
        try
        {
            await request.Next(http);
        }
        finally
        {
            http.RequestAborted = connection;
        }
    }

    // One request of an older revision without a session, which the SDK would refuse, or of a client of JSON only.
    private async Task OnceAsync(Request request, string version, CancellationToken cancellationToken)
    {
        var (http, envelope, tools) = (request.Http, request.Envelope, request.Tools);
        if (request.TakesStream)
        {
            var message = sdk.Message(envelope, version, tools, CallOrigin.Of(http));
            EventStream.Start(http.Response);
            await sdk.ServeOnceAsync(message, http.Response.Body, cancellationToken);
            return;
        }

        using var answer = new JsonBuffer();
        var status = await sdk.AnswerAsync(envelope, version, tools, CallOrigin.Of(http), answer, cancellationToken);
        await http.Response.WriteJsonAsync(status, answer.Written);
    }

    private ToolSet Tools(HttpContext http, JsonElement id) =>
        registry.Current.For(http.Request, profiles)
        ?? throw new JsonRpcException(
            JsonRpcErrorCode.InvalidRequest,
            $"Unknown profile. There are: {string.Join(", ", profiles.Names)}.",
            id,
            StatusCodes.Status404NotFound
        );

    /// <summary>True when the client takes an event stream, false when it takes JSON only.</summary>
    private static bool RequireMediaTypes(HttpRequest request)
    {
        if (!RequestBody.IsJson(request) || request.Headers.ContentEncoding.Count > 0)
        {
            throw new JsonRpcException(
                JsonRpcErrorCode.InvalidRequest,
                "Content-Type must be application/json, without Content-Encoding.",
                status: StatusCodes.Status415UnsupportedMediaType
            );
        }

        // A client that sends no Accept at all takes everything (RFC 9110, 12.5.1).
        var accept = request.Headers.Accept.ToString();
        if (accept.Length == 0 || accept == BothTypes || accept.Contains("*/*", StringComparison.Ordinal))
        {
            return true;
        }

        return
            accept.Contains("application/json", StringComparison.OrdinalIgnoreCase)
            || accept.Contains("application/*", StringComparison.OrdinalIgnoreCase)
            ? accept.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase)
                || accept.Contains("text/*", StringComparison.OrdinalIgnoreCase)
            : throw NotAcceptable("answers are JSON or, where there are several messages, an event stream", default);
    }

    private static JsonRpcException NotAcceptable(string why, JsonElement id) =>
        new(
            JsonRpcErrorCode.InvalidRequest,
            $"Not acceptable: {why}. Send \"Accept: {BothTypes}\".",
            id,
            StatusCodes.Status406NotAcceptable
        );

    /// <summary>The session that a request names, if any; an error when this caller has none of that name.</summary>
    private async ValueTask<Session?> FindSessionAsync(HttpContext http, JsonElement id)
    {
        var named = http.Request.Headers[SessionHeader];
        if (named.Count == 0)
        {
            return null;
        }

        return await sessions.FindAsync(http, named.ToString()) is { Handshake: not null } session
            ? session
            : throw new JsonRpcException(
                JsonRpcErrorCode.SessionNotFound,
                "Session not found: it ended or never was. Send initialize to start another.",
                id,
                StatusCodes.Status404NotFound
            );
    }

    // What GET and DELETE share: since 2026-07-28 there is neither, and a session that is named must be there.
    private async Task<(bool IsRefused, Session? Session)> SessionOfAsync(HttpContext http)
    {
        if (ProtocolRevision.IsModern(http.Request.Headers[VersionHeader].ToString()))
        {
            http.Response.Headers.Allow = "POST";
            http.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return (true, null);
        }

        try
        {
            return (false, await FindSessionAsync(http, default));
        }
        catch (JsonRpcException unknown)
        {
            await http.Response.RefuseAsync(unknown);
            return (true, null);
        }
    }

    /// <summary>One message, and what it came with.</summary>
    private readonly record struct Request(
        HttpContext Http,
        JsonRpcEnvelope Envelope,
        ToolSet Tools,
        bool TakesStream,
        ReadOnlySequence<byte> Body,
        RequestDelegate Next
    );
}
