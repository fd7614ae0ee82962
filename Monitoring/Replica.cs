namespace MinimalMcp.Monitoring;

/// <summary>This process among the replicas of the server.</summary>
internal static class Replica
{
    /// <summary>The name of the machine, or of the container: what pages show.</summary>
    public static string Name { get; } = Environment.MachineName;
}
