using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using MinimalMcp.Governance;
using MinimalMcp.Monitoring;
using MinimalMcp.Storage;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Monitoring;

/// <summary>
/// A server with many audit entries, sessions and open streams answers. scripts/console-load does it with a million
/// entries, and prints how long it takes.
/// </summary>
[Slow]
public sealed class ConsoleLoadTests : IDisposable
{
    private static readonly bool Full = Environment.GetEnvironmentVariable("CONSOLE_LOAD") == "full";

    private static readonly int Entries = Full ? 1_000_000 : 2_000,
        Sessions = Full ? 200 : 5,
        Calls = Full ? 20_000 : 50,
        Runs = Full ? 5 : 1;

    private const int Streams = 5;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("console-load");
    private readonly StringBuilder _figures = new("| what | median | slowest |\n|---|---|---|\n");
    private readonly string _url = $"http://127.0.0.1:{FreePort.Find()}";
    private readonly HttpClient _http;

    public ConsoleLoadTests()
    {
        _http = new() { BaseAddress = new(_url), Timeout = Wait.Limit };
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _http.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task What_consoles_read_is_answered_with_many_entries_sessions_and_streams()
    {
        var path = Path.Combine(_folder.FullName, "load.db");
        MeasureRecorder();
        await FillAsync(path);
        var settings = new Dictionary<string, string>
        {
            ["Storage__Path"] = path,
            ["Mcp__MaxSessions"] = "10000",
            ["Mcp__MaxSessionsPerCaller"] = "10000",
        };
        await using var server = ServerProcess.Start(["--urls", _url], settings);
        await ServerProcess.ReadyAsync(_http, _url);
        for (var i = 0; i < Sessions; i++)
        {
            await InitializeAsync($"client {i}");
        }

        await CallsAsync(Calls / 2); // what is compiled and loaded once is no cost of a call
        await SearchAsync();
        await ProcessorAsync();
        if (Environment.GetEnvironmentVariable("CONSOLE_LOAD_OUT") is { } file)
        {
            await File.WriteAllTextAsync(file, _figures.ToString(), Stop);
        }
    }

    // What each call pays for the figures and the list of callers.
    private void MeasureRecorder()
    {
        var recorder = new CallRecorder(new RecentCallers(TimeProvider.System), TimeProvider.System);
        var policy = new ToolPolicy(Effect.Read, RiskLevel.Low, ToolPolicy.DefaultDeadline) { Group = "family" };
        var call = new ToolCall("http", default) { ProtocolVersion = "2026-07-28" };
        string[] tools = [.. Enumerable.Range(0, 80).Select(i => $"tool_{i}")];
        var count = Full ? 2_000_000 : 2_000;
        for (var run = 0; run < 3; run++)
        {
            var started = Stopwatch.GetTimestamp();
            for (var i = 0; i < count; i++)
            {
                recorder.Ended(new EndedCall(tools[i % 80], policy, call, "ok", i, 100 + (i % 50_000)));
            }

            var each = Stopwatch.GetElapsedTime(started).TotalNanoseconds / count;
            _figures.Append(CultureInfo.InvariantCulture, $"| to record a call, run {run + 1} | {each:0} ns | |\n");
        }
    }

    private async Task SearchAsync()
    {
        var streams = await OpenAsync();
        try
        {
            foreach (
                var (what, path) in ((string, string)[])
                    [
                        ("figures of 15 minutes", "metrics/summary?window=15m"),
                        ("figures of 24 hours", "metrics/summary?window=24h"),
                        ("figures of 7 days", "metrics/summary?window=7d"),
                        ("sessions", "sessions"),
                        ("newest activity", "activity?limit=20"),
                        ("activity of one type, rare", "activity?type=server_error"),
                        ("activity of one type, none", "activity?type=approval"),
                        ("activity of one user", "activity?user=user-7"),
                        ("audit: newest", "audit"),
                        ("audit: a user", "audit?subject=user-7"),
                        ("audit: no such user", "audit?subject=nobody"),
                        ("audit: a tool, rare", "audit?tool=tool_rare"),
                        ("audit: no such tool", "audit?tool=none"),
                        ("audit: an outcome", "audit?outcome=failed"),
                        ("audit: a user and an outcome", "audit?subject=user-7&outcome=failed"),
                        ("audit: a level that none has", "audit?level=CRITICAL"),
                        ("audit: one call", "audit?call=call-77"),
                        ("audit: an hour", "audit?from=2027-01-15T10:00:00Z&to=2027-01-15T11:00:00Z"),
                    ]
            )
            {
                await MeasureAsync(what, () => GetAsync("/api/v1/" + path));
            }

            await MeasureAsync("what Overview reads, at once", () =>
                Task.WhenAll(
                    ((string[])["metrics/summary?window=24h", "sessions", "activity?limit=20", "approvals"]).Select(
                        path => GetAsync("/api/v1/" + path)
                    )
                )
            );
        }
        finally
        {
            streams.ForEach(stream => stream.Dispose());
        }
    }

    // Of the server alone: the client is another process.
    private async Task ProcessorAsync()
    {
        var (without, with) = (new List<double>(), new List<double>());
        for (var run = 0; run < Runs; run++)
        {
            without.Add(await CallsAsync(Calls));
            var streams = await OpenAsync();
            with.Add(await CallsAsync(Calls));
            streams.ForEach(stream => stream.Dispose());
        }

        var (before, after) = (Median(without), Median(with));
        _figures.Append(
            CultureInfo.InvariantCulture,
            $"""

            Processor time of a tool call in µs, {Runs} alternating runs of {Calls}:

            | streams | median | runs |
            |---|---|---|
            | none | {before:0.0} | {string.Join(' ', without.Select(Text))} |
            | {Streams} | {after:0.0} | {string.Join(' ', with.Select(Text))} |

            {((after / before) - 1) * 100:+0.0;-0.0} percent with {Streams} streams. {Entries} audit entries,
            {Sessions} sessions.

            """
        );

        static string Text(double time) => time.ToString("0.0", CultureInfo.InvariantCulture);
    }

    private async Task MeasureAsync(string what, Func<Task> ask)
    {
        var times = new List<double>();
        for (var i = 0; i < (Full ? 7 : 2); i++)
        {
            var started = Stopwatch.GetTimestamp();
            await ask();
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        _figures.Append(CultureInfo.InvariantCulture, $"| {what} | {Median(times):0} ms | {times.Max():0} ms |\n");
    }

    private async Task<List<Events>> OpenAsync()
    {
        var streams = new List<Events>();
        for (var i = 0; i < Streams; i++)
        {
            var stream = new Events(
                await _http.GetAsync(
                    new Uri("/api/v1/activity/stream", UriKind.Relative),
                    HttpCompletionOption.ResponseHeadersRead,
                    Stop
                )
            );
            Assert.Equal(": connected", await stream.LineAsync());
            _ = ReadAsync(stream);
            streams.Add(stream);
        }

        return streams;

        static async Task ReadAsync(Events stream)
        {
            try
            {
                while (await stream.LineAsync() is not null) { }
            }
            catch (Exception closed) when (closed is IOException or ObjectDisposedException or HttpRequestException) { }
        }
    }

    /// <summary>Gives the processor time of the server for one call, in microseconds.</summary>
    private async Task<double> CallsAsync(int count)
    {
        var before = await ProcessorTimeAsync();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, count),
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Stop },
            async (_, stop) =>
            {
                using var answer = await _http.PostAsJsonAsync("/tools/search_products", new { query = "milk" }, stop);
                Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(stop));
            }
        );
        return (await ProcessorTimeAsync() - before) / count * 1_000_000;
    }

    private async Task<double> ProcessorTimeAsync()
    {
        const string Name = "\nprocess_cpu_seconds_total ";
        var metrics = await _http.GetStringAsync(new Uri("/metrics", UriKind.Relative), Stop);
        var start = metrics.IndexOf(Name, StringComparison.Ordinal) + Name.Length;
        return double.Parse(metrics[start..metrics.IndexOf('\n', start)], CultureInfo.InvariantCulture);
    }

    private async Task InitializeAsync(string name)
    {
        using var answer = await _http.PostAsJsonAsync(
            "/mcp",
            new
            {
                jsonrpc = "2.0",
                id = 1,
                method = "initialize",
                @params = new
                {
                    protocolVersion = "2025-11-25",
                    capabilities = new { },
                    clientInfo = new { name, version = "1" },
                },
            },
            Stop
        );
        Assert.True(answer.Headers.Contains("Mcp-Session-Id"));
    }

    private async Task<JsonElement> GetAsync(string path) =>
        await _http.GetFromJsonAsync<JsonElement>(new Uri(path, UriKind.Relative), Stop);

    // A month of calls: by 200 users, of 80 tools, and some that failed.
    private async Task FillAsync(string path)
    {
        await using var store = new Store(new SqliteDatabase(path));
        await store.OpenAsync(Stop);
        var random = new Random(20_261_129);
        var begin = new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var started = Stopwatch.GetTimestamp();
        for (var next = 0; next < Entries; )
        {
            var batch = Enumerable.Range(next, Math.Min(256, Entries - next)).Select(Entry).ToArray();
            await store.AppendAuditAsync(batch, Stop);
            next += batch.Length;
        }

        var each = Stopwatch.GetElapsedTime(started).TotalMicroseconds / Entries;
        _figures.Append(CultureInfo.InvariantCulture, $"| an audit entry, appended in batches | {each:0} µs | |\n");
        var periods = Enumerable.Range(0, 7 * 24 * 6).Select(Period).ToArray();
        await store.WriteMetricsAsync(periods, Stop);

        AuditEntry Entry(int n) =>
            new()
            {
                At = begin.AddSeconds(n * 2.5).ToUnixTimeMilliseconds(),
                Phase = "done",
                CallId = $"call-{n}",
                Subject = $"user-{random.Next(200)}",
                Client = "client",
                Address = "192.0.2.1",
                Surface = "http",
                Tool = n == 1_000 ? "tool_rare" : $"tool_{random.Next(80)}",
                Level = "LOW",
                Arguments = $$"""{"query":"{{new string('x', random.Next(5, 120))}}"}""",
                Outcome = random.Next(50) == 0 ? "failed" : "ok",
                DurationUs = random.Next(100, 90_000),
            };
    }

    // Ten minutes of 80 tools and 100 clients, a week of them.
    private static MetricsRow Period(int n)
    {
        var at = DateTimeOffset.UtcNow.AddMinutes(-10 * (n + 1)).ToUnixTimeMilliseconds() / 600_000 * 600_000;
        var period = new UsagePeriod(DateTimeOffset.FromUnixTimeMilliseconds(at));
        for (var i = 0; i < 500; i++)
        {
            period.Tools.Of($"tool_{i % 80}", $"family_{i % 12}").Record("ok", 100 + (i * 37 % 50_000));
            period.Clients.Of($"client_{i % 100}").Record("ok", 100 + (i * 37 % 50_000));
        }

        return new()
        {
            Seconds = 600,
            At = at,
            Replica = "another/1",
            Figures = period.ToJson(),
        };
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(values.Count() / 2);
}
