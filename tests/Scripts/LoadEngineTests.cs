using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using MinimalMcp.Load;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Scripts;

/// <summary>The parts of tests/Load that decide whether its numbers can be believed.</summary>
public sealed class LoadEngineTests
{
    public static TheoryData<double, double> Percentiles =>
        new MatrixTheoryData<double, double>([1, 25, 50, 90, 99, 99.9, 100], [1, 37, 1234, 98_765, 4_000_000]);

    [Theory, MemberData(nameof(Percentiles))]
    public void A_percentile_is_less_than_half_a_percent_from_the_true_one(double percent, double microseconds)
    {
        var (histogram, random, values) = (new Histogram(), new Random(7), new List<double>());
        for (var i = 0; i < 10_000; i++)
        {
            values.Add(Math.Round(microseconds * (0.5 + random.NextDouble()), 1)); // a tick is a tenth of a microsecond
            histogram.Record(TimeSpan.FromMicroseconds(values[^1]));
        }

        values.Sort();
        var truth = values[Math.Max(1, (int)Math.Ceiling(values.Count * percent / 100)) - 1];
        Assert.InRange(histogram.Percentile(percent).TotalMicroseconds, truth * 0.996 - 0.1, truth * 1.004 + 0.1);
        Assert.Equal(values.Max(), histogram.Max.TotalMicroseconds, 0.11);
        Assert.Equal(values.Average(), histogram.Mean.TotalMicroseconds, 0.11);
    }

    [Fact]
    public void A_histogram_takes_what_cannot_be()
    {
        var histogram = new Histogram();
        Assert.Equal(TimeSpan.Zero, histogram.Percentile(99));
        histogram.Record(TimeSpan.FromTicks(-5)); // a clock that went back
        histogram.Record(TimeSpan.MaxValue);
        Assert.Equal((2, TimeSpan.Zero, TimeSpan.MaxValue), (histogram.Count, histogram.Percentile(50), histogram.Max));
    }

    [Theory]
    [InlineData("rest.p99<20ms", "rest.p99", "<", 20, 19.9, 20)]
    [InlineData("rest.p99.9 <= 1.5 s", "rest.p99.9", "<=", 1500, 1500, 1501)]
    [InlineData("rest.p50 < 300 us", "rest.p50", "<", 0.3, 0.29, 0.31)]
    [InlineData("*.fail <= 0 %", "*.fail", "<=", 0, 0, 0.001)]
    [InlineData("rest.rate >= 100/s", "rest.rate", ">=", 100, 100, 99)]
    [InlineData("ratio.2025-11-25.p99 <= 2", "ratio.2025-11-25.p99", "<=", 2, 2, 2.1)]
    [InlineData("allocated.2025-11-25.governed < 4 KiB", "allocated.2025-11-25.governed", "<", 4096, 4095, 4096)]
    [InlineData("conversations.call.max>1ms", "conversations.call.max", ">", 1, 2, 1)]
    public void A_threshold_is_read(
        string text,
        string subject,
        string comparison,
        double limit,
        double good,
        double bad
    )
    {
        var threshold = Threshold.Parse(text);

        Assert.Equal((subject, comparison, limit), (threshold.Subject, threshold.Comparison, threshold.Limit));
        Assert.True(threshold.Holds(good));
        Assert.False(threshold.Holds(bad));
    }

    [Theory]
    [InlineData("rest.p99", "is no threshold: write a name, a comparison and a limit")]
    [InlineData("rest.p99 = 20 ms", "is no threshold")]
    [InlineData("rest.p99 < fast", "is no threshold")]
    [InlineData("", "is no threshold")]
    [InlineData("rest.p99 < 20", "a latency has a time such as 20 ms")]
    [InlineData("rest.rate > 20 ms", "nothing else has one")]
    [InlineData("rest.p99 < 20 parsecs", "the units are us, µs, ms, s")]
    public void A_threshold_that_makes_no_sense_is_refused_with_the_way_to_write_it(string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<InvalidOperationException>(() => Threshold.Parse(text)).Message);

