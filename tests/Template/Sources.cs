using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Template;

/// <summary>The project as a fresh clone has it.</summary>
internal static class Sources
{
    // What .gitignore names.
    private static readonly string[] Left =
    [
        ".git",
        "bin",
        "obj",
        "artifacts",
        "node_modules",
        ".env",
        ".env.local",
        ".env.production",
        ".vs",
        ".idea",
        "TestResults",
        "__pycache__",
        "secrets",
    ];

    public static void CopyTo(string folder, string? from = null)
    {
        from ??= ClientProcess.Root;
        Directory.CreateDirectory(folder);
        foreach (
            var entry in Directory
                .EnumerateFileSystemEntries(from)
                .Where(entry => !Left.Contains(Path.GetFileName(entry)))
        )
        {
            var copy = Path.Combine(folder, Path.GetFileName(entry));
            if (Directory.Exists(entry))
            {
                CopyTo(copy, entry);
            }
            else
            {
                File.Copy(entry, copy); // with its mode
            }
        }
    }
}
