using System.Buffers.Binary;
using System.IO.Compression;
using MinimalMcp.Charts;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Charts;

/// <summary>The pictures: each is also kept in artifacts/charts, to be looked at.</summary>
public sealed class ChartTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 20, 21, 30, 0, TimeSpan.Zero);

    private static readonly Dictionary<string, Func<LineChart>> Cases = new()
    {
        ["one"] = () => Of("sum(rate(http_requests_total[5m]))", "", Wave("requests", 40, 12)),
        ["twelve"] = () =>
            Of(
                "sum by (instance) (process_resident_memory_bytes)",
                "B",
                [.. Enumerable.Range(1, 12).Select(i => Wave($"instance=10.0.0.{i}:9100", i * 3e8, 5e7))]
            ),
        ["more than can be drawn"] = () => Of("up", "", [.. Enumerable.Range(1, 30).Select(i => Wave($"{i}", i, 0.2))]),
        ["gaps"] = () =>
            Of(
                "up",
                "",
                new Line(
                    "a target that comes and goes",
                    [
                        .. Enumerable
                            .Range(0, 121)
                            .Select(i =>
                                i % 40 is > 25 and < 33 ? double.NaN
                                : i == 60 ? double.NaN
                                : i % 7
                            ),
                    ]
                )
            ),
        ["alone between gaps"] = () =>
            Of("absent", "", new Line("dots", [.. Enumerable.Range(0, 121).Select(i => i % 10 == 0 ? i : double.NaN)])),
        ["nothing"] = () =>
            Of(
                "no such metric",
                "",
                new Line("only NaN", [double.NaN, double.PositiveInfinity, double.NegativeInfinity])
            ),
        ["no lines"] = () => Of("empty", ""),
        ["negative"] = () => Of("delta(node_load1[5m])", "", Wave("falls below zero", 0, 3)),
        ["huge"] = () =>
            Of(
                "huge",
                "",
                new Line("up to 1e250", [.. Enumerable.Range(0, 121).Select(i => Math.Pow(10, i * 2) * 1e10)])
            ),
        ["tiny"] = () => Of("rate(process_cpu_seconds_total[1m])", "s", Wave("user", 0.0000042, 0.000001)),
        ["flat"] = () => Of("up", "", new Line("always one", [.. Enumerable.Repeat(1.0, 121)])),
        ["flat zero"] = () => Of("errors", "B/s", new Line("none", [.. Enumerable.Repeat(0.0, 121)])),
        ["beyond all numbers"] = () => Of("max", "", new Line("too large", [double.MaxValue, -double.MaxValue, 5])),
        ["one point"] = () => Of("once", "", new Line("a dot", [7])),
        ["names of all kinds"] = () =>
            Of(
                "größe{ort=\"Köln\"} \n\t über Ελλάδα и Москва 東京 " + new string('x', 300),
                "",
                Wave("Größe, Άλφα, Йота, 東京 and a very long name " + new string('y', 200), 5, 1),
                Wave("", 3, 1),
                Wave("\0\u202e\ud800", 2, 1)
            ),
        ["over years"] = () =>
            new("slow", new(Start.AddYears(-4), Start, TimeSpan.FromDays(14)), [Wave("two years", 5, 1)]),
        ["over seconds"] = () =>
            new(
                "fast",
                new(Start, Start.AddSeconds(40), TimeSpan.FromSeconds(1)),
                [new("a", [.. Enumerable.Range(0, 41).Select(i => (double)i)])]
            ),
        ["with times of its own"] = () =>
            new(
                "frames",
                new(Start, Start.AddHours(1), TimeSpan.FromMinutes(1)),
                [
                    new(
                        "from Grafana",
                        [1, 2, 3, 2],
                        [Start, Start.AddMinutes(1), Start.AddMinutes(40), Start.AddMinutes(41)]
                    ),
                ]
            ),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory, MemberData(nameof(Names))]
    public async Task A_chart_is_a_picture_that_can_be_read(string name)
    {
        var png = Cases[name]().ToPng();

        var folder = Directory.CreateDirectory(Path.Combine(ClientProcess.Root, "artifacts", "charts"));
        await File.WriteAllBytesAsync(
            Path.Combine(folder.FullName, name.Replace(' ', '-') + ".png"),
            png,
            TestContext.Current.CancellationToken
        );
        var (width, height, pixels) = Decode(png);
        Assert.Equal(960, width);
        Assert.InRange(height, 370, 560);
        // With the numbers it must fit into 100,000 characters, four for each three bytes.
        Assert.InRange(png.Length, 1000, 36_000);
        // Paper, ink and something between: letters are drawn.
        Assert.True(Colours(pixels).Count > 5);
    }

    [Fact]
    public void Each_line_has_a_colour_of_its_own_and_a_gap_shows_the_paper()
    {
        var (width, _, pixels) = Decode(
            Of("x", "", new Line("a", [.. Enumerable.Range(0, 121).Select(i => i is > 40 and < 80 ? double.NaN : 1)]))
                .ToPng()
        );

        // The middle, where a flat line runs.
        var row = Enumerable.Range(0, width).Select(x => Pixel(pixels, width, x, 184)).ToArray();
        Assert.Equal((0x1F6FB4, 0x1F6FB4), (row[100], row[width - 30]));
        Assert.DoesNotContain(0x1F6FB4, row[400..600]);
    }

    [Theory]
    [InlineData(1536, "B", "1.5 KiB")]
    [InlineData(20971520, "B/s", "20 MiB/s")]
    [InlineData(0.005, "s", "5 ms")]
    [InlineData(1500000, "", "1.5 M")]
    [InlineData(99.5, "%", "99.5%")]
    [InlineData(-2500, "", "-2.5 k")]
    [InlineData(3e250, "", "3e250")]
    [InlineData(0, "B", "0 B")]
    public void A_number_is_written_with_its_unit(double value, string unit, string text) =>
        Assert.Equal(text, new ValueAxis([0, value], unit).Show(value, exact: true));

    [Fact]
    public void Ticks_are_few_round_and_include_all_values()
    {
        var random = new Random(42);
        for (var i = 0; i < 2000; i++)
        {
            var size = Math.Pow(10, random.Next(-12, 200));
            double[] values = [(random.NextDouble() - 0.5) * size, (random.NextDouble() - 0.5) * size];
            var scale = new ValueAxis(values, i % 2 == 0 ? "B" : "");

            Assert.InRange(scale.Ticks().Count(), 2, 13);
            Assert.True(scale.Low <= values.Min() && scale.High >= values.Max(), $"{values[0]} {values[1]}");
        }
    }

    [Fact]
    public void Names_are_what_tells_series_apart()
    {
        Dictionary<string, string> a =
                new()
                {
                    ["__name__"] = "up",
                    ["job"] = "node",
                    ["instance"] = "a",
                },
            b = new(a) { ["instance"] = "b" },
            c = new(a) { ["__name__"] = "down" };

        Assert.Equal(["a", "b"], Legend.Names([a, b]));
        Assert.Equal(["up", "down"], Legend.Names([a, c]));
        Assert.Equal(["up {instance=a, job=node}"], Legend.Names([a]));
        Assert.Equal(["value"], Legend.Names([new Dictionary<string, string>()]));
    }

    [Fact]
    public void The_largest_lines_are_drawn_in_their_order()
    {
        Line[] lines = [.. Enumerable.Range(0, 30).Select(i => new Line($"{i}", [i % 2 == 0 ? -i : i, double.NaN]))];

        Assert.Equal(lines[18..], LineChart.Largest(lines));
        Assert.Equal(lines[..12], LineChart.Largest(lines[..12]));
    }

    private static LineChart Of(string title, string unit, params Line[] lines) =>
        new(title, new(Start, Start.AddHours(6), TimeSpan.FromMinutes(3)), lines) { Unit = unit };

    private static Line Wave(string name, double middle, double swing) =>
        new(
            name,
            [
                .. Enumerable
                    .Range(0, 121)
                    .Select(i =>
                        middle + (swing * Math.Sin((i / 9.0) + name.Length + middle)) + (swing / 5 * Math.Cos(i * 1.7))
                    ),
            ]
        );

    // Written by hand, so that the pictures are judged by something that did not make them.
    private static (int Width, int Height, byte[] Pixels) Decode(byte[] png)
    {
        var (place, width, height) = (8, 0, 0);
        var palette = Array.Empty<byte>();
        using var data = new MemoryStream();
        while (place < png.Length)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(place));
            var chunk = png.AsSpan(place + 8, length);
            switch (System.Text.Encoding.ASCII.GetString(png, place + 4, 4))
            {
                case "IHDR":
                    (width, height) = (
                        BinaryPrimitives.ReadInt32BigEndian(chunk),
                        BinaryPrimitives.ReadInt32BigEndian(chunk[4..])
                    );
                    break;
                case "PLTE":
                    palette = chunk.ToArray();
                    break;
                case "IDAT":
                    data.Write(chunk);
                    break;
            }

            place += length + 12;
        }

        data.Position = 0;
        using var rows = new MemoryStream();
        using (var zlib = new ZLibStream(data, CompressionMode.Decompress))
        {
            zlib.CopyTo(rows);
        }

        Assert.Equal(height * (width + 1), rows.Length);
        var bytes = rows.ToArray();
        return (
            width,
            height,
            [
                .. Enumerable
                    .Range(0, height)
                    .SelectMany(row => bytes.AsSpan((row * (width + 1)) + 1, width).ToArray())
                    .SelectMany(place => palette.AsSpan(place * 3, 3).ToArray()),
            ]
        );
    }

    private static HashSet<int> Colours(byte[] pixels) =>
        [.. Enumerable.Range(0, pixels.Length / 3).Select(i => Pixel(pixels, 1, 0, i))];

    private static int Pixel(byte[] pixels, int width, int x, int y) =>
        ((y * width) + x) * 3 is var place ? (pixels[place] << 16) | (pixels[place + 1] << 8) | pixels[place + 2] : 0;
}
