using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using MinimalMcp.Storage;
using MinimalMcp.Tests.Governance;
using Npgsql;

namespace MinimalMcp.Tests.Storage;

/// <summary>
/// PostgreSQL goes away and comes back: calls fail only meanwhile, nothing is done twice, and none that was
/// acknowledged is missing.
/// </summary>
[Slow]
public sealed class PostgresFaultTests(PostgresServer postgres, ITestOutputHelper output)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Restarted_under_load_only_calls_of_that_time_fail_and_none_is_lost_or_done_twice()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGQUIT");
        await using var database = new PostgresServer();
        var tools = new GovernedTools();
        await using var server = GovernedTools.Start(
            tools,
            ("Storage:ConnectionString", await database.NewDatabaseAsync(patient: false))
        );
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var calls = new ConcurrentBag<(string Text, HttpStatusCode Status, long Started, long Ended)>();
        var load = Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(worker =>
                    Task.Run(
                        async () =>
                        {
                            for (var n = 0; !enough.IsCancellationRequested; n++)
                            {
                                var (text, started) = ($"{worker}-{n}", Stopwatch.GetTimestamp());
                                using var response = await NoteAsync(server, text);
                                calls.Add((text, response.StatusCode, started, Stopwatch.GetTimestamp()));
                            }
                        },
                        Stop
                    )
                )
        );

        await UntilAsync(200);
        var down = Stopwatch.GetTimestamp();
        await database.RestartAsync();
        var up = Stopwatch.GetTimestamp();
        await UntilAsync(Done() + 200);
        await enough.CancelAsync();
        await load;

        var failed = calls.Where(call => call.Status != HttpStatusCode.OK).ToArray();
        var latest = failed.Select(call => Stopwatch.GetElapsedTime(up, call.Started).TotalMilliseconds);
        output.WriteLine(
            $"{calls.Count} calls, {failed.Length} failed; down for "
                + $"{Stopwatch.GetElapsedTime(down, up).TotalMilliseconds:0} ms, the last failure began "
                + $"{latest.DefaultIfEmpty().Max():0} ms after it was up"
        );
        Assert.NotEmpty(failed);
        // from then on none may fail
        var back = calls.Where(call => call.Status == HttpStatusCode.OK && call.Started > up).Min(call => call.Ended);
        Assert.All(failed, call =>
            Assert.Equal(
                (HttpStatusCode.ServiceUnavailable, true),
                (call.Status, call.Ended >= down && call.Started <= back)
            )
        );

        var acknowledged = calls.Where(call => call.Status == HttpStatusCode.OK).Select(call => call.Text).ToArray();
        Assert.Equal(tools.Said.Count, tools.Said.Distinct().Count());
        Assert.Equal(acknowledged.Order(), tools.Said.Order());
        var rows = await RowsAsync(server);
        var outcomes = rows.Where(row => Text(row, "phase") == "outcome")
            .Select(row => Text(row, "call_id"))
            .ToHashSet();
        var recorded = rows.Where(row => Text(row, "phase") == "intent" && outcomes.Contains(Text(row, "call_id")))
            .Select(row => row.GetProperty("arguments").GetProperty("text").GetString()!)
            .ToHashSet();
        Assert.Empty(acknowledged.Except(recorded));
        Assert.Null((await server.Services.GetRequiredService<Store>().VerifyAuditAsync(Stop)).Problem);

        int Done() => calls.Count(call => call.Status == HttpStatusCode.OK);

        async Task UntilAsync(int done)
        {
            while (Done() < done)
            {
                Assert.False(load.IsCompleted, $"{load.Exception}");
                await Task.Delay(5, Stop); // the callers need the processor
            }
        }
    }

    [Fact]
    public async Task Cut_off_from_it_changes_are_refused_and_go_on_by_themselves_when_it_is_back()
    {
        var connection = new NpgsqlConnectionStringBuilder(await postgres.NewDatabaseAsync(patient: false));
        await using var relay = new Relay(connection.Port);
        connection.Port = relay.Port;
        var tools = new GovernedTools();
        await using var server = GovernedTools.Start(tools, ("Storage:ConnectionString", connection.ConnectionString));
        await Task.WhenAll(Enumerable.Range(0, 20).Select(n => NoteAsync(server, $"before {n}")));
        Assert.Equal(20, tools.Said.Count);

        relay.Break();
        var refused = await Task.WhenAll(
            Enumerable
                .Range(0, 20)
                .Select(async n =>
                {
                    var started = Stopwatch.GetTimestamp();
                    using var response = await NoteAsync(server, $"cut off {n}");
                    return (response.StatusCode, Took: Stopwatch.GetElapsedTime(started));
                })
        );
        output.WriteLine(
            $"refused after {refused.Min(call => call.Took).TotalSeconds:0.0} to "
                + $"{refused.Max(call => call.Took).TotalSeconds:0.0} s"
        );
        Assert.All(refused, call => Assert.Equal(HttpStatusCode.ServiceUnavailable, call.StatusCode));
        using var read = await server.PostAsync("/tools/look", "{}");
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        Assert.DoesNotContain(tools.Said, said => said.StartsWith("cut off", StringComparison.Ordinal));

        relay.Mend();
        HttpStatusCode status;
        do
        {
            using var again = await NoteAsync(server, "again");
            status = again.StatusCode;
        } while (status != HttpStatusCode.OK);
        Assert.Null((await server.Services.GetRequiredService<Store>().VerifyAuditAsync(Stop)).Problem);
    }

    [Fact]
    public async Task A_replica_that_vanishes_within_a_write_holds_up_the_others_for_seconds_only()
    {
        var database = await postgres.NewDatabaseAsync(patient: false);
        await using var other = new Store(new PostgresDatabase(database, NullLogger.Instance));
        await other.OpenAsync(Stop);
        await using var vanishing = new PostgresDatabase(database, NullLogger.Instance);
        var (holds, back) = (new TaskCompletionSource(), new TaskCompletionSource());
        var writing = vanishing.WriteAsync(
            async connection =>
            {
                await connection.ExecuteAsync("update audit_head set seq = seq");
                holds.SetResult();
                await back.Task;
                return await connection.ExecuteAsync("update audit_head set seq = 99");
            },
            Stop
        );
        await holds.Task;

        var refused = 0;
        while (true)
        {
            try
            {
                await other.AppendAuditAsync([new AuditEntry()], Stop);
                break;
            }
            catch (StorageException)
            {
                refused++;
            }
        }

        back.SetResult();
        await Assert.ThrowsAsync<StorageException>(() => writing); // it lost its turn, and changes nothing any more
        Assert.Null((await other.VerifyAuditAsync(Stop)).Problem);
        Assert.InRange(refused, 1, 5);
    }

    private static Task<HttpResponseMessage> NoteAsync(TestServer server, string text) =>
        server.PostAsync("/tools/note", $$"""{"text":"{{text}}"}""");

    private static string Text(JsonElement row, string name) => row.GetProperty(name).GetString()!;

    private static async Task<JsonElement[]> RowsAsync(TestServer server) =>
        [
            .. (
                await server.Http.GetStringAsync(
                    new Uri("/api/v1/audit?format=jsonl&tool=note", UriKind.Relative),
                    Stop
                )
            )
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonElement.Parse(line)),
        ];
}
