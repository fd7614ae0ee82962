using MinimalMcp.Tests.Surfaces;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Tools.Status;

/// <summary>The status is a tool where a family has a system behind it.</summary>
internal sealed class StatusParity : FamilyCalls
{
    private static readonly bool HasSystems = typeof(FamilyCalls).Assembly.GetTypes().Any(type => type.IsSubclassOf(typeof(FamilyCalls)) && type.GetMethod(nameof(StartSystemAsync))!.DeclaringType == type);

    public override IReadOnlyList<(string Tool, string Arguments, FailureKind? Failure)> Calls { get; } = HasSystems ? [("system_status", "{}", null)] : [];
}
