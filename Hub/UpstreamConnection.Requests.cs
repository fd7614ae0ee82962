using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Hub;

/// <content>Requests beside the calls of tools, each with the timeout of the hub.</content>
internal sealed partial class UpstreamConnection
{
    public ValueTask<GetPromptResult> GetPromptAsync(
        GetPromptRequestParams parameters,
        TimeSpan timeout,
        CancellationToken cancellationToken
    ) => WithinAsync(stop => _client.GetPromptAsync(parameters, stop), timeout, cancellationToken);

    public ValueTask<ReadResourceResult> ReadAsync(string uri, TimeSpan timeout, CancellationToken cancellationToken) =>
        WithinAsync(
            stop => _client.ReadResourceAsync(new ReadResourceRequestParams { Uri = uri }, stop),
            timeout,
            cancellationToken
        );

    public ValueTask<CompleteResult> CompleteAsync(
        CompleteRequestParams parameters,
        TimeSpan timeout,
        CancellationToken cancellationToken
    ) => WithinAsync(stop => _client.CompleteAsync(parameters, stop), timeout, cancellationToken);

    private async ValueTask<T> WithinAsync<T>(
        Func<CancellationToken, ValueTask<T>> request,
        TimeSpan timeout,
        CancellationToken cancellationToken
    )
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        try
        {
            return await request(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new McpException(
                $"The server did not answer within {timeout.TotalSeconds:0} s (Hub:ServerTimeout, SERVER_TIMEOUT)."
            );
        }
        catch (Exception) when (Ended.IsCompletedSuccessfully)
        {
            throw new McpException($"The server ended during the request: {await Ended}");
        }
    }
}
