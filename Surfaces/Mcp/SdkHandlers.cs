using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using MinimalMcp.Auth;
using MinimalMcp.Governance;
using MinimalMcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using ToolCall = MinimalMcp.Governance.ToolCall;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// What the SDK's server answers with: tools of the registry, through governance, and what its types have no members
/// for. The SDK makes options anew for each request without a session, so all of them share one list of prompts and one
/// of resources, whose changes are announced.
/// </summary>
internal sealed class SdkHandlers(
    ListChangeNotifier changes,
    ScopeChallenge stepUp,
    BearerChallenges challenges,
    ToolRegistry registry,
    JoinedContent joined,
    JoinedServers servers,
    CallerQuestions questions,
    SanitizedMessages visible
)
{
    public const string ServerInfoKey = "io.modelcontextprotocol/serverInfo";

    private readonly SecuritySchemes _schemes = new(challenges, registry);
    private McpServerPrimitiveCollection<McpServerPrompt>? _prompts;
    private McpServerResourceCollection? _resources;
    private bool _logs;

    public void AddTo(McpServerOptions options)
    {
        options.ScopeRequests = false;
        options.PromptCollection = Interlocked.CompareExchange(ref _prompts, options.PromptCollection, null)
            ?? _prompts;
        options.ResourceCollection = Interlocked.CompareExchange(ref _resources, options.ResourceCollection, null)
            ?? _resources;
        options.Capabilities ??= new();
        options.Capabilities.Tools = new() { ListChanged = true };
        (options.Capabilities.Prompts ??= new()).ListChanged = true;
        (options.Capabilities.Resources ??= new()).ListChanged = true;
        options.Handlers.ListToolsHandler = ListToolsAsync;
        options.Handlers.CallToolHandler = CallToolAsync;
        var ownLevel = options.Handlers.SetLoggingLevelHandler;
        _logs = ownLevel is not null;
        options.Handlers.SetLoggingLevelHandler = (request, stop) => SetLevelAsync(request, ownLevel, stop);
        options.Handlers.SubscriptionsListenHandler = changes.ListenAsync;
        options.Capabilities.Resources.Subscribe = true;
        options.Handlers.SubscribeToResourcesHandler ??= SubscribeAsync;
        options.Handlers.UnsubscribeFromResourcesHandler ??= UnsubscribeAsync;
        options.Filters.Message.OutgoingFilters.Add(next =>
            (context, cancellationToken) =>
            {
                visible.Show(context.JsonRpcMessage);
                if (context.JsonRpcMessage is JsonRpcResponse { Result: JsonObject result })
                {
                    Complete(result);
                }

                return next(context, cancellationToken);
            }
        );
        options.Handlers.CompleteHandler ??= (_, _) => new(new CompleteResult());
        var filters = options.Filters.Request;
        filters.ListPromptsFilters.Add(next =>
            async (request, stop) => Cacheable(await next(request, stop), request.JsonRpcRequest)
        );
        filters.ListResourcesFilters.Add(next =>
            async (request, stop) => Cacheable(await next(request, stop), request.JsonRpcRequest)
        );
        filters.ListResourceTemplatesFilters.Add(next =>
            async (request, stop) => Cacheable(await next(request, stop), request.JsonRpcRequest)
        );
        filters.ReadResourceFilters.Add(next =>
            async (request, stop) => Cacheable(await next(request, stop), request.JsonRpcRequest)
        );
        joined.AddTo(filters);
    }

    /// <summary>Whether there may be log messages.</summary>
    public bool OffersLogging => _logs || servers.Current.Count > 0;

    /// <summary>
    /// Every result of 2026-07-28 says who answered. Its icon and website are in server/discover; with each result they
    /// would only make it longer.
    /// </summary>
    public static void Shorten(JsonNode? serverInfo)
    {
        foreach (var name in serverInfo is JsonObject info ? info.Select(member => member.Key).ToArray() : [])
        {
            if (name is not ("name" or "version"))
            {
                serverInfo!.AsObject().Remove(name);
            }
        }
    }

    private void Complete(JsonObject result)
    {
        if (!OffersLogging && result["capabilities"] is JsonObject offered)
        {
            offered.Remove("logging"); // no tool of ours sends log messages, but other servers may
        }

        // "MCP Protocol Versions this server supports" (DiscoverResult): the SDK names only those without a handshake.
        if (result["supportedVersions"] is JsonArray)
        {
            result["supportedVersions"] = ProtocolRevision.AllAsJson();
            return;
        }

        Shorten(result["_meta"]?[ServerInfoKey]);
        if (result["tools"] is JsonArray tools)
        {
            _schemes.AddTo(tools);
        }
    }

    private static ValueTask<ListToolsResult> ListToolsAsync(
        RequestContext<ListToolsRequestParams> request,
        CancellationToken cancellationToken
    )
    {
        if (request.Params?.Cursor is not null)
        {
            throw new McpProtocolException(
                "Invalid params: unknown cursor. All tools come on one page.",
                McpErrorCode.InvalidParams
            );
        }

        var tools = SdkCall.Current.Tools!.All.Select(tool => tool.Definition);
        return new(Cacheable(new ListToolsResult { Tools = [.. tools] }, request.JsonRpcRequest));
    }

    private ValueTask<EmptyResult> SubscribeAsync(
        RequestContext<SubscribeRequestParams> request,
        CancellationToken cancellationToken
    )
    {
        var subscriptions = SdkCall.Current.Subscriptions
            ?? throw new McpProtocolException(
                "A subscription needs a session: send the Mcp-Session-Id that initialize gave.",
                McpErrorCode.InvalidRequest
            );
        var uri = request.Params!.Uri;
        subscriptions.Add(uri, joined.Key(uri));
        return new(new EmptyResult());
    }

    private static ValueTask<EmptyResult> UnsubscribeAsync(
        RequestContext<UnsubscribeRequestParams> request,
        CancellationToken cancellationToken
    )
    {
        SdkCall.Current.Subscriptions?.Remove(request.Params!.Uri);
        return new(new EmptyResult());
    }

    // Who may call the tools of other servers may read what those log.
    private async ValueTask<EmptyResult> SetLevelAsync(
        RequestContext<SetLevelRequestParams> request,
        McpRequestHandler<SetLevelRequestParams, EmptyResult>? own,
        CancellationToken cancellationToken
    )
    {
        var call = SdkCall.Current;
        if (Caller.From(call.Origin.User).Level >= ToolSet.MaxLevel)
        {
            call.Subscriptions?.SetLevel(request.Params!.Level, call.Tools?.Server, visible);
        }

        return own is null ? new() : await own(request, cancellationToken);
    }

    private async ValueTask<CallToolResult> CallToolAsync(
        RequestContext<CallToolRequestParams> request,
        CancellationToken cancellationToken
    )
    {
        var tools = SdkCall.Current.Tools!;
        var name = request.Params!.Name;
        var tool = tools.Find(name) ?? throw new McpProtocolException(tools.NotFound(name), McpErrorCode.InvalidParams);
        var call = Call(request);
        using var result = tool.MayAsk
            ? await questions.RunAsync(
                request,
                (ask, stop) => MakeAsync(tool, request, () => Call(request, ask), stop),
                cancellationToken
            )
            : await MakeAsync(tool, request, () => Call(request), cancellationToken);
        return McpResult.ToSdk(result, stepUp.MetaOf(result, call));
    }

    private static ValueTask<ToolResult> MakeAsync(
        MinimalMcp.Tools.Tool tool,
        RequestContext<CallToolRequestParams> request,
        Func<ToolCall> newCall,
        CancellationToken cancellationToken
    ) =>
        tool.NeedsConfirmation
            ? ConfirmedCall.MakeAsync(tool, request, newCall, cancellationToken)
            : tool.CallAsync(newCall(), cancellationToken);

    private static readonly JsonTypeInfo<RequestId> IdInfo = McpTypeInfo.Of<RequestId>();

    private static ToolCall Call(
        RequestContext<CallToolRequestParams> request,
        Func<InputRequest, CancellationToken, ValueTask<InputResponse>>? ask = null
    )
    {
        var call = new ToolCall("mcp", SdkCall.Current.Origin)
        {
            SpeaksMcp = true,
            Conversation = request,
            Ask = ask,
            Services = request.Services,
            RequestId = JsonSerializer.SerializeToElement(request.JsonRpcRequest.Id, IdInfo),
            ProtocolVersion = request.JsonRpcRequest.Context?.ProtocolVersion
                ?? request.Server.NegotiatedProtocolVersion,
        };
        call.WithMeta(request.Params!.Meta is { } meta ? JsonElement.Parse(meta.ToJsonString()) : null);
        foreach (var (argument, value) in request.Params.Arguments ?? new Dictionary<string, JsonElement>())
        {
            call[argument] = value;
        }

        return call;
    }

    // A tool list may differ by caller, so nobody but the caller may keep it. Older revisions have no such hints.
    private static T Cacheable<T>(T result, JsonRpcRequest request)
        where T : ICacheableResult
    {
        if (ProtocolRevision.IsModern(request.Context?.ProtocolVersion))
        {
            result.TimeToLive ??= TimeSpan.FromMinutes(5);
            result.CacheScope ??= CacheScope.Private;
        }

        return result;
    }
}
