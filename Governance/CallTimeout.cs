using Microsoft.Extensions.AI;

namespace MinimalMcp.Governance;

internal static class CallTimeout
{
    // A token source per call would be most of what a call allocates, so each thread keeps one whose token was never
    // cancelled.
    [ThreadStatic]
    private static CancellationTokenSource? _idle;

    /// <summary>Runs a function and answers in time even when the function does not listen to its token.</summary>
    public static async ValueTask<object?> RunAsync(
        Func<AIFunctionArguments, CancellationToken, ValueTask<object?>> function,
        ToolCall call,
        TimeSpan limit,
        string name,
        CancellationToken cancellationToken
    )
    {
        var source = _idle ?? new CancellationTokenSource();
        _idle = null;
        var registration = cancellationToken.UnsafeRegister(
            static state => ((CancellationTokenSource)state!).Cancel(),
            source
        );
        try
        {
            var running = function(call, source.Token);
            if (running.IsCompleted)
            {
                return await running; // most tools that need no other system: not even a timer is started for them
            }

            source.CancelAfter(limit);
            return await running.AsTask().WaitAsync(source.Token);
        }
        catch (OperationCanceledException)
            when (source.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ToolRefusedException(
                Refusal.Deadline,
                $"{name} did not finish within {limit.TotalSeconds:0.#} seconds and was stopped. Ask for less, or "
                    + "try again later."
            );
        }
        finally
        {
            await registration.DisposeAsync();
            if (source.TryReset())
            {
                _idle = source;
            }
        }
    }
}
