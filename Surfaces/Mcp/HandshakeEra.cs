using System.Text.Json;
using MinimalMcp.Auth.Diagnostics;
using MinimalMcp.Governance;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>Requests of the revisions before 2026-07-28: they begin with <c>initialize</c>, and may belong to a session.</summary>
internal sealed class HandshakeEra(FastLane fast, FullLane full, StepUp stepUp, Sessions sessions, ExchangeLog exchanges, IHostApplicationLifetime lifetime, ILogger<HandshakeEra> logger)
{
    private const string SessionHeader = "Mcp-Session-Id";

    // Before 2026-07-28 a closed connection means nothing (the client may come back): only notifications/cancelled cancels.
    public async Task PostAsync(HttpContext http, Envelope envelope, string? version, ToolSet tools)
    {
        if (Find(http, out var session) is { } refused)
        {
            throw refused;
        }

        version ??= session?.Version ?? Revision.V2025_03_26;
        using var use = session?.InUse();
        await stepUp.RequireScopeAsync(http, envelope, tools);
        if (envelope is { IsRequest: true, Method: "initialize" })
        {
            await InitializeAsync(http, envelope, tools);
        }
        else if (fast.Takes(envelope, version, tools))
        {
            using var request = session?.InFlight.Begin(envelope, session.Ended);
            await fast.AnswerAsync(http, envelope, version, tools, request?.Token ?? CancellationToken.None);
        }
        else if (session is null && envelope.IsRequest)
        {
            EventStream.Start(http.Response);
            await full.ServeOnceAsync(FullLane.Message(envelope, version, tools, Origin.Of(http)), http.Response.Body, null, lifetime.ApplicationStopping);
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

            http.Response.Accept();
        }
    }

    private static async Task ConverseAsync(HttpContext http, Session session, Envelope envelope, string version, ToolSet tools)
    {
        // The SDK's server leaves the response of a cancelled request open, so the token here ends it.
        using InFlight.Request? request = envelope.IsRequest ? session.InFlight.Begin(envelope, session.Ended) : null;
        var conversation = await session.ConversationAsync();
        EventStream.Start(http.Response);
        if (!await conversation.Transport.HandlePostRequestAsync(FullLane.Message(envelope, version, tools, Origin.Of(http)), http.Response.Body, request?.Token ?? session.Ended))
        {
            http.Response.Accept();
        }

        if (envelope.Method == "notifications/cancelled")
        {
            session.InFlight.Cancel(envelope);
        }
    }

    private async Task InitializeAsync(HttpContext http, Envelope envelope, ToolSet tools)
    {
        var version = Revision.Negotiate(envelope);
        exchanges.Greeted(http, envelope.Param("clientInfo"u8), version);
        if (sessions.Open(version, Sessions.OwnerOf(http.User), envelope) is { } session)
        {
            http.Response.Headers[SessionHeader] = session.Id;
        }

        await fast.AnswerAsync(http, envelope, version, tools, CancellationToken.None);
    }

    // Revision 2025-03-26 requires batches, the ones after it forbid them.
    public async Task BatchAsync(HttpContext http, JsonElement batch, ToolSet tools)
    {
        var stated = http.Request.Headers["MCP-Protocol-Version"].ToString();
        var refused = Find(http, out var session);
        if (refused is not null || (session?.Version ?? stated) != Revision.V2025_03_26)
        {
            throw refused ?? new RpcException(RpcCode.InvalidRequest, "Invalid request: batches exist only in revision 2025-03-26; send one message per request.");
        }

        using var use = session?.InUse();
        using var answers = new JsonBuffer();
        await Batch.AnswerAsync(batch, answers, logger, AnswerOneAsync);
        if (answers.Written.IsEmpty)
        {
            http.Response.Accept();
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
                        FullLane.Message(message, Revision.V2025_03_26, tools, Origin.Of(http)), Stream.Null, session.Ended);
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
                await fast.AnswerAsync(message, Revision.V2025_03_26, tools, Origin.Of(http), "http", answer, request?.Token ?? CancellationToken.None);
            }
            else
            {
                await full.AnswerAsync(message, Revision.V2025_03_26, tools, Origin.Of(http), answer, request?.Token ?? lifetime.ApplicationStopping);
            }

            return answer;
        }
    }

    /// <summary>The session that a request names, if any; an error when there is none of that name for this caller.</summary>
    public RpcException? Find(HttpContext http, out Session? session)
    {
        var id = http.Request.Headers[SessionHeader];
        session = id.Count == 0 ? null : sessions.Find(id.ToString(), Sessions.OwnerOf(http.User));
        return id.Count == 0 || session is not null ? null
            : new RpcException(RpcCode.SessionNotFound, "Session not found: it ended or never was. Send initialize to start another.", status: StatusCodes.Status404NotFound);
    }
}
