namespace MinimalMcp.Configuration;

/// <summary>
/// The folders of settings and data. Never the current directory: a workspace that somebody opens must not configure
/// the server, and a service must not lose its settings when it is started elsewhere.
/// </summary>
internal static class ProgramFolder
{
    private static readonly string Name = typeof(ProgramFolder).Assembly.GetName().Name!;

    /// <summary>
    /// The project's folder when the program runs from its build output (<c>dotnet run</c>); else null.
    /// </summary>
    public static string? Project { get; } = FindProject();

    /// <summary>The folder of the settings: the project's or the program's.</summary>
    public static string Settings => Project ?? AppContext.BaseDirectory;

    /// <summary>The user's settings file, for an installed program; null when it runs from its project.</summary>
    public static string? UserSettings =>
        Project is not null
            ? null
            : Path.Combine(
                OperatingSystem.IsWindows() || OperatingSystem.IsMacOS()
                        ? Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData)
                    : Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } configuration
                        ? configuration
                    : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config"),
                "minimal-mcp",
                "appsettings.json"
            );

    /// <summary>The user's state folder (XDG Base Directory Specification), with a subfolder of ours.</summary>
    public static string State =>
        Path.Combine(
            OperatingSystem.IsWindows() || OperatingSystem.IsMacOS()
                    ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
                : Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } state ? state
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state"),
            "minimal-mcp"
        );

    /// <summary>The same for an application that uses this library: its folder has its name.</summary>
    public static string StateOf(IHostEnvironment environment) =>
        ApplicationAssemblies.Application(environment) is { } application
            ? Path.Combine(Path.GetDirectoryName(State)!, application.GetName().Name!)
            : State;

    /// <summary>What the host is told before the program's own arguments, which win.</summary>
    public static string[] HostArguments(string[] args) =>
        [
            .. EnvironmentNames.HostEnvironment(
                Environment.GetEnvironmentVariable("ASPNETCORE_CONTENTROOT") ?? Settings
            )
                is { } environment
                ? ["--environment=" + environment]
                : Array.Empty<string>(),
            // watching files would slow the start considerably
            "--hostBuilder:reloadConfigOnChange=false",
            .. Environment.GetEnvironmentVariable("ASPNETCORE_CONTENTROOT") is null
                ? ["--contentRoot=" + Settings]
                : Array.Empty<string>(),
            // A switch without a value would consume the next argument.
            .. args.Select(argument => argument == "--stdio" ? "--mode=stdio" : argument),
        ];

    // bin/Debug/net10.0, with or without a runtime identifier, below the folder of the project.
    private static string? FindProject()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        for (var depth = 0; depth < 5 && folder is not null; depth++, folder = folder.Parent)
        {
            if (folder.Name.Equals("bin", StringComparison.OrdinalIgnoreCase))
            {
                return File.Exists(Path.Combine(folder.Parent!.FullName, Name + ".csproj"))
                    ? folder.Parent.FullName
                    : null;
            }
        }

        return null;
    }
}
