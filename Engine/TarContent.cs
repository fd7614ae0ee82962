using System.Formats.Tar;
using System.Net;
using System.Net.Http.Headers;

namespace MinimalMcp.Engine;

/// <summary>Files on their way to the engine, written while they are sent: nothing is held in memory or on the disk.</summary>
public class TarContent : HttpContent
{
    private readonly Func<TarWriter, CancellationToken, Task> _write;

    public TarContent(Func<TarWriter, CancellationToken, Task> write)
    {
        _write = write;
        Headers.ContentType = new MediaTypeHeaderValue("application/x-tar");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await using var tar = new TarWriter(stream, leaveOpen: true);
        await _write(tar, cancellationToken);
    }

    // Sent in chunks: the length is known when all is written.
    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
