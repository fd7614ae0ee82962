using Xunit.v3;

namespace MinimalMcp.Tests;

/// <summary>
/// Needs containers, browsers, a database server, other people's programs, a build or a load, or starts so many servers
/// that it takes more than ten seconds: <c>scripts/test --fast</c> leaves it out.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
internal sealed class SlowAttribute : Attribute, ITraitAttribute
{
    /// <summary>It takes minutes, so it starts before the others.</summary>
    public bool Minutes { get; init; }

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Speed", "slow")];
}
