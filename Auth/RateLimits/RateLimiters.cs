using System.Net;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Auth;

/// <summary>So many within a time.</summary>
internal readonly record struct RateLimit(int Permits, TimeSpan Window);

/// <summary>The figures of every limit of Auth. What is limited is limited for each replica on its own.</summary>
internal sealed record RateLimitPolicies
{
    /// <summary>Wrong API keys of one address.</summary>
    public RateLimit WrongKeys { get; init; } = new(10, TimeSpan.FromMinutes(10));

    /// <summary>Wrong keys and passwords that one address enters on the sign-in page.</summary>
    public RateLimit SignIns { get; init; } = new(10, TimeSpan.FromMinutes(10));

    /// <summary>Clients that register themselves from one address.</summary>
    public RateLimit Registrations { get; init; } = new(20, TimeSpan.FromHours(1));

    /// <summary>Documents and keys of clients that are fetched because one address named them.</summary>
    public RateLimit Fetches { get; init; } = new(10, TimeSpan.FromMinutes(1));

    /// <summary>The same for all addresses together.</summary>
    public RateLimit AllFetches { get; init; } = new(60, TimeSpan.FromMinutes(1));

    /// <summary>Questions of sign-in that one address may hold open; its oldest makes room.</summary>
    public int OpenSignIns { get; init; } = 100;

    /// <summary>Questions of sign-in of all addresses; the one that holds most makes room.</summary>
    public int AllOpenSignIns { get; init; } = 10_000;
}

/// <summary>Every limit of Auth. Figures that an operator may set are in <see cref="AuthOptions"/>.</summary>
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

    /// <summary>Requests of one caller; null when the operator set no limit.</summary>
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
    /// One password of an address at a time. Only a wrong one is counted, so many at once would all be tried otherwise.
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
