using System.Net;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Auth;

/// <summary>A number of permits per time window.</summary>
internal readonly record struct RateLimit(int Permits, TimeSpan Window);

/// <summary>The rate limits of authentication. Each replica counts on its own.</summary>
internal sealed record RateLimitPolicies
{
    /// <summary>Invalid API keys from one address.</summary>
    public RateLimit WrongKeys { get; init; } = new(10, TimeSpan.FromMinutes(10));

    /// <summary>Invalid keys and passwords on the sign-in page, from one address.</summary>
    public RateLimit SignIns { get; init; } = new(10, TimeSpan.FromMinutes(10));

    /// <summary>Dynamic client registrations from one address.</summary>
    public RateLimit Registrations { get; init; } = new(20, TimeSpan.FromHours(1));

    /// <summary>Client metadata documents and keys fetched on behalf of one address.</summary>
    public RateLimit Fetches { get; init; } = new(10, TimeSpan.FromMinutes(1));

    /// <summary>Fetches on behalf of all addresses together.</summary>
    public RateLimit AllFetches { get; init; } = new(60, TimeSpan.FromMinutes(1));

    /// <summary>Pending sign-ins of one address; the oldest is replaced.</summary>
    public int OpenSignIns { get; init; } = 100;

    /// <summary>Pending sign-ins of all addresses; the address with the most loses its oldest.</summary>
    public int AllOpenSignIns { get; init; } = 10_000;
}

/// <summary>
/// The rate limiters of authentication. Limits that an operator may set are in <see cref="AuthOptions"/>.
/// </summary>
internal sealed class RateLimiters(IOptions<AuthOptions> options, RateLimitPolicies figures) : IDisposable
{
    private const int MaxCallers = 1 << 16,
        MaxAddresses = 1 << 14,
        MaxWaiting = 20;

    private readonly Lazy<PartitionedRateLimiter<IPAddress>> _passwords = new(() =>
        PartitionedRateLimiter.Create<IPAddress, int>(address =>
            RateLimitPartition.GetConcurrencyLimiter(HashCode.Combine(address) & (MaxAddresses - 1), _ =>
                new() { PermitLimit = 1, QueueLimit = MaxWaiting }
            )
        )
    );

    /// <summary>Requests per caller; null when no limit is set.</summary>
    public PartitionedRateLimiter<int>? Requests { get; } =
        options.Value.RateLimitPerMinute is 0
            ? null
            : PartitionedRateLimiter.Create<int, int>(caller =>
                RateLimitPartition.GetTokenBucketLimiter(caller & (MaxCallers - 1), _ => new()
                    {
                        TokenLimit = options.Value.RateLimitPerMinute,
                        TokensPerPeriod = 1,
                        ReplenishmentPeriod = TimeSpan.FromMinutes(1) / options.Value.RateLimitPerMinute,
                        AutoReplenishment = true,
                    })
            );

    public AddressRateLimiter WrongKeys { get; } = new(figures.WrongKeys);

    public AddressRateLimiter SignIns { get; } = new(figures.SignIns);

    public AddressRateLimiter Registrations { get; } = new(figures.Registrations);

    public AddressRateLimiter Fetches { get; } = new(figures.Fetches);

    public AddressRateLimiter AllFetches { get; } = new(figures.AllFetches);

    /// <summary>
    /// Admits one password check per address at a time. Only failures are counted, so parallel guesses would otherwise
    /// all be tried.
    /// </summary>
    public ValueTask<RateLimitLease> PasswordTurnAsync(IPAddress address, CancellationToken cancellationToken) =>
        _passwords.Value.AcquireAsync(address, 1, cancellationToken);

    public void Dispose()
    {
        Requests?.Dispose();
        foreach (
            var limit in (ReadOnlySpan<AddressRateLimiter>)[WrongKeys, SignIns, Registrations, Fetches, AllFetches]
        )
        {
            limit.Dispose();
        }

        if (_passwords.IsValueCreated)
        {
            _passwords.Value.Dispose();
        }
    }
}
