using System.Diagnostics;

namespace MinimalMcp.Load;

/// <summary>One copy of a scenario: a user with a connection of her own.</summary>
internal sealed class ScenarioContext(Stats stats, CancellationToken ended) : IDisposable
{
    private HttpConnection? _connection;
    private Target? _connectedTo;
    private long _begun;

    /// <summary>Cancelled when the load ends.</summary>
    public CancellationToken ScenarioCancellationToken => ended;

    /// <summary>How often this copy has run before.</summary>
    public long InvocationNumber { get; private set; }

    /// <summary>Sends a request on the copy's connection, and judges the answer.</summary>
    public async ValueTask<Response> SendAsync(Request request)
    {
        var answer = await AskAsync(request);
        return request.Accepts(answer) ? Response.Ok(answer.Size) : Response.Fail(answer.Reason);
    }

    /// <summary>
    /// As <see cref="SendAsync"/>, for a scenario that reads the answer. Its body is only good until the next call.
    /// </summary>
    public async ValueTask<HttpResponse> AskAsync(Request request)
    {
        if (_connection is null || !ReferenceEquals(_connectedTo, request.Target))
        {
            Drop();
            (_connection, _connectedTo) = (await HttpConnection.Open(request.Target), request.Target);
        }

        return await _connection.Call(request.Bytes);
    }

    /// <summary>A part of the scenario with figures of its own.</summary>
    public async ValueTask<Response> StepAsync(string name, Func<ValueTask<Response>> run)
    {
        var started = Stopwatch.GetTimestamp();
        var response = await run();
        stats.Step(name).Record(Stopwatch.GetElapsedTime(started), response);
        return response;
    }

    public void Dispose() => Drop();

    internal void Begin(long now) => (_begun, InvocationNumber) = (now, InvocationNumber + 1);

    internal void End() => _begun = 0;

    /// <summary>Breaks off what takes longer than any call may.</summary>
    internal void EndIfOlder(long now, TimeSpan limit)
    {
        if (_begun is var begun and > 0 && Stopwatch.GetElapsedTime(begun, now) > limit)
        {
            _connection?.Dispose();
        }
    }

    internal void Drop()
    {
        _connection?.Dispose();
        _connection = null;
    }
}

/// <summary>NBomber's way to write a step.</summary>
internal static class Step
{
    public static ValueTask<Response> Run(string name, ScenarioContext context, Func<ValueTask<Response>> run) =>
        context.StepAsync(name, run);
}
