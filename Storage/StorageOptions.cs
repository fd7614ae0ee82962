using System.ComponentModel.DataAnnotations;

namespace MinimalMcp.Storage;

/// <summary>Where things are kept; configuration section <c>Storage</c>.</summary>
public sealed class StorageOptions : IValidatableObject
{
    /// <summary>The SQLite file, relative to the content root. It is made when it is not there.</summary>
    public string Path { get; set; } = "data/minimalmcp.db";

    /// <summary>A PostgreSQL connection string, for several replicas. With it there is no file.</summary>
    public string? ConnectionString { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (string.IsNullOrWhiteSpace(Path) && string.IsNullOrEmpty(ConnectionString))
        {
            yield return new("Storage:Path is empty; name a file, such as data/minimalmcp.db, or set Storage:ConnectionString.");
        }
    }
}
