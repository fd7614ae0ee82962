using System.Text.RegularExpressions;

namespace MinimalMcp.Storage;

/// <summary>
/// Detects network file systems. SQLite's write-ahead log requires shared memory and reliable locks, which they do not
/// provide (https://sqlite.org/wal.html, https://sqlite.org/faq.html#q5).
/// </summary>
internal static partial class NetworkFileSystem
{
    private const string Mounts = "/proc/self/mountinfo";

    /// <summary>The type of a network file system; null for local ones, and where the type is unknown.</summary>
    public static string? Of(string path) =>
        File.Exists(Mounts) && TypeOf(Real(path), File.ReadAllText(Mounts)) is { } type && IsRemote(type) ? type : null;

    /// <param name="path">Absolute, without links.</param>
    /// <param name="mountinfo">
    /// As proc(5) describes it: the fifth field is the place, and the first after the dash the type.
    /// </param>
    internal static string? TypeOf(string path, string mountinfo)
    {
        var (longest, found) = (-1, (string?)null);
        foreach (var line in mountinfo.Split('\n'))
        {
            var (fields, dash) = (line.Split(' '), line.IndexOf(" - ", StringComparison.Ordinal));
            if (fields.Length < 7 || dash < 0)
            {
                continue;
            }

            var place = Octal()
                .Replace(fields[4], letter => ((char)Convert.ToInt32(letter.Groups[1].Value, 8)).ToString())
                .TrimEnd('/');
            if (place.Length >= longest && (path == place || path.StartsWith(place + "/", StringComparison.Ordinal)))
            {
                // of two at one place the later one is seen
                (longest, found) = (place.Length, line[(dash + 3)..].Split(' ')[0]);
            }
        }

        return found;
    }

    internal static bool IsRemote(string type) => Remote().IsMatch(type);

    private static string Real(string path)
    {
        var real = "/";
        foreach (var part in Path.GetFullPath(path).Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            real = Path.Combine(real, part);
            real = Path.Exists(real) ? File.ResolveLinkTarget(real, returnFinalTarget: true)?.FullName ?? real : real;
        }

        return real;
    }

    [GeneratedRegex(
        "^(nfs4?|cifs|smb[23]?|smbfs|9p|afs|ceph|lustre|ncpfs|coda|davfs|glusterfs|beegfs|"
            + "fuse\\.(sshfs|s3fs|s3backer|gcsfuse|goofys|rclone|glusterfs|ceph(-fuse)?|"
            + "davfs2?|curlftpfs|smbnetfs|blobfuse2?|juicefs|moosefs|mfs))$"
    )]
    private static partial Regex Remote();

    [GeneratedRegex(@"\\([0-7]{3})")]
    private static partial Regex Octal();
}
