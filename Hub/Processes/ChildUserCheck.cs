using Microsoft.Extensions.Options;
using MinimalMcp.Configuration;
using MinimalMcp.Storage;

namespace MinimalMcp.Hub.Processes;

/// <summary>
/// At the start, with Hub:User: closes the store and its key file to other users, and fails the start where that user
/// can still read them or a file with settings.
/// </summary>
internal sealed class ChildUserCheck(
    IOptions<HubOptions> options,
    IOptions<StorageOptions> storage,
    EnvironmentRead read,
    IHostEnvironment environment
) : IHostedService
{
    private const UnixFileMode OwnersOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux() || options.Value.RunAs is not { } user)
        {
            return Task.CompletedTask;
        }

        List<string> files = [.. read.Files];
        if (storage.Value.ConnectionString is not { Length: > 0 })
        {
            var store = storage.Value.FullPath(environment);
            files.AddRange(((string[])["", "-wal", "-shm", ".key"]).Select(part => store + part));
            foreach (var file in files.Where(file => file.StartsWith(store, StringComparison.Ordinal)))
            {
                Close(file);
            }
        }

        return files.FirstOrDefault(user.CanRead) is { } open
            ? throw new StartupException(
                $"The user '{user.Name}' (Hub:User) can read {open}. MCP servers could then read what it contains: "
                    + $"`chmod 600 {open}`, and make sure that this server's user owns it."
            )
            : Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static void Close(string file)
    {
        try
        {
            if (!OperatingSystem.IsWindows() && File.Exists(file))
            {
                File.SetUnixFileMode(file, OwnersOnly);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // It is somebody else's; whether the user can read it is asked next.
        }
    }
}
