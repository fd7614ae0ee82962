using System.Text.Json;
using MinimalMcp.Governance;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces.Mcp;

/// <content>Batches, which only revision 2025-03-26 has.</content>
internal sealed partial class McpEndpoint
{
    // Revision 2025-03-26 requires batches, the ones after it forbid them.
    private async Task BatchAsync(HttpContext http, JsonElement batch)
    {
        const string Version = ProtocolRevision.V2025_03_26;
        var session = await FindSessionAsync(http, default);
        if ((session?.Handshake!.Version ?? http.Request.Headers[VersionHeader].ToString()) != Version)
        {
            throw new JsonRpcException(
                JsonRpcErrorCode.InvalidRequest,
                "Invalid request: batches exist only in revision 2025-03-26; send one message per request."
            );
        }

        var tools = Tools(http, default);
        using var use = session?.InUse();
        using var answers = new JsonBuffer();
        await Batch.AnswerAsync(batch, answers, logger, AnswerOneAsync);
        if (answers.Written.IsEmpty)
        {
            http.Response.Accept();
            return;
        }

        await http.Response.WriteJsonAsync(StatusCodes.Status200OK, answers.Written);

        // Each by itself: what only a conversation can carry has no place in a batch, which is one JSON answer.
        async ValueTask<JsonBuffer?> AnswerOneAsync(JsonRpcEnvelope message)
        {
            if (!message.IsRequest)
            {
                if (session is { HasConversation: true })
                {
                    await session.PostAsync(message);
                }

                if (message.Method == "notifications/cancelled")
                {
                    session?.InFlight.Cancel(message);
                }

                return null;
            }

            session?.Count(message);
            using var running = session?.InFlight.Begin(message, session.Ended);
            var answer = new JsonBuffer();
            if (direct.Takes(message, Version, tools))
            {
                await direct.AnswerAsync(
                    message,
                    Version,
                    tools,
                    CallOrigin.Of(http),
                    "http",
                    answer,
                    running?.Token ?? CancellationToken.None
                );
            }
            else
            {
                await sdk.AnswerAsync(
                    message,
                    Version,
                    tools,
                    CallOrigin.Of(http),
                    answer,
                    running?.Token ?? lifetime.ApplicationStopping
                );
            }

            return answer;
        }
    }
}
