using System.Collections.Concurrent;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

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
    // Names of circuits may come from arguments.
    private const int MaxCircuits = 64;

    private readonly ConcurrencyLimiter _limiter;
    private readonly RetryBudget _budget;
    private readonly ConcurrentDictionary<string, Circuit> _circuits = new(StringComparer.Ordinal);
    private readonly Circuit _whole;

    public Upstream(string name, OutgoingOptions options, TimeProvider time, OutgoingLog log)
    {
        (Name, Time, Log, MaxInFlight) = (name, time, log, options.MaxInFlight);
        Deadline = options.Deadlines.TryGetValue(name, out var deadline) ? deadline : options.Deadline;
        MaxResponseBytes = options.MaxResponseBytesOf.TryGetValue(name, out var bytes)
            ? bytes
            : options.MaxResponseBytes;
        _budget = new(time);
        _whole = new(name, _budget, time, log);
        _limiter = new(
            new()
            {
                PermitLimit = options.MaxInFlight,
                QueueLimit = options.MaxWaiting,
                QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
            }
        );
    }

    public string Name { get; }

    public TimeProvider Time { get; }

    public OutgoingLog Log { get; }

    public int MaxInFlight { get; }

    public TimeSpan Deadline { get; }

    public long MaxResponseBytes { get; }

    /// <summary>
    /// The circuit of one system behind the upstream, such as an environment of Portainer; for an empty name that of
    /// the upstream itself.
    /// </summary>
    public Circuit CircuitOf(string name)
    {
        if (name.Length == 0)
        {
            return _whole;
        }

        if (_circuits.Count >= MaxCircuits && !_circuits.ContainsKey(name))
        {
            foreach (var closed in _circuits.Where(circuit => circuit.Value.IsClosed))
            {
                _circuits.TryRemove(closed); // it loses no more than its count of failures
            }
        }

        return _circuits.Count >= MaxCircuits && !_circuits.ContainsKey(name)
            ? _whole
            : _circuits.GetOrAdd(name, key => new($"{Name} {key}", _budget, Time, Log));
    }

    /// <summary>Acquires a permit of the concurrency limiter, until it is disposed.</summary>
    public async Task<RateLimitLease> EnterAsync(CancellationToken cancellationToken)
    {
        var place = await _limiter.AcquireAsync(1, cancellationToken);
        return place.IsAcquired ? place : throw UpstreamFailure.Full(this);
    }

    public ValueTask<RequestAttempt> TryAsync(
        Circuit circuit,
        Func<CancellationToken, ValueTask<RequestAttempt>> send,
        CancellationToken cancellationToken
    )
    {
        _budget.CountCall();
        return circuit.TryAsync(send, cancellationToken);
    }

    public void Dispose() => _limiter.Dispose();
}
