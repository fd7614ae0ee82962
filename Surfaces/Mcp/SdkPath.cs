using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Governance;
using MinimalMcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// The SDK's server, for everything that is a conversation: prompts, resources, completion, progress, elicitation,
/// subscriptions. It calls the same governed functions as the direct path. Over HTTP the SDK's own endpoints serve it;
/// here is what they do not: one request without a session, and the conversations of <see cref="LineTransport"/>.
/// </summary>
internal sealed class SdkPath(
    ILoggerFactory loggers,
    JoinedServers servers,
    SdkHandlers handlers,
    IServiceProvider services
)
{
    public static readonly JsonTypeInfo<JsonRpcMessage> MessageInfo =
        McpJsonUtilities.ProtocolOptions.GetTypeInfo<JsonRpcMessage>();

    // Configured when it is first needed: most servers only list and call, which the direct path does without it.
    private readonly Lazy<McpServerOptions> _options = new(() =>
        services.GetRequiredService<IOptions<McpServerOptions>>().Value
    );

    /// <summary>Refuses what the SDK would call an internal error, in the same words on every transport.</summary>
    public void Check(in JsonRpcEnvelope envelope, ToolSet tools, CallOrigin origin)
    {
        if (envelope.Method == RequestMethods.ToolsCall)
        {
            _ = DirectPath.Target(envelope, tools);
            return;
        }

        ParameterCheck.Check(envelope, _options, new(servers, tools), OffersLogging);
        ScopeChallenge.RequireRead(envelope, Caller.From(origin.User));
    }

    private bool OffersLogging()
    {
        _ = _options.Value; // whether the application has a handler of its own
        return handlers.OffersLogging;
    }

    /// <summary>The SDK's form of a message that was checked, with what came beside it.</summary>
    public JsonRpcMessage Message(
        in JsonRpcEnvelope envelope,
        string? version,
        ToolSet tools,
        CallOrigin origin,
        ResourceSubscriptions? subscriptions = null
    )
    {
        Check(envelope, tools, origin);
        SdkCall.Current = new(tools, origin) { Subscriptions = subscriptions };
        var message = envelope.Root.Deserialize(MessageInfo)!;
        message.Context = new()
        {
            ProtocolVersion = version,
            User = origin.User,
            ExecutionContext = ExecutionContext.Capture(),
        };
        return message;
    }

    /// <summary>A server for a conversation over one transport; it knows its client from the handshake.</summary>
    public McpServer Start(ITransport transport, Handshake? handshake)
    {
        var options = services.GetRequiredService<IOptionsFactory<McpServerOptions>>().Create(Options.DefaultName);
        var client = handshake?.ToParams();
        options.KnownClientInfo = client?.ClientInfo;
        options.KnownClientCapabilities = client?.Capabilities;
        return McpServer.Create(transport, options, loggers, services);
    }

    /// <summary>Serves one request that needs no session, with a server of its own.</summary>
    public async Task ServeOnceAsync(JsonRpcMessage message, Stream answer, CancellationToken cancellationToken)
    {
        await using var transport = new StreamableHttpServerTransport(loggers) { Stateless = true };
        await ServeAsync(transport, message, answer, cancellationToken);
    }

    /// <summary>
    /// Asks the SDK's server something and gives the whole JSON-RPC answer. The direct path keeps such answers, which
    /// is why no client can tell which path answered.
    /// </summary>
    public async Task<JsonElement> AskAsync(
        string method,
        JsonObject? parameters,
        string version,
        ToolSet? tools,
        CancellationToken cancellationToken
    )
    {
        parameters ??= [];
        if (ProtocolRevision.IsModern(version))
        {
            parameters["_meta"] = new JsonObject
            {
                [MetaKeys.ProtocolVersion] = version,
                [MetaKeys.ClientCapabilities] = new JsonObject(),
            };
        }

        SdkCall.Current = new(tools, default);
        var request = new JsonRpcRequest
        {
            Id = new RequestId(1),
            Method = method,
            Params = parameters,
            Context = new() { ProtocolVersion = version },
        };

        // With a session: a server without one would not promise in initialize to announce changes.
        await using var transport =
            method == RequestMethods.Initialize
                ? new StreamableHttpServerTransport(loggers) { SessionId = "asked" }
                : new StreamableHttpServerTransport(loggers) { Stateless = true };
        using var answer = new MemoryStream();
        await ServeAsync(transport, request, answer, cancellationToken);
        return Event(answer);
    }

    /// <summary>
    /// Answers one request as JSON, where there is no event stream: batches, the function-calling API, and clients that
    /// accept JSON only. Gives the HTTP status.
    /// </summary>
    public async Task<int> AnswerAsync(
        JsonRpcEnvelope envelope,
        string version,
        ToolSet tools,
        CallOrigin origin,
        JsonBuffer output,
        CancellationToken cancellationToken
    )
    {
        using var stream = new MemoryStream();
        await ServeOnceAsync(Message(envelope, version, tools, origin), stream, cancellationToken);
        var answer = Event(stream);
        var writer = output.StartWriting();
        answer.WriteTo(writer);
        writer.Flush();
        return answer.TryGetProperty("error"u8, out var error)
            ? ProtocolRevision.StatusOf(error.GetProperty("code"u8).GetInt32(), version)
            : StatusCodes.Status200OK;
    }

    private async Task ServeAsync(
        StreamableHttpServerTransport transport,
        JsonRpcMessage message,
        Stream answer,
        CancellationToken cancellationToken
    )
    {
        await using var server = McpServer.Create(transport, _options.Value, loggers, services);
        var running = server.RunAsync(cancellationToken);
        await transport.HandlePostRequestAsync(message, answer, cancellationToken);
        await transport.DisposeAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // cancelled when the client has gone
    }

    // The transport always writes an event stream; the answer is its last event.
    private static JsonElement Event(MemoryStream stream)
    {
        var text = stream.GetBuffer().AsSpan(0, (int)stream.Length);
        var data = text[(text.LastIndexOf("\ndata: "u8) + 7)..]; // JSON has no raw line end: it is not in the answer
        return JsonElement.Parse(data[..data.IndexOf("\n"u8)]);
    }
}

/// <summary>What the handlers of the SDK's server know of the request that they answer, beside its message.</summary>
internal sealed record SdkCall(ToolSet? Tools, CallOrigin Origin)
{
    /// <summary>Of the conversation that the request is part of; null when it is part of none.</summary>
    public ResourceSubscriptions? Subscriptions { get; init; }

    private static readonly AsyncLocal<SdkCall?> Flowing = new();

    /// <summary>Flows with the execution context, as the SDK promises for all of its transports.</summary>
    public static SdkCall Current
    {
        get => Flowing.Value ?? throw new InvalidOperationException("The SDK was called past McpEndpoint.");
        set => Flowing.Value = value;
    }
}
