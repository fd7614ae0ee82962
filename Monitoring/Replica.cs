namespace MinimalMcp.Monitoring;

/// <summary>This process among the replicas of the server.</summary>
internal static class Replica
{
    /// <summary>What pages show: the machine or container, and the process on it.</summary>
    public static string Name { get; } = $"{Environment.MachineName}/{Environment.ProcessId}";

    /// <summary>Another one with each start, and for each of several servers on a machine.</summary>
    public static string NewId() => $"{Name}/{Guid.NewGuid().ToString("N")[..8]}";

    /// <summary>The name in an id.</summary>
    public static string NameOf(string id) => id[..id.LastIndexOf('/')];
}
