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
/// The SDK's server, for everything that is a conversation: prompts, resources, completion, progress, elicitation, subscriptions. It calls
/// the same governed functions as the fast lane.
/// </summary>
internal sealed class FullLane
{
    public static readonly JsonTypeInfo<JsonRpcMessage> MessageInfo = (JsonTypeInfo<JsonRpcMessage>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(JsonRpcMessage));

    private static readonly JsonTypeInfo<RequestId> IdInfo = (JsonTypeInfo<RequestId>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(RequestId));

    private const string ToolsItem = "tools", OriginItem = "origin";

    private readonly StepUp _stepUp;
    private readonly ILoggerFactory _loggers;
    private readonly IServiceProvider _services;
    private readonly Lazy<McpServerOptions> _options;

    // Configured when it is first needed: most servers only ever list and call, which the fast lane does without it.
    public FullLane(ListChanges changes, StepUp stepUp, SecuritySchemes schemes, ILoggerFactory loggers, IServiceProvider services)
    {
        (_stepUp, _loggers, _services) = (stepUp, loggers, services);
        _options = new(() => schemes.AddTo(Configure(services.GetRequiredService<IOptions<McpServerOptions>>().Value, changes)));
    }

    private McpServerOptions Configure(McpServerOptions options, ListChanges changes)
    {
        options.ScopeRequests = false;
        options.Capabilities ??= new();
        options.Capabilities.Tools = new() { ListChanged = true };
        (options.Capabilities.Prompts ??= new()).ListChanged = true;
        (options.Capabilities.Resources ??= new()).ListChanged = true;
        options.Handlers.ListToolsHandler = ListToolsAsync;
        options.Handlers.CallToolHandler = CallToolAsync;
        options.Handlers.SubscriptionsListenHandler = changes.ListenAsync;
        var filters = options.Filters.Request;
        filters.ListPromptsFilters.Add(next => async (request, ct) => Cacheable(await next(request, ct), request.JsonRpcRequest));
        filters.ListResourcesFilters.Add(next => async (request, ct) => Cacheable(await next(request, ct), request.JsonRpcRequest));
        filters.ListResourceTemplatesFilters.Add(next => async (request, ct) => Cacheable(await next(request, ct), request.JsonRpcRequest));
        filters.ReadResourceFilters.Add(next => async (request, ct) => Cacheable(await next(request, ct), request.JsonRpcRequest));
        return options;
    }

    public McpServer Start(ITransport transport) => McpServer.Create(transport, _options.Value, _loggers, _services);

    /// <summary>The SDK's form of a message, with what came beside it.</summary>
    public static JsonRpcMessage Message(in Envelope envelope, string? version, ToolSet tools, Origin origin)
    {
        // Malformed parameters are refused in our words, the same as the fast lane's; the SDK would call them an internal error.
        if (envelope.Method == RequestMethods.ToolsCall)
        {
            _ = FastLane.Target(envelope, tools);
        }
        else
        {
            ParameterKinds.Check(envelope);
            StepUp.RequireRead(envelope, Caller.From(origin.User));
        }

        var message = envelope.Root.Deserialize(MessageInfo)!;
        message.Context = new() { ProtocolVersion = version, User = origin.User, Items = new Dictionary<string, object?> { [ToolsItem] = tools, [OriginItem] = origin } };
        return message;
    }

    /// <summary>Serves one request that needs no session, with a server of its own. False when there was nothing to answer.</summary>
    public async Task<bool> ServeOnceAsync(JsonRpcMessage message, Stream answer, Func<JsonRpcMessage?, ValueTask>? starting, CancellationToken cancellationToken)
    {
        await using var transport = new StreamableHttpServerTransport(_loggers) { Stateless = true };
        await using var server = Start(transport);
        var running = server.RunAsync(cancellationToken);
        var answered = await transport.HandlePostRequestAsync(message, answer, starting ?? (_ => default), cancellationToken);
        await transport.DisposeAsync();
        try
        {
            await running;
        }
        catch (OperationCanceledException)
        {
            // The client has gone.
        }

        return answered;
    }

