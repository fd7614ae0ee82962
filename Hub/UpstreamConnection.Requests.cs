using System.Text.Json;
using MinimalMcp.Governance;
using MinimalMcp.Hub.Remote;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Hub;

/// <content>Requests beside the calls of tools, each with the timeout of the hub.</content>
internal sealed partial class UpstreamConnection
{
    private readonly UpstreamCallers _callers;

    /// <summary>Calls a tool for a caller, who may be asked; the timeout does not run meanwhile.</summary>
    public ValueTask<CallToolResult> CallForAsync(
        string tool,
        IReadOnlyDictionary<string, JsonElement> arguments,
        UpstreamCaller caller,
        TimeSpan timeout,
        CancellationToken cancellationToken
    ) =>
        _callers.RunAsync(caller, () =>
            WithinAsync(
                stop => _client.CallToolAsync(UpstreamCallers.ParametersOf(tool, arguments, caller), stop),
                timeout,
                cancellationToken,
                caller
            )
        );

    /// <summary>Log messages of the server, in their order.</summary>
    public event Action<JsonRpcNotification> Logged
    {
        add => _callers.Logged += value;
        remove => _callers.Logged -= value;
    }

    public Task SetLevelAsync(LoggingLevel level, CancellationToken cancellationToken) =>
        _client.SetLoggingLevelAsync(new SetLevelRequestParams { Level = level }, cancellationToken);

    public Task SubscribeAsync(string uri, CancellationToken cancellationToken) =>
        _client.SubscribeToResourceAsync(new SubscribeRequestParams { Uri = uri }, cancellationToken);

    public Task UnsubscribeAsync(string uri, CancellationToken cancellationToken) =>
        _client.UnsubscribeFromResourceAsync(new UnsubscribeRequestParams { Uri = uri }, cancellationToken);

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
        CancellationToken cancellationToken,
        UpstreamCaller? caller = null
    )
    {
        var oversized = _remote?.Oversized;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var clock = new CallClock(limit, timeout);
        caller?.Clock = clock;
        clock.Start();
        try
        {
            return await request(limit.Token);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            if (_remote?.Oversized != oversized)
            {
                throw new McpException("The server's answer was larger than Hub:MaxMessageBytes and was not read.");
            }

            if (failure is McpProtocolException)
            {
                throw;
            }

            if (limit.IsCancellationRequested)
            {
                throw new McpException(
                    $"The server did not answer within {timeout.TotalSeconds:0} s (Hub:ServerTimeout, SERVER_TIMEOUT)."
                        + (caller is null ? "" : " Whether the call took effect is unknown.")
                );
            }

            // The client fails its requests a moment before the reason is known.
            await Task.WhenAny(Ended, Task.Delay(HasEnded || _stdio is not null ? ReasonWithin : TimeSpan.Zero));
            throw new McpException(
                Ended.IsCompletedSuccessfully
                    ? $"The server ended during the {(caller is null ? "request" : "call")}: {await Ended}"
                    : $"The {(caller is null ? "request" : "call")} failed: {RemoteAddress.Reason(failure)}.",
                failure
            );
        }
        finally
        {
            clock.End();
        }
    }
}
