namespace MinimalMcp.Auth.Server;

/// <summary>What one address may do of the things that cost something or could be guessed.</summary>
internal sealed class Limits(TimeProvider time)
{
    /// <summary>Wrong keys and passwords.</summary>
    public Limit SignIns { get; } = new(10, TimeSpan.FromMinutes(10), time);

    public Limit Registrations { get; } = new(20, TimeSpan.FromHours(1), time);

    /// <summary>Documents and keys of clients that are fetched because somebody named them.</summary>
    public Limit Fetches { get; } = new(10, TimeSpan.FromMinutes(1), time);

    /// <summary>The same for everybody together.</summary>
    public Limit AllFetches { get; } = new(60, TimeSpan.FromMinutes(1), time);
}