    /// <summary>
    /// Asks the SDK's server something and gives the whole JSON-RPC answer. The fast lane keeps such answers, which is why no client can
    /// tell which lane answered.
    /// </summary>
    public async Task<JsonElement> AskAsync(string method, JsonObject? parameters, string version, ToolSet tools, CancellationToken cancellationToken)
    {
        parameters ??= [];
        if (Revision.IsModern(version))
        {
            parameters["_meta"] = new JsonObject { [MetaKeys.ProtocolVersion] = version, [MetaKeys.ClientCapabilities] = new JsonObject() };
        }

        var request = new JsonRpcRequest
        {
            Id = new RequestId(1),
            Method = method,
            Params = parameters,
            Context = new() { ProtocolVersion = version, Items = new Dictionary<string, object?> { [ToolsItem] = tools } },
        };
        using var answer = new MemoryStream();
        if (method == RequestMethods.Initialize)
        {
            // With a session: a server without one would not promise to announce changes.
            await using var transport = new StreamableHttpServerTransport(_loggers) { SessionId = "asked" };
            await using var server = Start(transport);
            var running = server.RunAsync(cancellationToken);
            await transport.HandlePostRequestAsync(request, answer, cancellationToken);
            await transport.DisposeAsync();
            await running;
        }
        else
        {
            await ServeOnceAsync(request, answer, null, cancellationToken);
        }

        return Event(answer);
    }

    /// <summary>Answers one request as JSON, for the places that have no event stream: batches and the function-calling API.</summary>
    public async Task AnswerAsync(Envelope envelope, string version, ToolSet tools, Origin origin, JsonBuffer output, CancellationToken cancellationToken)
    {
        using var answer = new MemoryStream();
        await ServeOnceAsync(Message(envelope, version, tools, origin), answer, null, cancellationToken);
        var writer = output.StartWriting();
        Event(answer).WriteTo(writer);
        writer.Flush();
    }

    private static ValueTask<ListToolsResult> ListToolsAsync(RequestContext<ListToolsRequestParams> request, CancellationToken cancellationToken)
    {
        if (request.Params?.Cursor is not null)
        {
            throw new McpProtocolException("Invalid params: unknown cursor. All tools come on one page.", McpErrorCode.InvalidParams);
        }

        var tools = Tools(request.JsonRpcRequest);
        return new(Cacheable(new ListToolsResult { Tools = [.. tools.All.Select(tool => tool.Definition)] }, request.JsonRpcRequest));
    }

    private async ValueTask<CallToolResult> CallToolAsync(RequestContext<CallToolRequestParams> request, CancellationToken cancellationToken)
    {
        var tools = Tools(request.JsonRpcRequest);
        var name = request.Params!.Name;
        var tool = tools.Find(name) ?? throw new McpProtocolException(tools.NotFound(name), McpErrorCode.InvalidParams);
        var call = Call(request);
        using var result = tool.NeedsConfirmation
            ? await ConfirmedCall.MakeAsync(tool, request, () => Call(request), cancellationToken)
            : await tool.CallAsync(call, cancellationToken);
        return McpResult.ToSdk(result, _stepUp.MetaOf(result, call));
    }

    private static ToolCall Call(RequestContext<CallToolRequestParams> request)
    {
        var origin = request.JsonRpcRequest.Context?.Items?.TryGetValue(OriginItem, out var item) is true && item is Origin known ? known : new Origin(request.User, null);
        var call = new ToolCall("mcp", origin)
        {
            SpeaksMcp = true,
            Conversation = request,
            Services = request.Services,
            RequestId = JsonSerializer.SerializeToElement(request.JsonRpcRequest.Id, IdInfo),
            ProtocolVersion = request.JsonRpcRequest.Context?.ProtocolVersion ?? request.Server.NegotiatedProtocolVersion,
        };
        call.WithMeta(request.Params!.Meta is { } meta ? JsonElement.Parse(meta.ToJsonString()) : null);
        foreach (var (argument, value) in request.Params.Arguments ?? new Dictionary<string, JsonElement>())
        {
            call[argument] = value;
        }

        return call;
    }

    // A tool list may differ by caller, so nobody but the caller may keep it. Revisions before 2026-07-28 have no such hints.
    private static T Cacheable<T>(T result, JsonRpcRequest request)
        where T : ICacheableResult
    {
        if (Revision.IsModern(request.Context?.ProtocolVersion))
        {
            result.TimeToLive ??= TimeSpan.FromMinutes(5);
            result.CacheScope ??= CacheScope.Private;
        }

        return result;
    }

    private static ToolSet Tools(JsonRpcRequest request) => (ToolSet)request.Context!.Items![ToolsItem]!;

    // The transport always writes an event stream; the answer is its last event.
    private static JsonElement Event(MemoryStream stream)
    {
        var text = stream.GetBuffer().AsSpan(0, (int)stream.Length);
        var data = text[(text.LastIndexOf("\ndata: "u8) + 7)..]; // JSON has no raw line end, so this cannot stand inside the answer
        return JsonElement.Parse(data[..data.IndexOf("\n"u8)]);
    }
}
