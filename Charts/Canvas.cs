namespace MinimalMcp.Charts;

/// <summary>Pixels, and the few things that a chart draws on them. What would be outside is left out.</summary>
internal sealed class Canvas
{
    private readonly byte[] _pixels;

    public Canvas(int width, int height, int background)
    {
        (Width, Height) = (width, height);
        _pixels = new byte[width * height * 3];
        Fill(0, 0, width, height, background);
    }

    public int Width { get; }

    public int Height { get; }

    /// <param name="colour">As 0xRRGGBB.</param>
    public void Fill(int x, int y, int width, int height, int colour)
    {
        for (var row = Math.Max(y, 0); row < Math.Min(y + height, Height); row++)
        {
            for (var column = Math.Max(x, 0); column < Math.Min(x + width, Width); column++)
            {
                Blend(column, row, colour, 1);
            }
        }
    }

    /// <summary>Text whose top left is there.</summary>
    public void Text(int x, int y, string text, int colour)
    {
        foreach (var letter in text)
        {
            var glyph = Glyphs.Of(letter);
            for (var row = 0; row < glyph.Rows; row++)
            {
                for (var column = 0; column < glyph.Width; column++)
                {
                    Blend(x + glyph.Left + column, y + glyph.Top + row, colour, glyph.At(column, row));
                }
            }

            x += glyph.Advance;
        }
    }

    /// <summary>
    /// A line through the points, broken where one is NaN; a point without neighbours is a dot. Each pixel is covered
    /// by how near it is to the line, and once for the whole line, so that the joints are not darker.
    /// </summary>
    public void Polyline(IReadOnlyList<(double X, double Y)> points, int colour, double thickness)
    {
        var covered = new float[Width * Height];
        for (var i = 0; i < points.Count; i++)
        {
            var (here, isFirst) = (points[i], i == 0 || double.IsNaN(points[i - 1].Y));
            if (double.IsNaN(here.Y))
            {
                continue;
            }

            if (!isFirst)
            {
                Cover(covered, points[i - 1], here, thickness / 2);
            }
            else if (i == points.Count - 1 || double.IsNaN(points[i + 1].Y))
            {
                Cover(covered, here, here, thickness * 1.4);
            }
        }

        for (var place = 0; place < covered.Length; place++)
        {
            if (covered[place] > 0)
            {
                Blend(place % Width, place / Width, colour, covered[place]);
            }
        }
    }

    public byte[] ToPng() => Png.Encode(_pixels, Width, Height);

    private void Cover(float[] covered, (double X, double Y) from, (double X, double Y) to, double radius)
    {
        var (dx, dy) = (to.X - from.X, to.Y - from.Y);
        var length = (dx * dx) + (dy * dy);
        var (left, right) = (
            Math.Max(0, (int)(Math.Min(from.X, to.X) - radius - 1)),
            Math.Min(Width - 1, (int)(Math.Max(from.X, to.X) + radius + 1))
        );
        var (top, bottom) = (
            Math.Max(0, (int)(Math.Min(from.Y, to.Y) - radius - 1)),
            Math.Min(Height - 1, (int)(Math.Max(from.Y, to.Y) + radius + 1))
        );
        for (var y = top; y <= bottom; y++)
        {
            for (var x = left; x <= right; x++)
            {
                // The distance from the pixel's middle to the nearest point of the segment.
                var (px, py) = (x + 0.5 - from.X, y + 0.5 - from.Y);
                var along = length == 0 ? 0 : Math.Clamp(((px * dx) + (py * dy)) / length, 0, 1);
                var distance = Math.Sqrt(
                    ((px - (along * dx)) * (px - (along * dx))) + ((py - (along * dy)) * (py - (along * dy)))
                );
                var cover = (float)Math.Clamp(radius + 0.5 - distance, 0, 1);
                covered[(y * Width) + x] = Math.Max(covered[(y * Width) + x], cover);
            }
        }
    }

    private void Blend(int x, int y, int colour, double cover)
    {
        if (cover <= 0 || x < 0 || y < 0 || x >= Width || y >= Height)
        {
            return;
        }

        var place = ((y * Width) + x) * 3;
        for (var channel = 0; channel < 3; channel++)
        {
            var value = (colour >> (16 - (8 * channel))) & 255;
            _pixels[place + channel] = (byte)
                Math.Round(_pixels[place + channel] + ((value - _pixels[place + channel]) * cover));
        }
    }
}
