using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools;

internal static class ProgressExtensions
{
    /// <summary>Where a tool reports progress: to the client that asked for it with a progress token, or nowhere.</summary>
    public static IProgress<ProgressNotificationValue> Progress(this RequestContext<CallToolRequestParams>? request) =>
        request?.Params?.ProgressToken is { } token ? new ToClient(request.Server, token) : Nowhere.Instance;

    private sealed class ToClient(McpServer server, ProgressToken token) : IProgress<ProgressNotificationValue>
    {
        public void Report(ProgressNotificationValue value) => _ = server.NotifyProgressAsync(token, value);
    }

    private sealed class Nowhere : IProgress<ProgressNotificationValue>
    {
        public static readonly Nowhere Instance = new();

        public void Report(ProgressNotificationValue value)
        {
        }
    }
}
