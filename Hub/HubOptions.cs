using System.ComponentModel.DataAnnotations;
using MinimalMcp.Hub.Processes;

namespace MinimalMcp.Hub;

/// <summary>Other MCP servers behind this one. Configuration section <c>Hub</c>.</summary>
internal sealed class HubOptions : IValidatableObject
{
    /// <summary>Servers that may be started at the same time, on each replica.</summary>
    public int MaxConcurrentServers { get; set; } = 10;

    /// <summary>The timeout of one request to a server.</summary>
    public TimeSpan ServerTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a server may take to start and to list its tools.</summary>
    public TimeSpan StartTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>The same for the first start by npx, uvx or docker, which download the server before it.</summary>
    public TimeSpan InstallTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>The working folder of servers over stdio; the folder for temporary files when it is not set.</summary>
    public string? WorkingFolder { get; set; }

    /// <summary>
    /// The user of the operating system that servers over stdio run as: a name, or the numbers of user and group
    /// (1655:1655). Linux only. Without it they run as this server's own user.
    /// </summary>
    public string? User { get; set; }

    /// <summary>
    /// Memory that the processes of one server may occupy together; it is ended when they occupy more. Linux only.
    /// Without it there is no limit.
    /// </summary>
    public int? MaxMemoryMb { get; set; }

    /// <summary>
    /// Files and connections that each process of a server may have open. Linux only. Without it the limit is this
    /// server's own.
    /// </summary>
    public int? MaxOpenFiles { get; set; }

    /// <summary>The longest message of a server.</summary>
    public int MaxMessageBytes { get; set; } = 16 << 20;

    /// <summary>Concurrent connections to one remote server.</summary>
    public int ConnectionPoolSize { get; set; } = 20;

    /// <summary>Connections of callers to servers with auth_type per_caller, on each replica.</summary>
    public int MaxCallerConnections { get; set; } = 100;

    /// <summary>How long such a connection stays open without a request.</summary>
    public TimeSpan CallerIdleTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>The commands that a server may have, separated by spaces.</summary>
    public string Commands { get; set; } = "npx uvx python python3 node dotnet docker";

    /// <summary>Allows commands without authentication (Auth:Mode none).</summary>
    public bool CommandsWithoutAuth { get; set; }

    /// <summary>
    /// A file of servers in the form of Claude (<c>mcpServers</c>) or VS Code (<c>servers</c>), usually named mcp.json.
    /// </summary>
    public string? File { get; set; }

    /// <summary>Servers by name, beside those that are registered over the routes.</summary>
    public Dictionary<string, ConfiguredServer> Servers { get; } = new(StringComparer.OrdinalIgnoreCase);

    internal ChildUser? RunAs => field ??= User is { Length: > 0 } user ? ChildUser.Find(user) : null;

    internal IReadOnlyList<string> CommandNames => Split(Commands);

    internal bool Allows(string command) => CommandNames.Contains(command, StringComparer.Ordinal);

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

        if (StartTimeout < TimeSpan.FromSeconds(1) || StartTimeout > TimeSpan.FromMinutes(30))
        {
            yield return new("Hub:StartTimeout must be from 00:00:01 to 00:30:00.");
        }

        if (InstallTimeout < StartTimeout || InstallTimeout > TimeSpan.FromHours(1))
        {
            yield return new("Hub:InstallTimeout must be from Hub:StartTimeout to 01:00:00.");
        }

        if (WorkingFolder is not null && !Directory.Exists(WorkingFolder))
        {
            yield return new($"Hub:WorkingFolder is '{WorkingFolder}', which is not a folder. Create it.");
        }

        if (MaxMessageBytes is < 64 << 10 or > 256 << 20)
        {
            yield return new("Hub:MaxMessageBytes must be from 65536 to 268435456.");
        }

        if (MaxMemoryMb is < 64 or > 1 << 20)
        {
            yield return new("Hub:MaxMemoryMb must be from 64 to 1048576.");
        }

        if (MaxOpenFiles is < 64 or > 1 << 20)
        {
            yield return new("Hub:MaxOpenFiles must be from 64 to 1048576.");
        }
        else if (ChildLaunch.Problem(this) is { } problem)
        {
            yield return new(problem);
        }

        if (ConnectionPoolSize is < 1 or > 1000)
        {
            yield return new("Hub:ConnectionPoolSize (CONNECTION_POOL_SIZE) must be from 1 to 1000.");
        }

        if (MaxCallerConnections is < 1 or > 10_000)
        {
            yield return new("Hub:MaxCallerConnections must be from 1 to 10000.");
        }

        if (CallerIdleTimeout < TimeSpan.FromSeconds(1) || CallerIdleTimeout > TimeSpan.FromDays(1))
        {
            yield return new("Hub:CallerIdleTimeout must be from 00:00:01 to 1.00:00:00.");
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
