namespace CwaySample;

/// <summary>What a Cway of ours is like. All of it has a default.</summary>
public sealed record CwayServerOptions
{
    /// <summary>Where it listens; port 0 is a free one.</summary>
    public string Url { get; init; } = "http://127.0.0.1:0";

    /// <summary>The bearer token that it wants; nothing: a new one.</summary>
    public string? Token { get; init; }

    /// <summary>The same seed makes the same workspace.</summary>
    public int Seed { get; init; } = 20;

    /// <summary>How many projects there are. From the 41st on they repeat the first forty.</summary>
    public int Projects { get; init; } = 40;

    /// <summary>How many entries the history of a project has, if any; nothing: what its artworks need.</summary>
    public int? EventsPerProject { get; init; }

    /// <summary>The planner has 0.4 where it has 40.0 otherwise.</summary>
    public bool FractionsInPlanner { get; init; }

    /// <summary>What each answer waits for.</summary>
    public TimeSpan Latency { get; init; }

    /// <summary>What time it is: the seeded history counts back from it, and changes happen at it.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
