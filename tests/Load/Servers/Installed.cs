namespace MinimalMcp.Load;

/// <summary>
/// Programs of this machine that some measurements and tests want beside .NET. A null says that it is missing.
/// </summary>
internal static class Installed
{
    public const string WantedPostgres = "PostgreSQL 15 or newer (Debian: apt-get install postgresql)",
        WantedNginx = "nginx (Debian: apt-get install nginx-light)";

    public static string? Nginx() => Server("nginx");

    /// <summary>The path of a program that Debian keeps off the PATH of ordinary users.</summary>
    public static string? Server(string name) =>
        Program(name) ?? new[] { $"/usr/sbin/{name}", $"/usr/local/sbin/{name}" }.FirstOrDefault(File.Exists);

    /// <summary>The folder of PostgreSQL's server programs, which Debian keeps off the PATH.</summary>
    public static string? Postgres()
    {
        var debian = Directory.Exists("/usr/lib/postgresql")
            ? Directory
                .GetDirectories("/usr/lib/postgresql")
                .Select(version => Path.Combine(version, "bin", "initdb"))
                .LastOrDefault(File.Exists)
            : null;
        return Path.GetDirectoryName(debian ?? Program("initdb"));
    }

    /// <summary>The path of a program that is on the PATH.</summary>
    public static string? Program(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(folder =>
                OperatingSystem.IsWindows()
                    ? [Path.Combine(folder, name + ".exe"), Path.Combine(folder, name + ".cmd")]
                    : new[] { Path.Combine(folder, name) }
            )
            .FirstOrDefault(File.Exists);
}
