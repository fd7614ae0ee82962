using System.Text.Json;
using MinimalMcp.Monitoring;
using MinimalMcp.Tests.Governance;
using MinimalMcp.Tests.Hub;
using MinimalMcp.Tests.Storage;

namespace MinimalMcp.Tests.Monitoring;

/// <summary>Figures over time, as <c>/api/v1/metrics/summary</c> shows them.</summary>
[Slow]
public sealed class MetricsSummaryTests(PostgresServer postgres)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Calls_are_counted_by_tool_family_client_and_outcome()
    {
        await using var server = GovernedTools.Start(new GovernedTools());
        await CallAsync(server, "look", new { }, "ann", times: 3);
        await CallAsync(server, "look", new { }, "bob");
        await CallAsync(server, "look", new { wrong = 1 }, "bob");
        await CallAsync(server, "note_that_fails", new { password = "x" }, "bob");

        foreach (var window in (string[])["15m", "1h", "24h", "7d"])
        {
            var summary = await server.GetJsonAsync($"/api/v1/metrics/summary?window={window}");
            Assert.Equal(window, summary.GetProperty("window").GetString());
            Assert.Equal(
                $"{Environment.MachineName}/{Environment.ProcessId}",
                summary.GetProperty("replica").GetString()
            );
            Assert.Equal((6, 1, 1), Counts(summary.GetProperty("total")));
            Assert.Equal((5, 0, 1), Counts(Row(summary, "tools", "look")));
            Assert.Equal((1, 1, 0), Counts(Row(summary, "tools", "note_that_fails")));
            Assert.Equal((3, 0, 0), Counts(Row(summary, "clients", "ann")));
            Assert.Equal((3, 1, 1), Counts(Row(summary, "clients", "bob")));
            var family = Row(summary, "tools", "look").GetProperty("family").GetString()!;
            Assert.Equal((6, 1, 1), Counts(Row(summary, "families", family)));
            Assert.Empty(summary.GetProperty("servers").EnumerateArray());
            var (p50, p95, p99) = (Ms("p50_ms"), Ms("p95_ms"), Ms("p99_ms"));
            Assert.True(p50 > 0 && p50 <= p95 && p95 <= p99, $"{p50} {p95} {p99}");
            var series = summary.GetProperty("series").EnumerateArray().ToArray();
            Assert.Equal(6, series.Sum(part => part.GetProperty("calls").GetInt64()));
            var times = series.Select(part => part.GetProperty("at").GetDateTimeOffset()).ToArray();
            Assert.Single(times.Zip(times.Skip(1), (one, next) => next - one).Distinct());
            var process = Assert.Single(summary.GetProperty("processes").EnumerateArray());
            Assert.True(process.GetProperty("memory_bytes").GetInt64() > 10_000_000);
            Assert.True(process.GetProperty("threads").GetInt32() > 0);
            Assert.True(summary.GetProperty("store_bytes").GetInt64() > 0);

            double Ms(string name) => summary.GetProperty("total").GetProperty(name).GetDouble();
        }

        using var wrong = await server.Http.GetAsync(
            new Uri("/api/v1/metrics/summary?window=1y", UriKind.Relative),
            Stop
        );
        Assert.Equal(400, (int)wrong.StatusCode);
    }

    [Fact]
    public async Task Tools_of_other_servers_are_counted_by_server()
    {
        await using var hub = await HubServer.StartAsync();
        await hub.CallAsync("up_echo", new { text = "hi" });
        await hub.CallAsync("echo", new { text = "hi" }, "/mcp/up");
        var summary = await hub.Server.GetJsonAsync("/api/v1/metrics/summary?window=15m");
        Assert.Equal((2, 0, 0), Counts(Row(summary, "tools", "up/echo")));
        Assert.Equal((2, 0, 0), Counts(Row(summary, "servers", "up")));
        Assert.Equal("up", Row(summary, "tools", "up/echo").GetProperty("server").GetString());
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task Figures_of_every_replica_are_summed_and_survive_its_end(Engine engine)
    {
        var folder = Directory.CreateTempSubdirectory("metrics");
        try
        {
            (string, string)[] settings =
                engine is Engine.Postgres
                    ? await engine.SettingsAsync(postgres)
                    : [("Storage:Path", Path.Combine(folder.FullName, "one.db"))];
            var first = GovernedTools.Start(new GovernedTools(), settings);
            // SQLite has one server at a time.
            var other = engine is Engine.Postgres ? GovernedTools.Start(new GovernedTools(), settings) : null;
            await CallAsync(first, "look", new { }, "ann", times: 4);
            await first.DisposeAsync();

            other ??= GovernedTools.Start(new GovernedTools(), settings);
            await using (other)
            {
                await CallAsync(other, "look", new { }, "ann", times: 3);
                foreach (var window in (string[])["15m", "1h", "24h", "7d"])
                {
                    var summary = await other.GetJsonAsync($"/api/v1/metrics/summary?window={window}");
                    Assert.Equal((7, 0, 0), Counts(Row(summary, "tools", "look")));
                    Assert.Equal((7, 0, 0), Counts(Row(summary, "clients", "ann")));
                }
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Names_beyond_the_limit_are_counted_as_other()
    {
        var table = new UsageTable(10);
        for (var i = 0; i < 1_000; i++)
        {
            table.Of($"name {i}").Record("ok", 100);
        }

        table.Of("name 3").Record("failed", 100);
        table.Of(new string('x', 100_000)).Record("ok", 100);
        Assert.Equal(11, table.All.Count());
        Assert.Equal(991, table.Of(UsageTable.Other).Calls);
        Assert.Equal(1_002, table.All.Sum(row => row.Value.Calls));
        Assert.True(table.ToJson().ToJsonString().Length < 2_000);
    }

    [Fact]
    public void Percentiles_are_off_by_less_than_an_eighth_and_sums_are_exact()
    {
        var random = new Random(20_261_129);
        var (sum, all) = (new DurationHistogram(), new List<long>());
        for (var minute = 0; minute < 20; minute++)
        {
            var one = new DurationHistogram();
            for (var i = 0; i < 500; i++)
            {
                var microseconds = (long)Math.Exp(random.NextDouble() * 18);
                one.Record(microseconds);
                all.Add(microseconds);
            }

            var read = new DurationHistogram();
            read.Add(one.ToString()); // as from the store
            sum.Add(read);
        }

        all.Sort();
        Assert.Equal(10_000, sum.Count);
        foreach (var share in (double[])[0.5, 0.95, 0.99])
        {
            var exact = all[(int)(share * all.Count) - 1] / 1000d;
            Assert.InRange(sum.Percentile(share)!.Value, exact * 7 / 8, exact * 9 / 8);
        }

        Assert.Null(new DurationHistogram().Percentile(0.5));
        var longest = new DurationHistogram();
        longest.Record(long.MaxValue);
        longest.Record(-1);
        Assert.Equal(2, longest.Count);
    }

    private static async Task CallAsync(TestServer server, string tool, object arguments, string caller, int times = 1)
    {
        for (var i = 0; i < times; i++)
        {
            await server.McpAsync("tools/call", new { name = tool, arguments }, caller: caller);
        }
    }

    private static JsonElement Row(JsonElement summary, string list, string name) =>
        summary.GetProperty(list).EnumerateArray().Single(row => row.GetProperty("name").GetString() == name);

    private static (long Calls, long Errors, long Refusals) Counts(JsonElement row) =>
        (
            row.GetProperty("calls").GetInt64(),
            row.GetProperty("errors").GetInt64(),
            row.GetProperty("refusals").GetInt64()
        );
}
