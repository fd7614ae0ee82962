namespace MinimalMcp.Load;

/// <summary>Environment of the processes, so that the measured servers differ in their code only.</summary>
internal static class RuntimeSettings
{
    /// <summary>For both servers, where the caller's environment does not say otherwise.</summary>
    public static readonly Dictionary<string, string> ForServers = new()
    {
        ["DOTNET_gcServer"] = "0",
        ["DOTNET_gcConcurrent"] = "1",
        ["DOTNET_TieredPGO"] = "1",
    };

    /// <summary>
    /// One thread polls all sockets and runs what follows a completion itself, as wrk does. Measured with 32
    /// connections: 8 us of CPU a call, against 12 with the thread pool and 14 with a blocking thread for each
    /// connection.
    /// </summary>
    public static readonly Dictionary<string, string> ForGenerator = new()
    {
        ["DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"] = "1",
        ["DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT"] = "1",
    };

    /// <summary>Must come before the first socket.</summary>
    public static void ApplyToGenerator()
    {
        foreach (var (setting, value) in ForGenerator)
        {
            Environment.SetEnvironmentVariable(setting, value);
        }
    }
}
