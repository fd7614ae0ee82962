using System.Formats.Tar;
using System.Text;

namespace MinimalMcp.Tests.Container;

/// <summary>Files on their way to Docker, in a temporary file that goes when the stream is closed.</summary>
internal static class Tar
{
    public static async Task<Stream> PackAsync(Func<TarWriter, CancellationToken, Task> write, CancellationToken ct)
    {
        var file = new FileStream(
            Path.GetTempFileName(),
            new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.ReadWrite,
                Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous,
            }
        );
        await using (var tar = new TarWriter(file, leaveOpen: true))
        {
            await write(tar, ct);
        }

        file.Position = 0;
        return file;
    }

    public static async Task WriteTextAsync(this TarWriter tar, string name, string text, CancellationToken ct)
    {
        using var data = new MemoryStream(Encoding.UTF8.GetBytes(text));
        var mode = (UnixFileMode)0b110_100_100;
        var entry = new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = data, Mode = mode };
        await tar.WriteEntryAsync(entry, ct);
    }
}
