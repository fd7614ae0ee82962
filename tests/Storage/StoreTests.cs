using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using MinimalMcp.Storage;
using Npgsql;

namespace MinimalMcp.Tests.Storage;

/// <summary>What the store promises, on SQLite and on PostgreSQL alike.</summary>
public sealed partial class StoreTests(PostgresServer postgres) : IDisposable
{
    private const long Now = 1_800_000_000_000;
    private readonly string _folder = Directory.CreateTempSubdirectory("store").FullName;

    public enum Engine
    {
        Sqlite,
        Postgres,
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task Of_many_who_want_the_last_of_a_budget_exactly_as_many_get_it_as_there_is(Engine engine)
    {
        var connection = await PlaceAsync(engine);
        await using var one = await OpenAsync(engine, connection);
        // a second replica
        await using var two = engine is Engine.Postgres ? await OpenAsync(engine, connection) : null;
        Budget[] budgets =
        [
            new("critical/ann", 10, TimeSpan.FromHours(1)),
            new("group/ann", 50, TimeSpan.FromMinutes(1)),
        ];

        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 200)
                .Select(n =>
                    Task.Run(() => (n % 2 == 0 ? two ?? one : one).ConsumeBudgetsAsync(budgets, Now + n, 1, Stop), Stop)
                )
        );

