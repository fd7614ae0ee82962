using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools;

internal static class ProgressExtensions
{
    /// <summary>Reports progress to a client that sent a progress token, or to nobody.</summary>
    public static IProgress<ProgressNotificationValue> Progress(this RequestContext<CallToolRequestParams>? request) =>
        request?.Params?.ProgressToken is { } token ? new ToClient(request.Server, token) : Nowhere.Instance;

    /// <summary>Reports one of <paramref name="total"/> steps per call.</summary>
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
