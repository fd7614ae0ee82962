using System.Text.RegularExpressions;

namespace MinimalMcp.Tests.Container;

/// <summary>What `docker build .` sends: the folder's files as a tar, without what .dockerignore names.</summary>
internal sealed class BuildContext(string folder)
{
    private readonly Regex[] _ignored =
    [
        .. File.ReadLines(Path.Combine(folder, ".dockerignore"))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(Pattern),
    ];

    public IEnumerable<string> Files() => Files(folder).Select(Relative);

    public Task<Stream> ToTarAsync(CancellationToken ct) =>
        Tar.PackAsync(
            async (tar, cancellation) =>
            {
                // The engine wants the two for itself, whether or not they are ignored.
                foreach (var file in Files().Union(["Dockerfile", ".dockerignore"]))
                {
                    await tar.WriteEntryAsync(Path.Combine(folder, file), file, cancellation);
                }
            },
            ct
        );

    private IEnumerable<string> Files(string below) =>
        Directory
            .EnumerateFileSystemEntries(below)
            .Where(path => !_ignored.Any(pattern => pattern.IsMatch(Relative(path))))
            .SelectMany(path => Directory.Exists(path) ? Files(path) : [path]);

    private string Relative(string path) => Path.GetRelativePath(folder, path).Replace('\\', '/');

    // What our .dockerignore uses: ** for any folders, * within a name; no exceptions (!).
    private static Regex Pattern(string line) =>
        new($"^{Regex.Escape(line.Trim('/')).Replace(@"\*\*/", "(.*/)?").Replace(@"\*", "[^/]*")}$");
}
