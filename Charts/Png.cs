using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace MinimalMcp.Charts;

/// <summary>
/// Portable Network Graphics (RFC 2083): the image format that models and MCP clients accept, where most refuse SVG.
/// </summary>
internal static class Png
{
    private static readonly uint[] Crc =
    [
        .. Enumerable
            .Range(0, 256)
            .Select(value =>
                Enumerable.Range(0, 8).Aggregate((uint)value, (crc, _) => (crc >> 1) ^ ((crc & 1) * 0xEDB88320))
            ),
    ];

    /// <param name="pixels">Three bytes each: red, green, blue.</param>
    public static byte[] Encode(byte[] pixels, int width, int height)
    {
        using var png = new MemoryStream();
        var (palette, places) = Indexed(pixels);
        png.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);

        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], height);
        (header[8], header[9]) = (8, 3); // bits of a pixel, which is a place in the palette
        Chunk(png, "IHDR", header);
        Chunk(
            png,
            "PLTE",
            [.. palette.SelectMany(colour => (byte[])[(byte)(colour >> 16), (byte)(colour >> 8), (byte)colour])]
        );

        using var rows = new MemoryStream();
        using (var zlib = new ZLibStream(rows, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            for (var row = 0; row < height; row++)
            {
                zlib.WriteByte(0); // no filter: large even areas are compressed best as they are
                zlib.Write(places, row * width, width);
            }
        }

        Chunk(png, "IDAT", rows.GetBuffer().AsSpan(0, (int)rows.Length));
        Chunk(png, "IEND", []);
        return png.ToArray();
    }

    // A third of the size, which models pay for. A chart has few colours; those between two lines become the nearest of
    // the frequent ones.
    private static (int[] Palette, byte[] Places) Indexed(byte[] pixels)
    {
        var colours = Enumerable
            .Range(0, pixels.Length / 3)
            .Select(pixel => (pixels[pixel * 3] << 16) | (pixels[(pixel * 3) + 1] << 8) | pixels[(pixel * 3) + 2])
            .ToArray();
        var frequent = colours
            .CountBy(colour => colour)
            .OrderByDescending(colour => colour.Value)
            .ThenBy(colour => colour.Key)
            .Select(colour => colour.Key)
            .ToArray();
        var palette = frequent[..Math.Min(256, frequent.Length)];
        var places = frequent.ToDictionary(
            colour => colour,
            colour => (byte)Array.IndexOf(palette, palette.MinBy(other => Distance(colour, other)))
        );
        return (palette, [.. colours.Select(colour => places[colour])]);
    }

    private static int Distance(int colour, int other)
    {
        var (red, green, blue) = (
            (colour >> 16) - (other >> 16),
            ((colour >> 8) & 255) - ((other >> 8) & 255),
            (colour & 255) - (other & 255)
        );
        return (red * red) + (green * green) + (blue * blue);
    }

    private static void Chunk(Stream png, string type, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        png.Write(number);
        var name = Encoding.ASCII.GetBytes(type);
        png.Write(name);
        png.Write(data);
        // RFC 2083 section 3.4: over type and data.
        BinaryPrimitives.WriteUInt32BigEndian(number, ~Sum(Sum(uint.MaxValue, name), data));
        png.Write(number);
    }

    private static uint Sum(uint crc, ReadOnlySpan<byte> data)
    {
        foreach (var value in data)
        {
            crc = Crc[(crc ^ value) & 255] ^ (crc >> 8);
        }

        return crc;
    }
}
