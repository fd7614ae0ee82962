using MinimalMcp.Auth;
using MinimalMcp.Governance;
using MinimalMcp.Tools;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>Requests of revision 2026-07-28: no handshake, no session; each says in <c>_meta</c> and headers what it needs to.</summary>
internal sealed class ModernEra(FastLane fast, FullLane full, StepUp stepUp, OpenStreams streams)
{
    // A closed connection cancels the call: since 2026-07-28 that is how a client says so.
    public async Task PostAsync(HttpContext http, Envelope envelope, ToolSet tools)
    {
        HeaderCheck.Modern(http.Request, envelope, tools);
        await stepUp.RequireScopeAsync(http, envelope, tools);
        if (envelope.IsNotification)
        {
            http.Response.Accept();
        }
        else if (fast.Takes(envelope, Revision.V2026_07_28, tools))
        {
            await fast.AnswerAsync(http, envelope, Revision.V2026_07_28, tools, http.RequestAborted);
        }
        else if (envelope.Method is "initialize" or "ping" or "logging/setLevel" or "resources/subscribe" or "resources/unsubscribe")
        {
            throw new RpcException(RpcCode.MethodNotFound, $"Method not found: revision 2026-07-28 has no {envelope.Method}.", envelope.Id, StatusCodes.Status404NotFound);
        }
        else
        {
            EventStream.Start(http.Response);
            var message = FullLane.Message(envelope, Revision.V2026_07_28, tools, Origin.Of(http));
            await (envelope.Method is RequestMethods.SubscriptionsListen ? ListenAsync(message) : full.ServeOnceAsync(message, http.Response.Body, StatusOf, http.RequestAborted));
        }

        async Task ListenAsync(JsonRpcMessage message)
        {
            await using var stream = streams.Open(http, http.RequestAborted);
            try
            {
                await full.ServeOnceAsync(message, http.Response.Body, StatusOf, stream.Ended);
            }
            catch (OperationCanceledException) when (stream.IsRefused)
            {
                await EventStream.EndAsync(http.Response);
            }
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
}
