using MinimalMcp.Governance;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Hub;

/// <summary>The caller's side of one call: who may be asked, and what became of the questions.</summary>
internal sealed class UpstreamCaller(ToolCall call, IProgress<ProgressNotificationValue>? progress)
{
    private readonly List<string> _notes = [];

    public IProgress<ProgressNotificationValue>? Progress => progress;

    /// <summary>The timeout of the request to the server, which waits for the answer too.</summary>
    public CallClock? Clock { get; set; }

    /// <summary>Sentences for the caller about questions that nobody was asked.</summary>
    public IReadOnlyList<string> Notes
    {
        get
        {
            lock (_notes)
            {
                return [.. _notes];
            }
        }
    }

    public void Note(string note)
    {
        lock (_notes)
        {
            if (_notes.Count < 5 && !_notes.Contains(note))
            {
                _notes.Add(note);
            }
        }
    }

    /// <summary>Asks the caller's user or model; throws a sentence when its client cannot be asked.</summary>
    public async ValueTask<InputResponse> AskAsync(InputRequest question, CancellationToken cancellationToken)
    {
        if (call.Ask is null)
        {
            throw new McpException("the caller's client, or the way that it called, does not support that");
        }

        Clock?.Pause();
        call.Clock?.Pause();
        try
        {
            return await call.Ask(question, cancellationToken);
        }
        finally
        {
            call.Clock?.Resume();
            Clock?.Resume();
        }
    }
}

/// <summary>
/// The calls that run on one connection. A server that asks something does not say for which call, so that it is passed
/// on only where there is one: an answer must never come from another caller.
/// </summary>
internal sealed class UpstreamCallers(string server)
{
    // Where the SDK's client asks by itself, it does so within the call.
    private static readonly AsyncLocal<UpstreamCaller?> Current = new();

    private readonly List<UpstreamCaller?> _running = [];

    public async ValueTask<T> RunAsync<T>(UpstreamCaller? caller, Func<ValueTask<T>> request)
    {
        lock (_running)
        {
            _running.Add(caller);
        }

        Current.Value = caller;
        try
        {
            return await request();
        }
        finally
        {
            lock (_running)
            {
                _running.Remove(caller);
            }
        }
    }

    public async ValueTask<ElicitResult> ElicitAsync(ElicitRequestParams? question, CancellationToken stop)
    {
        var asked = question ?? throw new McpProtocolException("Params are missing.", McpErrorCode.InvalidParams);
        // The user must know that it is not this server that asks.
        asked.Message = $"{server} asks: {asked.Message}";
        var answer = await AskAsync("the user a question", InputRequest.ForElicitation(asked), stop);
        return answer.Deserialize(InputResponse.ElicitResultJsonTypeInfo)!;
    }

    public async ValueTask<CreateMessageResult> SampleAsync(
        CreateMessageRequestParams? question,
        CancellationToken stop
    )
    {
        var asked = question ?? throw new McpProtocolException("Params are missing.", McpErrorCode.InvalidParams);
        var answer = await AskAsync("the caller's model something", InputRequest.ForSampling(asked), stop);
        return answer.Deserialize(InputResponse.CreateMessageResultJsonTypeInfo)!;
    }

    private async ValueTask<InputResponse> AskAsync(string what, InputRequest question, CancellationToken stop)
    {
        UpstreamCaller?[] running;
        lock (_running)
        {
            running = [.. _running];
        }

        var caller = Current.Value ?? (running is [var only] ? only : null);
        try
        {
            return caller is not null ? await caller.AskAsync(question, stop)
                : running.Length > 1
                    ? throw new McpException("several calls are running, and it is not known for which")
                : throw new McpException("no call is running that can be asked");
        }
        catch (McpException failure)
        {
            foreach (var affected in caller is null ? running : [caller])
            {
                affected?.Note($"{server} wanted to ask {what}, which was not possible: {failure.Message}.");
            }

            throw new McpProtocolException($"Not possible: {failure.Message}.", McpErrorCode.InvalidRequest);
        }
    }
}
