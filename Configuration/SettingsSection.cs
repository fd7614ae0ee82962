namespace MinimalMcp.Configuration;

/// <summary>A configuration section and its options type.</summary>
internal sealed record SettingsSection(string Path, Type Options)
{
    public bool Has(string key) =>
        key.StartsWith(Path, StringComparison.OrdinalIgnoreCase)
        && (key.Length == Path.Length || key[Path.Length] == ':');

    /// <summary>The parts of the key below the section.</summary>
    public string[] Rest(string key) => key.Length <= Path.Length ? [] : key[(Path.Length + 1)..].Split(':');
}
