using Xunit.v3;

namespace MinimalMcp.Tests;

/// <summary>
/// Needs containers, browsers, a database server, other people's programs, a build or a load: <c>scripts/test
/// --fast</c> leaves it out.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
internal sealed class SlowAttribute : Attribute, ITraitAttribute
{
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Speed", "slow")];
}
