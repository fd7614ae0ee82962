using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools;

internal static class ProgressExtensions
{
    /// <summary>
    /// Where a tool reports progress: to the client that asked for it with a progress token, or nowhere.
    /// </summary>
    public static IProgress<ProgressNotificationValue> Progress(this RequestContext<CallToolRequestParams>? request) =>
        request?.Params?.ProgressToken is { } token ? new ToClient(request.Server, token) : Nowhere.Instance;

    /// <summary>Reports one step of <paramref name="total"/> each time that it is called.</summary>
    public static Action<string> Steps(this IProgress<ProgressNotificationValue> progress, int total)
    {
        var (done, inOrder) = (0, new Lock());
        return message =>
        {
            lock (inOrder) // "The progress value MUST increase with each notification" (MCP, basic/utilities/progress)
            {
                progress.Report(
                    new()
                    {
                        Progress = ++done,
                        Total = total,
                        Message = message,
                    }
                );
            }
        };
    }

    private sealed class ToClient(McpServer server, ProgressToken token) : IProgress<ProgressNotificationValue>
    {
        public void Report(ProgressNotificationValue value) => _ = server.NotifyProgressAsync(token, value);
    }

    private sealed class Nowhere : IProgress<ProgressNotificationValue>
    {
        public static readonly Nowhere Instance = new();

        public void Report(ProgressNotificationValue value) { }
    }
}
