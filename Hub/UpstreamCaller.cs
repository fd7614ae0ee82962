using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Governance;
using MinimalMcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Hub;

/// <summary>The caller's side of one call: who may be asked, and what became of the questions.</summary>
internal sealed class UpstreamCaller(ToolCall call, IProgress<ProgressNotificationValue>? progress)
{
    private readonly List<string> _notes = [];
    private float _reported = float.NegativeInfinity;

    public ClaimsPrincipal? User => call.User;

    /// <summary>Names the call in the progress that its server reports.</summary>
    public string Token { get; } = progress is null ? "" : Guid.NewGuid().ToString("N");

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

    /// <summary>Passes progress on, as far as it grows.</summary>
    public void Report(ProgressNotificationValue value)
    {
        if (value.Progress > _reported)
        {
            _reported = value.Progress;
            progress?.Report(value);
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

    private readonly List<UpstreamCaller> _running = [];

    public event Action<JsonRpcNotification>? Logged;

    public async ValueTask<T> RunAsync<T>(UpstreamCaller caller, Func<ValueTask<T>> request)
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

    /// <summary>The request, with the token of its progress when the caller wants to hear of it.</summary>
    public static CallToolRequestParams ParametersOf(
        string tool,
        IReadOnlyDictionary<string, JsonElement> arguments,
        UpstreamCaller caller
    ) =>
        new()
        {
            Name = tool,
            Arguments = arguments.ToDictionary(),
            Meta = caller.Progress is null ? null : new() { ["progressToken"] = caller.Token },
        };

    /// <summary>Handles progress and log messages in the order in which they came.</summary>
    public bool Take(JsonRpcNotification notification)
    {
        switch (notification.Method)
        {
            case NotificationMethods.ProgressNotification:
                Report(notification.Params);
                return true;
            case NotificationMethods.LoggingMessageNotification:
                Logged?.Invoke(notification);
                return true;
            default:
                return false;
        }
    }

    private void Report(JsonNode? parameters)
    {
        ProgressNotificationParams? progress;
        try
        {
            progress = parameters.Deserialize(McpTypeInfo.Of<ProgressNotificationParams>());
        }
        catch (JsonException)
        {
            return;
        }

        UpstreamCaller? caller;
        lock (_running)
        {
            caller = _running.Find(one => one.Token == progress?.ProgressToken.ToString());
        }

        caller?.Report(progress!.Progress);
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
        UpstreamCaller[] running;
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
                affected.Note($"{server} wanted to ask {what}, which was not possible: {failure.Message}.");
            }

            throw new McpProtocolException($"Not possible: {failure.Message}.", McpErrorCode.InvalidRequest);
        }
    }
}
