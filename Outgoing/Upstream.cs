using System.Collections.Concurrent;
using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;

namespace MinimalMcp.Outgoing;

/// <summary>
/// One entry per client name for the lifetime of the server. Not per host: families behind one reverse proxy share a
/// host and must not share a circuit breaker; and names, unlike hosts, cannot come from an argument.
/// </summary>
internal sealed class Upstreams(IOptions<OutgoingOptions> options, TimeProvider time, OutgoingLog log) : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<Upstream>> _byName = new(StringComparer.OrdinalIgnoreCase);

    public Upstream Of(string? client)
    {
        var name =
            client is not { Length: > 0 } ? "upstream"
            : client.EndsWith("Client", StringComparison.Ordinal) && client.Length > 6 ? client[..^6]
            : client;
        return _byName.GetOrAdd(name, key => new(() => new Upstream(key, options.Value, time, log))).Value;
    }

    public void Dispose()
    {
        foreach (var upstream in _byName.Values)
        {
            upstream.Value.Dispose();
        }
    }
}

/// <summary>
/// The state of an upstream: its circuit breaker, concurrency limiter and retry budget, so that an upstream in trouble
/// gets fewer requests and delays nobody else.
/// </summary>
internal sealed class Upstream : IDisposable
{
    private const int MaxRetries = 1;
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(100),
        LongestBackoff = TimeSpan.FromSeconds(1);

    private readonly ConcurrencyLimiter _bulkhead;
    private readonly CircuitBreakerStateProvider _breaker = new();
    private readonly ResiliencePipeline<RequestAttempt> _pipeline;

    public Upstream(string name, OutgoingOptions options, TimeProvider time, OutgoingLog log)
    {
        (Name, Time, Log, MaxInFlight) = (name, time, log, options.MaxInFlight);
        Deadline = options.Deadlines.TryGetValue(name, out var deadline) ? deadline : options.Deadline;
        MaxResponseBytes = options.MaxResponseBytesOf.TryGetValue(name, out var bytes)
            ? bytes
            : options.MaxResponseBytes;
        Budget = new(time);
        _bulkhead = new(
            new()
            {
                PermitLimit = options.MaxInFlight,
                QueueLimit = options.MaxWaiting,
                QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
            }
        );

        // From the outside in. Each retry passes the circuit breaker, and each attempt counts for it.
        _pipeline = new ResiliencePipelineBuilder<RequestAttempt> { TimeProvider = time }
            .AddRetry(
                new RetryStrategyOptions<RequestAttempt>
                {
                    MaxRetryAttempts = MaxRetries,
                    ShouldHandle = retry =>
                        ValueTask.FromResult(
                            retry.AttemptNumber < MaxRetries
                                && retry.Outcome.Result?.MayBeRepeated is true
                                && Budget.TryTake()
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
                    FailureRatio = 0.501, // Polly opens at the ratio; exactly half is not a majority
                    SamplingDuration = TimeSpan.FromSeconds(30),
                    BreakDuration = TimeSpan.FromSeconds(15),
                    StateProvider = _breaker,
                    // A cancelled probe proves nothing.
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

    public TimeProvider Time { get; }

    public OutgoingLog Log { get; }

    public int MaxInFlight { get; }

    public TimeSpan Deadline { get; }

    public long MaxResponseBytes { get; }

    public RetryBudget Budget { get; }

    /// <summary>In UTC.</summary>
    public string OpenSince { get; private set; } = "";

    public bool IsProbed => _breaker.CircuitState is CircuitState.HalfOpen;

    /// <summary>Acquires a permit of the concurrency limiter, until it is disposed.</summary>
    public async Task<RateLimitLease> EnterAsync(CancellationToken cancellationToken)
    {
        var place = await _bulkhead.AcquireAsync(1, cancellationToken);
        return place.IsAcquired ? place : throw UpstreamFailure.Full(this);
    }

    public ValueTask<RequestAttempt> TryAsync(
        Func<CancellationToken, ValueTask<RequestAttempt>> send,
        CancellationToken cancellationToken
    )
    {
        Budget.CountCall();
        return _pipeline.ExecuteAsync(send, cancellationToken);
    }

    public void Dispose() => _bulkhead.Dispose();

    // Full jitter: callers that failed together do not retry together.
    private static TimeSpan Backoff(int attempt)
    {
        var cap = Math.Min(LongestBackoff.TotalMilliseconds, FirstBackoff.TotalMilliseconds * (1 << attempt));
        return TimeSpan.FromMilliseconds(Random.Shared.NextDouble() * cap);
    }
}
