using System.Globalization;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;

namespace MinimalMcp.Outgoing;

/// <summary>
/// The retries and the circuit breaker of one system: of an upstream, or of one of several behind it.
/// </summary>
internal sealed class Circuit
{
    private const int MaxRetries = 1;
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(100),
        LongestBackoff = TimeSpan.FromSeconds(1);

    private readonly CircuitBreakerStateProvider _state = new();
    private readonly ResiliencePipeline<RequestAttempt> _pipeline;

    /// <param name="name">As it is named in logs and errors.</param>
    /// <param name="budget">The retries of the whole upstream.</param>
    public Circuit(string name, RetryBudget budget, TimeProvider time, OutgoingLog log)
    {
        Name = name;
        // From the outside in. Each retry asks the breaker again, and each attempt counts for it.
        _pipeline = new ResiliencePipelineBuilder<RequestAttempt> { TimeProvider = time }
            .AddRetry(
                new RetryStrategyOptions<RequestAttempt>
                {
                    MaxRetryAttempts = MaxRetries,
                    ShouldHandle = retry =>
                        ValueTask.FromResult(
                            retry.AttemptNumber < MaxRetries
                                && retry.Outcome.Result?.MayBeRepeated is true
                                && budget.TryTake()
                        ),
                    DelayGenerator = retry =>
                        ValueTask.FromResult<TimeSpan?>(
                            retry.Outcome.Result?.RetryAfter ?? Backoff(retry.AttemptNumber)
                        ),
                }
            )
            .AddCircuitBreaker(
                new CircuitBreakerStrategyOptions<RequestAttempt>
                {
                    MinimumThroughput = 10,
                    FailureRatio = 0.501, // Polly opens at the ratio, and half is not yet most
                    SamplingDuration = TimeSpan.FromSeconds(30),
                    BreakDuration = TimeSpan.FromSeconds(15),
                    StateProvider = _state,
                    // A probe whose caller left has proved nothing.
                    ShouldHandle = call =>
                        ValueTask.FromResult(
                            call.Outcome.Result is not { } attempt
                                || attempt.Failed
                                || (attempt.Failure is OperationCanceledException && IsProbed)
                        ),
                    OnOpened = opened =>
                    {
                        OpenSince = time.GetUtcNow().ToString("HH:mm:ss", CultureInfo.InvariantCulture);
                        log.Opened(name, opened.BreakDuration.TotalSeconds);
                        return default;
                    },
                    OnClosed = _ =>
                    {
                        log.Closed(name);
                        return default;
                    },
                }
            )
            .Build();
    }

    public string Name { get; }

    /// <summary>In UTC.</summary>
    public string OpenSince { get; private set; } = "";

    public bool IsProbed => _state.CircuitState is CircuitState.HalfOpen;

    public bool IsClosed => _state.CircuitState is CircuitState.Closed;

    public ValueTask<RequestAttempt> TryAsync(
        Func<CancellationToken, ValueTask<RequestAttempt>> send,
        CancellationToken cancellationToken
    ) => _pipeline.ExecuteAsync(send, cancellationToken);

    // Full jitter: callers that failed together do not come back together.
    private static TimeSpan Backoff(int attempt)
    {
        var cap = Math.Min(LongestBackoff.TotalMilliseconds, FirstBackoff.TotalMilliseconds * (1 << attempt));
        return TimeSpan.FromMilliseconds(Random.Shared.NextDouble() * cap);
    }
}
