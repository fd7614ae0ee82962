using System.ComponentModel.DataAnnotations;
using MinimalMcp.Configuration;
using Npgsql;

namespace MinimalMcp.Storage;

/// <summary>Where things are kept; configuration section <c>Storage</c>.</summary>
public sealed class StorageOptions : IValidatableObject
{
    /// <summary>
    /// The SQLite file, relative to the content root; it is made when it is not there. When nothing is set: the one in
    /// <c>data/</c> of the content root or in the user's state folder, if there is one already; else a new one, in
    /// <c>data/</c> when the program runs from its project, in the state folder otherwise.
    /// </summary>
    public string? Path { get; set; }

    /// <summary>The whole path of <see cref="Path"/>.</summary>
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
            return "it is an address.";
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
                ? $"'{name}' is no part of one, or its value is wrong."
                : "it is no list of NAME=VALUE;.";
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

    /// <summary>A PostgreSQL connection string, for several replicas. With it there is no file.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>A folder, relative to the content root, where each night a backup of the SQLite file is made. Without it there is none.</summary>
    public string? BackupPath { get; set; }

    /// <summary>How many of them are kept.</summary>
    public int BackupKeep { get; set; } = 7;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Path is not null && string.IsNullOrWhiteSpace(Path) && string.IsNullOrEmpty(ConnectionString))
        {
            yield return new(
                "Storage:Path is empty; name a file, such as data/minimalmcp.db, or set Storage:ConnectionString."
            );
        }

        if (ConnectionString is { Length: > 0 } && Unreadable(ConnectionString) is { } problem)
        {
            yield return new(
                $"Storage:ConnectionString cannot be read: {problem} Its form is "
                    + "Host=...;Database=...;Username=...;Password=..., with SSL Mode=VerifyFull for TLS."
            );
        }

        if (BackupPath is { Length: > 0 } && ConnectionString is { Length: > 0 })
        {
            yield return new(
                "Storage:BackupPath is for the SQLite file, and the store is a PostgreSQL database: back it up with pg_dump."
            );
        }

        if (BackupKeep is < 1 or > 1000)
        {
            yield return new("Storage:BackupKeep must be from 1 to 1000.");
        }
    }
}
