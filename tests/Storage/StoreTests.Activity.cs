using MinimalMcp.Monitoring;
using MinimalMcp.Storage;

namespace MinimalMcp.Tests.Storage;

public sealed partial class StoreTests
{
    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task Every_entry_but_intents_is_of_one_kind_and_a_search_finds_the_same(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        string[] surfaces = ["http", "rest", "hub", "approvals", "server"];
        string[] tools =
        [
            "look",
            "up/echo",
            .. ((string[])["create", "from-github", "update", "delete", "start", "restart", "stop", "approve"]).Select(
                action => $"servers/{action}"
            ),
            "servers/error",
            "keys/create",
            "keys/revoke",
            "sessions/create",
            "sessions/end",
            "sign_in",
        ];
        string[] outcomes = ["ok", "failed", "cancelled", "preview", "refused: denied", "approved", "denied"];
        AuditEntry[] entries =
        [
            .. from surface in surfaces
            from tool in tools
            from outcome in outcomes
            where surface != "server" || tool is "sessions/create" or "sessions/end" or "sign_in" or "servers/error"
            where surface != "hub" || tool.StartsWith("servers/", StringComparison.Ordinal) || tool[0] == 'k'
            from phase in (string[])["done", "intent"]
            where phase == "done" || surface != "server"
            select new AuditEntry
            {
                At = Now,
                Phase = phase,
                CallId = "call",
                Subject = "ann",
                Surface = surface,
                Tool = tool,
                Level = "LOW",
                Outcome = outcome,
                Arguments = """{"server":"up","id":"7"}""",
            },
        ];
        await store.AppendAuditAsync(entries, Stop);

        var found = new List<long>();
        foreach (var kind in ActivityTypes.All)
        {
            var events = await store.ReadAuditAsync(new(Limit: 10_000) { Kind = kind }, Stop);
            Assert.NotEmpty(events);
            Assert.All(events, entry => Assert.Equal(kind, entry.Kind));
            found.AddRange(events.Select(entry => entry.Seq));
        }

        var expected = entries.Where(entry => entry.Phase != "intent").Select(entry => entry.Seq);
        Assert.Equal(expected, found.Order());
        var any = await store.ReadAuditAsync(new(Limit: 10_000) { Kind = "any" }, Stop);
        Assert.Equal(expected, any.Select(entry => entry.Seq).Order());
        foreach (var kind in any.GroupBy(entry => entry.Kind))
        {
            var same = await store.ReadAuditAsync(new(Limit: 10_000) { Kind = kind.Key }, Stop);
            Assert.Equal(same.Select(entry => entry.Seq), kind.Select(entry => entry.Seq));
        }
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task The_audit_is_searched_by_surface_level_and_server_and_read_onwards(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        AuditEntry Entry(string surface, string tool, string level, string? arguments) =>
            new()
            {
                At = Now,
                Phase = "done",
                Subject = "ann",
                CallId = "call",
                Surface = surface,
                Tool = tool,
                Level = level,
                Outcome = "ok",
                Arguments = arguments,
            };
        await store.AppendAuditAsync(
            [
                Entry("http", "a_b/echo", "LOW", """{"server":"other"}"""),
                Entry("http", "axb/echo", "HIGH", null),
                Entry("hub", "servers/start", "HIGH", """{"server":"a_b","id":"1"}"""),
                Entry("hub", "servers/start", "HIGH", """{"server":"axb","id":"11"}"""),
                Entry("server", "servers/error", "LOW", """{"id":"1"}"""),
                Entry("hub", "servers/stop", "HIGH", """{"id":"1","server":"renamed"}"""),
            ],
            Stop
        );
        async Task<string> ReadAsync(AuditFilter filter) =>
            string.Join(' ', (await store.ReadAuditAsync(filter, Stop)).Select(row => row.Seq));

        Assert.Equal("6 4 3", await ReadAsync(new(Surface: "hub")));
        Assert.Equal("5 1", await ReadAsync(new(Level: "LOW")));
        Assert.Equal("6 4 3 2", await ReadAsync(new(Outcome: "ok", Level: "HIGH")));
        Assert.Equal("6 5 3 1", await ReadAsync(new() { Server = "a_b", ServerId = "1" }));
        Assert.Equal("4 2", await ReadAsync(new() { Server = "axb", ServerId = "" }));
        Assert.Equal("4 3", await ReadAsync(new(Limit: 2) { After = 2 }));
        Assert.Equal(6, await store.NewestAuditAsync(Stop));
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task Figures_are_replaced_by_newer_ones_read_by_period_and_cut(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        MetricsRow Row(long seconds, long at, string replica, string figures) =>
            new()
            {
                Seconds = seconds,
                At = at,
                Replica = replica,
                Figures = figures,
            };
        await store.WriteMetricsAsync([Row(60, 1, "a", "x"), Row(60, 2, "a", "y"), Row(600, 1, "a", "z")], Stop);
        await store.WriteMetricsAsync([Row(60, 2, "a", "Y"), Row(60, 2, "b", "w")], Stop);

        async Task<string> ReadAsync(long seconds, long from) =>
            string.Join(
                ' ',
                (await store.ReadMetricsAsync(seconds, from, Stop)).Select(row => row.Replica + row.Figures).Order()
            );
        Assert.Equal("aY ax bw", await ReadAsync(60, 0));
        Assert.Equal("aY bw", await ReadAsync(60, 2));
        Assert.Equal("az", await ReadAsync(600, 0));
        Assert.Equal(1, await store.CutMetricsAsync(60, 2, Stop));
        Assert.Equal("aY bw", await ReadAsync(60, 0));
        Assert.Equal("az", await ReadAsync(600, 0));
        Assert.True(await store.SizeAsync(Stop) > 0);
    }
}
