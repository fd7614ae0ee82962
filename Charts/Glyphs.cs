using System.Globalization;
using System.Text.Json;

namespace MinimalMcp.Charts;

/// <summary>
/// The letters of charts, drawn beforehand: a slim container has no font, and a font's rasteriser would be larger than
/// this server.
/// </summary>
internal static class Glyphs
{
    private static readonly Lazy<Dictionary<char, Glyph>> All = new(Load);

    public const int Height = 17;

    public static int Width(string text) => text.Sum(letter => Of(letter).Advance);

    /// <summary>As much of the text as fits, with an ellipsis when that is not all.</summary>
    public static string Fit(string text, int width)
    {
        if (Width(text) <= width)
        {
            return text;
        }

        var room = width - Width("…");
        var end = 0;
        while (end < text.Length && (room -= Of(text[end]).Advance) >= 0)
        {
            end++;
        }

        return text[..end] + "…";
    }

    public static Glyph Of(char letter) =>
        All.Value.GetValueOrDefault(letter) ?? All.Value[char.IsWhiteSpace(letter) ? ' ' : '□'];

    private static Dictionary<char, Glyph> Load()
    {
        using var file = typeof(Glyphs).Assembly.GetManifestResourceStream(typeof(Glyphs), "glyphs.json")!;
        using var json = JsonDocument.Parse(file);
        return json
            .RootElement.GetProperty("glyphs")
            .EnumerateObject()
            .ToDictionary(glyph => glyph.Name[0], glyph => Read(glyph.Value.GetString()!.Split(' ')));
    }

    private static Glyph Read(string[] parts)
    {
        var numbers = parts[..4].Select(part => int.Parse(part, CultureInfo.InvariantCulture)).ToArray();
        return new(numbers[0], numbers[1], numbers[2], numbers[3], Convert.FromBase64String(parts[4]));
    }

    /// <param name="Advance">How far the next letter is.</param>
    /// <param name="Pixels">Two in a byte, from 0 (nothing) to 15, row by row.</param>
    internal sealed record Glyph(int Advance, int Left, int Top, int Width, byte[] Pixels)
    {
        public int Rows => Width == 0 ? 0 : Pixels.Length * 2 / Width;

        public double At(int x, int y)
        {
            var place = (y * Width) + x;
            return (place % 2 == 0 ? Pixels[place / 2] >> 4 : Pixels[place / 2] & 15) / 15.0;
        }
    }
}
