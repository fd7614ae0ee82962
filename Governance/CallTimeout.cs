using Microsoft.Extensions.AI;

namespace MinimalMcp.Governance;

internal static class CallTimeout
{
    // A token source per call would be most of a call's allocations, so each thread reuses one that was never
    // cancelled.
    [ThreadStatic]
    private static CancellationTokenSource? _idle;

    /// <summary>Runs a function with a timeout that holds even when the function ignores its token.</summary>
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
        var clock = call.Ask is null ? null : call.Clock = new(source, limit);
        try
        {
            var running = function(call, source.Token);
            if (running.IsCompleted)
            {
                return await running; // most tools without an upstream complete here, without a timer
            }

            if (clock is null)
            {
                source.CancelAfter(limit);
            }
            else
            {
                clock.Start();
            }

            return await running.AsTask().WaitAsync(source.Token);
        }
        catch (OperationCanceledException)
            when (source.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ToolRefusedException(
                Refusal.Deadline,
                $"{name} did not finish within {limit.TotalSeconds:0.#} seconds and was stopped. Request less data, "
                    + "or try again later."
            );
        }
        finally
        {
            clock?.End();
            await registration.DisposeAsync();
            if (source.TryReset())
            {
                _idle = source;
            }
        }
    }
}
