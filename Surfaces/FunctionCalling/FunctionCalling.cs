using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Auth;
using MinimalMcp.Configuration;
using MinimalMcp.Governance;
using MinimalMcp.Surfaces.Mcp;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces;

/// <summary>
/// The function-calling API: definitions for the OpenAI and Gemini APIs, and a JSON-RPC endpoint for calls.
/// </summary>
public static class FunctionCalling
{
    // Clients of this API, those of the guide among them, time out after 30 seconds: the error must come before.
    private static readonly TimeSpan DefaultDeadline = TimeSpan.FromSeconds(28);

    /// <summary>Maps the definitions (<c>GET tools</c>) and the calls (<c>POST call</c>).</summary>
    public static IEndpointConventionBuilder MapFunctionCalling(
        this IEndpointRouteBuilder routes,
        string pattern = "/api/mcp/v1"
    )
    {
        var group = routes.MapGroup(pattern);
        group.MapGet("tools", (RequestDelegate)ListAsync);
        group.MapPost("call", (RequestDelegate)CallAsync);
        return group.AllowHead().AllowGuests();
    }

    private static async Task ListAsync(HttpContext http)
    {
        if (await ProfileSelection.ToolsAsync(http) is not { } tools)
        {
            return;
        }

        var strict = http.Request.Query["strict"].FirstOrDefault() is "true" or "1";
        var format = http.Request.Query["format"].FirstOrDefault();
        Func<Tool, JsonObject>? shape = format switch
        {
            null or "" => Plain,
            "openai" => tool => OpenAiDefinition.Chat(tool, strict),
            "openai-responses" => tool => OpenAiDefinition.Responses(tool, strict),
            "gemini" => GeminiDefinition.Function,
            _ => null,
        };
        await (
            shape is null
                ? Results.Problem(
                    statusCode: 400,
                    title: "Unknown format",
                    detail: "format must be openai (Chat Completions), openai-responses (Responses) or gemini; "
                        + "leave it out for MCP's own form."
                )
                : Results.Json(
                    new JsonObject
                    {
                        ["count"] = tools.All.Count,
                        ["tools"] =
                            format == "gemini"
                                ? Together(tools.All.Select(shape))
                                : new JsonArray([.. tools.All.Select(shape)]),
                    }
                )
        ).ExecuteAsync(http);

        // Gemini's member "tools" has one entry with all functions.
        static JsonArray Together(IEnumerable<JsonObject> functions) =>
            [new JsonObject { ["functionDeclarations"] = new JsonArray([.. functions]) }];

        static JsonObject Plain(Tool tool) =>
            new()
            {
                ["name"] = tool.Name,
                ["description"] = tool.Description,
                ["inputSchema"] = JsonNode.Parse(tool.InputSchema.GetRawText()),
            };
    }

    private static async Task CallAsync(HttpContext http)
    {
        var started = Stopwatch.GetTimestamp();
        var services = http.RequestServices;
        var answer = new JsonBuffer();
        string? method = null;
        var errorCode = 0;
        var status = StatusCodes.Status200OK;
        try
        {
            if (!RequestBody.IsJson(http.Request))
            {
                throw new JsonRpcException(
                    JsonRpcErrorCode.InvalidRequest,
                    "Content-Type must be application/json.",
                    status: StatusCodes.Status415UnsupportedMediaType
                );
            }

            var body = await http.Request.BodyReader.ReadToEndAsync(http.RequestAborted);
            try
            {
                using var envelope = JsonRpcEnvelope.Read(body);
                method = envelope.Method;
                if (!envelope.IsRequest)
                {
                    throw new JsonRpcException(
                        JsonRpcErrorCode.InvalidRequest,
                        "Invalid request: send a request, with \"method\" and \"id\".",
                        envelope.Id,
                        StatusCodes.Status200OK
                    );
                }

                await AnswerAsync(http, services, envelope, answer);
            }
            finally
            {
                http.Request.BodyReader.AdvanceTo(body.End);
            }
        }
        catch (JsonRpcException refused)
        {
            // Scripts call raise_for_status before they look at "error", so only a malformed request is an HTTP error.
            status =
                refused.Code is JsonRpcErrorCode.ParseError
                || refused.Status is StatusCodes.Status415UnsupportedMediaType
                    ? refused.Status
                    : StatusCodes.Status200OK;
            errorCode = refused.Code;
            answer = Instead(answer, refused);
        }
        catch (BadHttpRequestException bad)
        {
            status = bad.StatusCode;
            errorCode = JsonRpcErrorCode.InvalidRequest;
            answer = Instead(
                answer,
                new JsonRpcException(
                    JsonRpcErrorCode.InvalidRequest,
                    bad.StatusCode == 413 ? "The body is too large." : "The request could not be read."
                )
            );
        }

        services.GetRequiredService<JsonRpcMetrics>().Record(method, "functions", started, errorCode);
        using (answer)
        {
            await http.Response.WriteJsonAsync(status, answer.Written);
        }
    }

    private static JsonBuffer Instead(JsonBuffer answer, JsonRpcException refused)
    {
        answer.Dispose();
        return refused.ToJson();
    }

    private static async Task AnswerAsync(
        HttpContext http,
        IServiceProvider services,
        JsonRpcEnvelope envelope,
        JsonBuffer answer
    )
    {
        var tools = services
            .GetRequiredService<ToolRegistry>()
            .Current.For(http.Request, services.GetRequiredService<ToolProfiles>())
            ?? throw new JsonRpcException(JsonRpcErrorCode.InvalidRequest, "Unknown profile.", envelope.Id);
        if (envelope.Method == "tools/call")
        {
            var (tool, arguments) = DirectPath.Target(envelope, tools);
            var limit = services
                .GetRequiredService<IConfiguration>()
                .GetValue("Tools:FunctionCallingDeadline", DefaultDeadline);
            var call = new ToolCall("functions", CallOrigin.Of(http)) { RequestId = envelope.Id, Deadline = limit }
                .With(arguments)
                .WithMeta(envelope.Param("_meta"u8));
            using var result = await tool.CallAsync(call, http.RequestAborted);
            if (result.Failure is { } failure)
            {
                throw new JsonRpcException(CodeOf(failure.Kind), failure.Message, envelope.Id);
            }

            var writer = answer.StartWriting();
            DirectPath.WriteStart(writer, envelope);
            writer.WriteStartObject();
            McpResult.WriteMembers(writer, result);
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.Flush();
            return;
        }

        var direct = services.GetRequiredService<DirectPath>();
        if (direct.Takes(envelope, ProtocolRevision.NewestWithHandshake, tools))
        {
            await direct.AnswerAsync(
                envelope,
                ProtocolRevision.NewestWithHandshake,
                tools,
                CallOrigin.Of(http),
                "functions",
                answer,
                http.RequestAborted
            );
        }
        else
        {
            await services
                .GetRequiredService<SdkPath>()
                .AnswerAsync(
                    envelope,
                    ProtocolRevision.NewestWithHandshake,
                    tools,
                    CallOrigin.Of(http),
                    answer,
                    http.RequestAborted
                );
        }
    }

    private static int CodeOf(FailureKind kind) =>
        kind switch
        {
            FailureKind.Arguments => JsonRpcErrorCode.InvalidParams,
            FailureKind.Unexpected => JsonRpcErrorCode.InternalError,
            _ => JsonRpcErrorCode.ServerError,
        };
}
