using System.ComponentModel.DataAnnotations;

namespace MinimalMcp.Hub;

/// <summary>Other MCP servers behind this one. Configuration section <c>Hub</c>.</summary>
internal sealed class HubOptions : IValidatableObject
{
    /// <summary>Servers that may be started at the same time, on each replica.</summary>
    public int MaxConcurrentServers { get; set; } = 10;

    /// <summary>The timeout of one request to a server.</summary>
    public TimeSpan ServerTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Concurrent connections to one remote server.</summary>
    public int ConnectionPoolSize { get; set; } = 20;

    /// <summary>The commands that a server may have, separated by spaces.</summary>
    public string Commands { get; set; } = "npx uvx python python3 node dotnet docker";

    /// <summary>Allows commands without authentication (Auth:Mode none).</summary>
    public bool CommandsWithoutAuth { get; set; }

    internal bool Allows(string command) => Split(Commands).Contains(command, StringComparer.Ordinal);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxConcurrentServers is < 1 or > 1000)
        {
            yield return new("Hub:MaxConcurrentServers (MAX_CONCURRENT_SERVERS) must be from 1 to 1000.");
        }

        if (ServerTimeout < TimeSpan.FromSeconds(1) || ServerTimeout > TimeSpan.FromHours(1))
        {
            yield return new("Hub:ServerTimeout (SERVER_TIMEOUT, in seconds) must be from 00:00:01 to 01:00:00.");
        }

        if (ConnectionPoolSize is < 1 or > 1000)
        {
            yield return new("Hub:ConnectionPoolSize (CONNECTION_POOL_SIZE) must be from 1 to 1000.");
        }

        foreach (var command in Split(Commands).Where(command => command.IndexOfAny(['/', '\\']) >= 0))
        {
            yield return new(
                $"Hub:Commands has '{command}'. Name programs without a folder, separated by spaces, for example "
                    + "`npx uvx python3`; they are found on the PATH of this server."
            );
        }
    }

    private static string[] Split(string list) =>
        list.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
