using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using MinimalMcp.Tools;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>Notifies clients of changed lists, as their revision defines it.</summary>
internal sealed class ListChangeNotifier : IDisposable
{
    private const int MaxResources = 100;

    private readonly ToolRegistry _registry;
    private readonly JoinedServers _servers;
    private readonly ResourceUpdates _updates;
    private readonly CancellationToken _stopping;
    private readonly ConcurrentDictionary<object, Func<string, Task>> _listeners = new();

    public ListChangeNotifier(
        ToolRegistry registry,
        JoinedServers servers,
        ResourceUpdates updates,
        IHostApplicationLifetime lifetime
    )
    {
        (_registry, _servers, _updates) = (registry, servers, updates);
        _stopping = lifetime.ApplicationStopping;
        _registry.Changed += ToolsChanged;
        _servers.Changed += NotifyAll;
    }

    /// <summary>
    /// Subscribes until the returned handle is disposed. The subscriber gets the method of the notification.
    /// </summary>
    public IDisposable Listen(Func<string, Task> listener)
    {
        var key = new object();
        _listeners[key] = listener;
        return new Registration(() => _listeners.TryRemove(key, out _));
    }

    /// <summary>
    /// <c>subscriptions/listen</c> of 2026-07-28: acknowledges the granted subscriptions, then keeps the response open
    /// and sends notifications.
    /// </summary>
    public async ValueTask<EmptyResult> ListenAsync(
        RequestContext<SubscriptionsListenRequestParams> request,
        CancellationToken cancellationToken
    )
    {
        var wanted = request.Params?.Notifications ?? new();
        var id = request.JsonRpcRequest.Id.Id is long number
            ? JsonValue.Create(number)
            : JsonValue.Create((string?)request.JsonRpcRequest.Id.Id);
        using var sending = new SemaphoreSlim(1, 1);

        // Raw notifications, because the typed parameters lack _meta, and each must have the subscription's id.
        async Task SendAsync(string method, JsonObject parameters)
        {
            parameters["_meta"] = new JsonObject { [MetaKeys.SubscriptionId] = id!.DeepClone() };
            await sending.WaitAsync(cancellationToken);
            try
            {
                await request.Server.SendMessageAsync(
                    new JsonRpcNotification { Method = method, Params = parameters },
                    cancellationToken
                );
            }
            finally
            {
                sending.Release();
            }
        }

        var granted = new JsonObject();
        var methods = new HashSet<string>();
        void Grant(bool? asked, string name, string method)
        {
            if (asked is true)
            {
                granted[name] = true;
                methods.Add(method);
            }
        }

        Grant(wanted.ToolsListChanged, "toolsListChanged", NotificationMethods.ToolListChangedNotification);
        Grant(wanted.PromptsListChanged, "promptsListChanged", NotificationMethods.PromptListChangedNotification);
        Grant(wanted.ResourcesListChanged, "resourcesListChanged", NotificationMethods.ResourceListChangedNotification);
        var view = new ServerView(_servers, SdkCall.Current.Tools);
        var uris = KnownOf(wanted.ResourceSubscriptions, request.Server.ServerOptions, view);
        if (uris.Length > 0)
        {
            granted["resourceSubscriptions"] = new JsonArray([.. uris.Select(uri => JsonValue.Create(uri))]);
        }

        // Subscribes before the acknowledgement and sends after it: a client may change a list as soon as it reads it.
        var acknowledged = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var options = request.Server.ServerOptions;
        void PromptsChanged(object? sender, EventArgs change) =>
            _ = Notify(NotificationMethods.PromptListChangedNotification);
        void ResourcesChanged(object? sender, EventArgs change) =>
            _ = Notify(NotificationMethods.ResourceListChangedNotification);
        async Task Notify(string method)
        {
            if (methods.Contains(method))
            {
                await acknowledged.Task;
                await SendAsync(method, []);
            }
        }

        string Key(string uri) =>
            view.FindResource(uri) is { } found ? ServerUri.Join(found.Server.Name, found.Uri) : uri;
        async Task Updated(string uri)
        {
            await acknowledged.Task;
            await SendAsync(NotificationMethods.ResourceUpdatedNotification, new JsonObject { ["uri"] = uri });
        }

        using var registration = Listen(Notify);
        var watching = uris.Select(uri => _updates.Watch(Key(uri), _ => Updated(uri))).ToArray();
        options.PromptCollection?.Changed += PromptsChanged;
        options.ResourceCollection?.Changed += ResourcesChanged;
        try
        {
            await SendAsync(
                NotificationMethods.SubscriptionsAcknowledgedNotification,
                new JsonObject { ["notifications"] = granted }
            );
            acknowledged.SetResult();
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping);
            await Task.Delay(Timeout.Infinite, ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
        finally
        {
            Array.ForEach(watching, one => one.Dispose());
            options.PromptCollection?.Changed -= PromptsChanged;
            options.ResourceCollection?.Changed -= ResourcesChanged;
        }

        // The server is stopping.
        return new EmptyResult { Meta = new JsonObject { [MetaKeys.SubscriptionId] = id!.DeepClone() } };
    }

    public void Dispose()
    {
        _registry.Changed -= ToolsChanged;
        _servers.Changed -= NotifyAll;
    }

    // Those that there are, and not without bound.
    private static string[] KnownOf(IList<string>? asked, McpServerOptions options, ServerView view) =>
        [
            .. (asked ?? [])
                .Distinct(StringComparer.Ordinal)
                .Where(uri =>
                    view.FindResource(uri) is not null
                    || options.ResourceCollection?.Any(resource => resource.IsMatch(uri)) is true
                )
                .Take(MaxResources),
        ];

    private void ToolsChanged() => NotifyAll(NotificationMethods.ToolListChangedNotification);

    private void NotifyAll(string method)
    {
        foreach (var listener in _listeners.Values)
        {
            _ = listener(method);
        }
    }

    private sealed class Registration(Action remove) : IDisposable
    {
        public void Dispose() => remove();
    }
}