        Assert.Equal(10, answers.Sum(answer => answer.Taken));
        Assert.All(answers.Where(answer => answer.Taken == 0), answer =>
            Assert.Equal("critical/ann", answer.UsedUp!.Budget.Name)
        );
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task No_window_of_a_budget_ever_holds_more_than_its_limit(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        Budget[] budget = [new("b", 2, TimeSpan.FromSeconds(10))];
        async Task<ExhaustedBudget?> TryAsync(long at, int count = 1) =>
            (await store.ConsumeBudgetsAsync(budget, Now + at, count, Stop)).UsedUp;

        Assert.Null(await TryAsync(0));
        Assert.Null(await TryAsync(9_000, count: 0));
        Assert.Null(await TryAsync(9_000));
        Assert.Equal(Now + 10_000, (await TryAsync(9_999))!.Until);
        Assert.Null(await TryAsync(10_000)); // the first is ten seconds old
        Assert.Equal(Now + 19_000, (await TryAsync(10_001))!.Until);
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task A_large_budget_is_taken_in_pieces_and_holds_as_well(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        Budget[] budget = [new("large", 5000, TimeSpan.FromSeconds(100))]; // slices of a second
        async Task<int> TakeAsync(long at, int count) =>
            (await store.ConsumeBudgetsAsync(budget, Now + at, count, Stop)).Taken;

        Assert.Equal(
            (3000, 2000, 0),
            (await TakeAsync(0, 3000), await TakeAsync(1_500, 3000), await TakeAsync(100_998, 1))
        );
        // what was taken in the first second is a window ago now
        Assert.Equal((3000, 0), (await TakeAsync(100_999, 9000), await TakeAsync(101_998, 1)));
        Assert.Equal((2000, 0), (await TakeAsync(101_999, 9000), await TakeAsync(102_000, 1)));
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task A_budget_that_refuses_takes_nothing_from_the_others(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        Budget narrow = new("narrow", 1, TimeSpan.FromHours(1)),
            wide = new("wide", 2, TimeSpan.FromHours(1));

        Assert.Equal(1, (await store.ConsumeBudgetsAsync([wide, narrow], Now, 1, Stop)).Taken);
        Assert.Equal(narrow, (await store.ConsumeBudgetsAsync([wide, narrow], Now, 1, Stop)).UsedUp!.Budget);
        Assert.Equal(1, (await store.ConsumeBudgetsAsync([wide], Now, 1, Stop)).Taken);
        Assert.Equal(wide, (await store.ConsumeBudgetsAsync([wide], Now, 1, Stop)).UsedUp!.Budget);
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task Of_many_who_redeem_a_confirmation_one_does(Engine engine)
    {
        var connection = await PlaceAsync(engine);
        await using var one = await OpenAsync(engine, connection);
        await using var two = engine is Engine.Postgres ? await OpenAsync(engine, connection) : null;
        await one.OpenConfirmationAsync("token", "ann+tool+arguments", Now, Now + 1000, Stop);

        Assert.False(await one.RedeemConfirmationAsync("token", "bob+tool+arguments", Now, Stop));
        Assert.False(await one.RedeemConfirmationAsync("token", "ann+tool+arguments", Now + 1000, Stop)); // too late
        var won = await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(n =>
                    Task.Run(
                        () =>
                            (n % 2 == 0 ? two ?? one : one).RedeemConfirmationAsync(
                                "token",
                                "ann+tool+arguments",
                                Now,
                                Stop
                            ),
                        Stop
                    )
                )
        );
        Assert.Equal(1, won.Count(yes => yes));
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task The_audit_of_many_writers_is_one_chain(Engine engine)
    {
        var connection = await PlaceAsync(engine);
        await using var one = await OpenAsync(engine, connection);
        await using var two = engine is Engine.Postgres ? await OpenAsync(engine, connection) : null;

        await Task.WhenAll(
            Enumerable
                .Range(0, 100)
                .Select(n =>
                    Task.Run(() => (n % 2 == 0 ? two ?? one : one).AppendAuditAsync([Row(n), Row(n)], Stop), Stop)
                )
        );

        var verdict = await one.VerifyAuditAsync(Stop);
        Assert.Equal((200, 200, null), (verdict.Rows, verdict.Seq, verdict.Problem));
    }

    [Theory]
    [InlineData(Engine.Sqlite, "update audit set outcome = 'ok' where seq = 3", "entry 3 was modified")]
    [InlineData(Engine.Postgres, "update audit set outcome = 'ok' where seq = 3", "entry 3 was modified")]
    [InlineData(Engine.Sqlite, "update audit set detail = null where seq = 1", "entry 1 was modified")]
    [InlineData(Engine.Sqlite, "delete from audit where seq = 4", "entry 4 is missing")]
    [InlineData(Engine.Postgres, "delete from audit where seq = 4", "entry 4 is missing")]
    [InlineData(
        Engine.Sqlite,
        "delete from audit where seq >= 9",
        "the chain ends with entry 8, but entry 10 was written"
    )]
    [InlineData(Engine.Sqlite, "delete from audit", "the chain ends with entry 0, but entry 10 was written")]
    [InlineData(
        Engine.Sqlite,
        "update audit set seq = 99 where seq = 5; update audit set seq = 5 where seq = 6; update audit set seq = 6 "
            + "where seq = 99",
        "entry 5 was modified"
    )]
    [InlineData(
        Engine.Sqlite,
        "insert into audit select 11, at, phase, call_id, subject, client, address, surface, tool, level, arguments, "
            + "outcome, detail, duration_us, openai_subject, openai_session, hash, trace_id from audit where seq = 10",
        "entry 11 was modified"
    )]
    [InlineData(Engine.Sqlite, "delete from audit where seq <= 2", "entry 1 is missing")]
    [InlineData(Engine.Sqlite, "update audit set trace_id = 'another' where seq = 4", "entry 4 was modified")]
    [InlineData(Engine.Sqlite, "update audit set trace_id = 'a trace' where seq = 5", "entry 5 was modified")]
    [InlineData(Engine.Postgres, "update audit set trace_id = null where seq = 4", "entry 4 was modified")]
    public async Task A_changed_removed_added_or_moved_row_is_found(Engine engine, string tampering, string found)
    {
        var connection = await PlaceAsync(engine);
        await using var store = await OpenAsync(engine, connection);
        await store.AppendAuditAsync([.. Enumerable.Range(0, 10).Select(Row)], Stop);
        Assert.Null((await store.VerifyAuditAsync(Stop)).Problem);

        await ExecuteAsync(engine, connection, tampering);

        Assert.Contains(found, (await store.VerifyAuditAsync(Stop)).Problem);
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task Old_rows_are_cut_and_the_chain_still_holds(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        await store.AppendAuditAsync([.. Enumerable.Range(0, 10).Select(Row)], Stop);

        Assert.Equal(4, await store.CutAuditAsync(Row(4).At, Stop));
        Assert.Equal(0, await store.CutAuditAsync(Row(4).At, Stop));
        await store.AppendAuditAsync([Row(10)], Stop);

        var verdict = await store.VerifyAuditAsync(Stop);
        Assert.Equal((7, 11, null), (verdict.Rows, verdict.Seq, verdict.Problem));
        Assert.Equal(7, await store.CutAuditAsync(long.MaxValue, Stop));
        Assert.Null((await store.VerifyAuditAsync(Stop)).Problem);
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task The_audit_is_read_newest_first_by_filter_and_page(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        await store.AppendAuditAsync([.. Enumerable.Range(0, 10).Select(Row)], Stop);
        async Task<string> ReadAsync(AuditFilter filter) =>
            string.Join(' ', (await store.ReadAuditAsync(filter, Stop)).Select(row => row.Seq));

        Assert.Equal("10 9 8", await ReadAsync(new(Limit: 3)));
        Assert.Equal("7 6", await ReadAsync(new(Limit: 2, Before: 8)));
        Assert.Equal("9 7 5 3 1", await ReadAsync(new(Subject: "caller 0")));
        Assert.Equal("4 3", await ReadAsync(new(From: Row(2).At, To: Row(4).At)));
        Assert.Equal("", await ReadAsync(new(Tool: "other")));
        Assert.Equal("8 4", await ReadAsync(new(TraceId: "trace 3")));
        Assert.Equal("detail é 3", (await store.ReadAuditAsync(new(CallId: "call 3"), Stop)).Single().Detail);
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task Uses_of_budgets_are_read_by_the_beginning_of_their_name(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        Budget Of(string name) => new(name, 10, TimeSpan.FromSeconds(10));
        await store.ConsumeBudgetsAsync([Of("level/HIGH/ann"), Of("group/docker/ann")], Now, 1, Stop);
        await store.ConsumeBudgetsAsync([Of("level/HIGH/bob_%")], Now + 5_000, 3, Stop);
        await store.ConsumeBudgetsAsync([Of("level/HIGHER/ann")], Now, 5, Stop);
        async Task<string> ReadAsync(string prefix, long now, int limit = 10) =>
            string.Join(
                ' ',
                (await store.ReadBudgetUsesAsync(prefix, Of("").OverAt(now), limit, Stop)).Select(use =>
                    $"{use.Name}={use.Uses}"
                )
            );

        Assert.Equal("level/HIGH/bob_%=3 level/HIGH/ann=1", await ReadAsync("level/HIGH/", Now + 9_000));
        Assert.Equal("level/HIGH/bob_%=3", await ReadAsync("level/HIGH/", Now + 9_000, limit: 1));
        Assert.Equal("level/HIGH/bob_%=3", await ReadAsync("level/HIGH/", Now + 12_000)); // ann's are over
        Assert.Equal("group/docker/ann=1", await ReadAsync("group/", Now + 9_000));
        Assert.Equal("", await ReadAsync("l%", Now + 9_000));
    }

    private static AuditEntry Row(int n) =>
        new()
        {
            At = Now + (n * 1000),
            Phase = "done",
            CallId = $"call {n}",
            Subject = $"caller {n % 2}",
            Surface = "rest",
            Tool = "shop_buy",
            Level = "HIGH",
            Arguments = """{"a":1}""",
            Outcome = "failed",
            Detail = $"detail é {n}",
            DurationUs = n,
            TraceId = n % 2 == 1 ? $"trace {n % 4}" : null,
        };

    private async Task<string> PlaceAsync(Engine engine) =>
        engine is Engine.Postgres ? await postgres.NewDatabaseAsync() : Path.Combine(_folder, "store.db");

    private static async Task<Store> OpenAsync(Engine engine, string place)
    {
        var store = new Store(
            engine is Engine.Postgres ? new PostgresDatabase(place, NullLogger.Instance) : new SqliteDatabase(place)
        );
        await store.OpenAsync(Stop);
        return store;
    }

    private static async Task ExecuteAsync(Engine engine, string place, string statement)
    {
        if (engine is Engine.Postgres)
        {
            await using var connection = new NpgsqlConnection(place);
            await connection.ExecuteAsync(statement);
        }
        else
        {
            await using var connection = new SqliteConnection($"Data Source={place};Pooling=False");
            await connection.ExecuteAsync(statement);
        }
    }
}
