using System.ComponentModel.DataAnnotations;
using MinimalMcp.Configuration;
using Npgsql;

namespace MinimalMcp.Storage;

/// <summary>Where data is stored. Configuration section <c>Storage</c>.</summary>
internal sealed class StorageOptions : IValidatableObject
{
    /// <summary>
    /// The SQLite file, relative to the content root; created when missing. By default an existing one in <c>data/</c>
    /// of the content root or in the user's state folder; otherwise a new one, in <c>data/</c> when the program runs
    /// from its project, and in the state folder when it is installed.
    /// </summary>
    public string? Path { get; set; }

    /// <summary>The full path of <see cref="Path"/>.</summary>
    public string FullPath(IHostEnvironment environment) =>
        System.IO.Path.GetFullPath(System.IO.Path.Combine(environment.ContentRootPath, Path ?? Found(environment)));

    // Without what the driver says of it, unless that is a name: a password may stand where it does not belong.
    private static string? Unreadable(string connection)
    {
        if (
            connection.StartsWith("postgres", StringComparison.OrdinalIgnoreCase)
            && connection.Contains("://", StringComparison.Ordinal)
        )
        {
            return "it is a URL.";
        }

        try
        {
            _ = new NpgsqlConnectionStringBuilder(connection);
            return null;
        }
        catch (Exception wrong) when (wrong is ArgumentException or FormatException or InvalidCastException)
        {
            return
                wrong is ArgumentException { ParamName: { Length: > 0 and < 40 } name } && name.All(char.IsAsciiLetter)
                ? $"'{name}' is not a known keyword, or its value is invalid."
                : "it is not a list of NAME=VALUE; pairs.";
        }
    }

    private static string Found(IHostEnvironment environment)
    {
        var beside = System.IO.Path.Combine(environment.ContentRootPath, "data", "minimalmcp.db");
        var state = System.IO.Path.Combine(ProgramFolder.StateOf(environment), "minimalmcp.db");
        return File.Exists(beside) ? beside
            : File.Exists(state) ? state
            : ProgramFolder.Project is null ? state
            : beside;
    }

    /// <summary>A PostgreSQL connection string, for several replicas. Replaces the SQLite file.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>
    /// A folder, relative to the content root, where each night a backup of the SQLite file is made. Without it there
    /// is none.
    /// </summary>
    public string? BackupPath { get; set; }

    /// <summary>The number of backups to keep.</summary>
    public int BackupKeep { get; set; } = 7;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Path is not null && string.IsNullOrWhiteSpace(Path) && string.IsNullOrEmpty(ConnectionString))
        {
            yield return new(
                "Storage:Path is empty. Set it to a file such as data/minimalmcp.db, or set "
                    + "Storage:ConnectionString."
            );
        }

        if (ConnectionString is { Length: > 0 } && Unreadable(ConnectionString) is { } problem)
        {
            yield return new(
                $"Storage:ConnectionString is invalid: {problem} Its form is "
                    + "Host=...;Database=...;Username=...;Password=..., with SSL Mode=VerifyFull for TLS."
            );
        }

        if (BackupPath is { Length: > 0 } && ConnectionString is { Length: > 0 })
        {
            yield return new(
                "Storage:BackupPath is for the SQLite file, and the store is a PostgreSQL database: back it up with "
                    + "pg_dump."
            );
        }

        if (BackupKeep is < 1 or > 1000)
        {
            yield return new("Storage:BackupKeep must be between 1 and 1000.");
        }
    }
}