    [Fact]
    public void A_threshold_of_what_was_not_measured_is_broken()
    {
        var report = new LoadReport
        {
            Started = default,
            Machine = "",
            Target = "",
            Figures = { new("ratio.start", 2.5, "x", "") },
        };

        Assert.Equal(
            [new("ratio.start < 3", "ratio.start", 2.5, Met: true)],
            Threshold.Parse("ratio.start < 3").Judge(report)
        );
        Assert.Equal(
            [new("ratio.strat < 3", "ratio.strat", null, Met: false)],
            Threshold.Parse("ratio.strat < 3").Judge(report)
        );
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(1, 2, 0)] // on the way up to 10 a second: 2.5 a second on average
    [InlineData(2, 10, 0)]
    [InlineData(4, 30, 0)]
    [InlineData(4.6, 30, 4)]
    [InlineData(5, 30, 4)]
    [InlineData(5.5, 30, 6)] // half of the way from 4 to 7
    [InlineData(7, 30, 0)]
    public void Simulations_follow_each_other(double seconds, long arrivals, int copies)
    {
        var profile = new LoadProfile(
            Simulation.RampingInject(10, TimeSpan.FromSeconds(1), Seconds(2)),
            Simulation.Inject(10, TimeSpan.FromSeconds(1), Seconds(2)),
            Simulation.Pause(Seconds(0.5)),
            Simulation.KeepConstant(4, Seconds(0.5)),
            Simulation.RampingConstant(7, Seconds(1))
        );

        Assert.Equal(arrivals, profile.Arrivals(Seconds(seconds)));
        Assert.Equal(copies, profile.Copies(Seconds(seconds)));
        Assert.Equal(Seconds(6), profile.Duration);
    }

    [Fact]
    public async Task Calls_that_a_stall_kept_waiting_are_sent_and_counted_from_when_they_were_due()
    {
        var stall = new Lazy<Task>(() => Task.Delay(1000));
        await using var app = WebApplication.CreateSlimBuilder(["--urls", "http://127.0.0.1:0"]).Build();
        app.MapGet("/", async () =>
        {
            await stall.Value; // all of the first second
            return Results.Ok();
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        var request = new Target(new(app.Urls.Single()), null).Request(Call.Get("/"));

        var runs = await LoadRunner.RunAsync([
            Scenario
                .Create("stalled", context => context.SendAsync(request))
                .WithLoadSimulations(Simulation.Inject(100, TimeSpan.FromSeconds(1), Seconds(2))),
        ]);

        var stats = runs.Single().Stats;
        Assert.Equal((200, 0), (stats.Ok, stats.Fail)); // a closed model would have sent as few as it has copies
        // half of them waited, half a second on average
        Assert.InRange(stats.Latencies.Percentile(75), TimeSpan.FromMilliseconds(400), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task What_fails_is_counted_by_its_reason_and_has_no_latency()
    {
        var runs = await LoadRunner.RunAsync([
            Scenario
                .Create("throws", _ => throw new InvalidOperationException("by turns"))
                .WithLoadSimulations(Simulation.Inject(50, TimeSpan.FromSeconds(1), Seconds(0.2))),
            Scenario
                .Create("steps", async context =>
                    await Step.Run("first", context, () => new(Response.Fail("HTTP 500")))
                )
                .WithLoadSimulations(Simulation.KeepConstant(1, Seconds(0.2))),
        ]);

        Assert.Equal([KeyValuePair.Create("by turns", 10L)], runs[0].Stats.Failures);
        Assert.Equal(0, runs[0].Stats.Latencies.Count);
        Assert.Equal(runs[1].Stats.Fail, runs[1].Stats.Step("first").Fail);
        Assert.True(runs[1].Stats.Fail > 0);
    }

    [Fact]
    public void The_slope_of_a_memory_that_grows_is_found_and_its_error_said()
    {
        var (slope, error) = Soak.Slope([.. Enumerable.Range(0, 100).Select(i => ((double)i, 5 + 0.25 * i + (i % 2)))]);

        Assert.InRange(slope, 0.25 - error, 0.25 + error);
        Assert.InRange(error, 0.0001, 0.05);
    }

    [Fact]
    public void The_page_shows_a_scenario_that_is_compiled_here() =>
        Assert.Contains(
            File.ReadAllText(Path.Combine(ClientProcess.Root, "tests", "Load", "Scenarios", "Lists.cs")),
            File.ReadAllText(Path.Combine(ClientProcess.Root, "docs", "operate", "load-test.md"))
        );

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
