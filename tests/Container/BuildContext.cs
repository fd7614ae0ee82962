using System.Formats.Tar;
using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace MinimalMcp.Tests.Container;

/// <summary>What `docker build .` sends: the folder's files as a tar, without what .dockerignore names.</summary>
internal sealed class BuildContext : HttpContent
{
    private readonly string _folder;
    private readonly Regex[] _ignored;

    public BuildContext(string folder)
    {
        _folder = folder;
        _ignored = [.. File.ReadLines(Path.Combine(folder, ".dockerignore")).Where(line => line.Length > 0 && line[0] != '#').Select(Pattern)];
        Headers.ContentType = new MediaTypeHeaderValue("application/x-tar");
    }

    public IEnumerable<string> Files() => Files(_folder).Select(Relative);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await using var tar = new TarWriter(stream, leaveOpen: true);
        // The engine wants the two for itself, whether or not they are ignored.
        foreach (var file in Files().Union(["Dockerfile", ".dockerignore"]))
        {
            await tar.WriteEntryAsync(Path.Combine(_folder, file), file);
        }
    }

    // Sent in chunks: the length is known when all is written.
    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    private IEnumerable<string> Files(string folder) => Directory.EnumerateFileSystemEntries(folder)
        .Where(path => !_ignored.Any(pattern => pattern.IsMatch(Relative(path))))
        .SelectMany(path => Directory.Exists(path) ? Files(path) : [path]);

    private string Relative(string path) => Path.GetRelativePath(_folder, path).Replace('\\', '/');

    // What our .dockerignore uses: ** for any folders, * within a name; no exceptions (!).
    private static Regex Pattern(string line) => new($"^{Regex.Escape(line.Trim('/')).Replace(@"\*\*/", "(.*/)?").Replace(@"\*", "[^/]*")}$");
}
