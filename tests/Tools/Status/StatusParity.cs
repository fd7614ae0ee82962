using MinimalMcp.Tests.Surfaces;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Tools.Status;

internal sealed class StatusParity : FamilyCalls
{
    public override bool NeedsAnother => true;

    public override IReadOnlyList<(string Tool, string Arguments, FailureKind? Failure)> Calls { get; } =
    [("system_status", "{}", null), ("system_status", """{"system":"shop"}""", FailureKind.Arguments)];
}
