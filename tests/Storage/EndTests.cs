using System.Net;
using System.Net.Http.Json;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Storage;

/// <summary>
/// The server ends in the middle of its work: what it acknowledged is on record, and nothing is half there.
/// </summary>
[Slow(Minutes = true)]
public sealed class EndTests(ITestOutputHelper output) : IDisposable
{
    private const int Rounds = 20;

    private readonly string _folder = Directory.CreateTempSubdirectory("end").FullName;
    private readonly HttpClient _http = new(
        new SocketsHttpHandler { PooledConnectionIdleTimeout = TimeSpan.FromSeconds(1) }
    );

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _http.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Killed_twenty_times_under_load_it_misses_no_acknowledged_call_and_the_chain_holds()
    {
        var acknowledged = new HashSet<string>();
        for (var round = 0; round < Rounds; round++)
        {
            await using var server = await StartAsync();
            var load = Load($"{round}");
            await load.MoreAsync(50 + (round * 7)); // at another moment each time
            await server.Process.KillAsync();
            await load.EndAsync();
            acknowledged.UnionWith(load.Done);
        }

        await using var last = await StartAsync();
        var rows = await NotedCalls.RecordedAsync(_http, last.Url);
        output.WriteLine($"{Rounds} rounds, {acknowledged.Count} acknowledged calls, {rows.Count} rows");
        Assert.Empty(acknowledged.Except(rows.Where(row => row.Phase == "outcome").Select(row => row.Name)));
        Assert.Empty(
            rows.Where(row => row.Phase == "outcome")
                .Select(row => row.Call)
                .Except(rows.Where(row => row.Phase == "intent").Select(row => row.Call))
        );
        var (exitCode, verdict, _) = await ServerProcess.RunAsync(["verify-audit"], Environment);
        Assert.True(exitCode == 0, verdict);
    }

    [Fact]
    public async Task Asked_to_end_under_load_it_finishes_what_is_under_way_and_records_it()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM");
        await using var server = await StartAsync();
        var load = Load("term");
        await load.MoreAsync(300);

        var exitCode = await server.Process.TerminateAsync();
        await load.EndAsync();

        Assert.Equal(0, exitCode);
        await using var after = await StartAsync();
        var rows = await NotedCalls.RecordedAsync(_http, after.Url);
        output.WriteLine($"{load.Done.Count} calls acknowledged, {rows.Count(row => row.Phase == "outcome")} recorded");
        // each that happened was answered
        Assert.Equal(load.Done.Order(), rows.Where(row => row.Phase == "outcome").Select(row => row.Name).Order());
        // and none was begun and dropped
        Assert.Equal(load.Done.Order(), rows.Where(row => row.Phase == "intent").Select(row => row.Name).Order());
    }

    [Fact]
    public async Task While_it_drains_it_is_not_ready_and_still_answers()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM");
        await using var server = await StartAsync("--Server:DrainDelay=00:00:05");

        var ending = server.Process.TerminateAsync();
        string status;
        do
        {
            status = await (await _http.GetAsync(new Uri(_url + "/health/ready"), Stop)).Content.ReadAsStringAsync(
                Stop
            );
        } while (!status.Contains("stopping", StringComparison.Ordinal));
        using var call = await _http.PostAsJsonAsync(_url + "/tools/pick_note", new { code = "milk" }, Stop);

        Assert.Equal(HttpStatusCode.OK, call.StatusCode);
        Assert.True(call.Headers.ConnectionClose); // the next call of this caller goes to another replica
        Assert.Equal(0, await ending);
    }

    private Dictionary<string, string> Environment =>
        new(ProgramTools.Notes) { ["Storage__Path"] = Path.Combine(_folder, "store.db") };

    private async Task<Running> StartAsync(params string[] arguments)
    {
        var url = $"http://127.0.0.1:{FreePort.Find()}";
        var server = new Running(ServerProcess.Start(["--urls", url, .. arguments], Environment), url);
        await ServerProcess.ReadyAsync(_http, url);
        _url = url;
        return server;
    }

    private string _url = "";

    private NotedCalls Load(string name) => NotedCalls.Start(_http, _url, name, goesOn: false);

    private sealed record Running(ServerProcess Process, string Url) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => Process.DisposeAsync();
    }
}
