using MinimalMcp.Storage;

namespace MinimalMcp.Tests.Storage;

public sealed partial class StoreTests
{
    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task A_server_has_a_number_and_a_name_of_its_own_and_each_change_raises_the_version(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        Assert.Equal(0, await store.ServerVersionAsync(Stop));

        Assert.Equal((ServerWrite.Done, 1L), await store.InsertServerAsync(Server("one"), 3, 1, Stop));
        Assert.Equal((ServerWrite.NameTaken, 0L), await store.InsertServerAsync(Server("one"), 3, 1, Stop));
        Assert.Equal((ServerWrite.Done, 2L), await store.InsertServerAsync(Server("two", wanted: 1), 3, 1, Stop));
        Assert.Equal(ServerWrite.TooManyWanted, (await store.InsertServerAsync(Server("x", 1), 3, 1, Stop)).Outcome);
        Assert.True(await store.DeleteServerAsync(2, Stop));
        Assert.False(await store.DeleteServerAsync(2, Stop));
        Assert.Equal((ServerWrite.Done, 3L), await store.InsertServerAsync(Server("two"), 2, 1, Stop));
        Assert.Equal(ServerWrite.TooMany, (await store.InsertServerAsync(Server("three"), 2, 1, Stop)).Outcome);

        var (version, servers) = await store.ServersAsync(Stop);
        Assert.Equal(version, await store.ServerVersionAsync(Stop));
        Assert.Equal(["one", "two"], servers.Select(server => server.Name));
        Assert.Equal(ServerWrite.NameTaken, await store.UpdateServerAsync(servers[0] with { Name = "two" }, 1, Stop));
        Assert.Equal(ServerWrite.Done, await store.UpdateServerAsync(servers[0] with { Wanted = 1 }, 1, Stop));
        // It was read before that change.
        Assert.Equal(ServerWrite.Changed, await store.UpdateServerAsync(servers[0], 1, Stop));
        Assert.True(await store.ServerVersionAsync(Stop) > version);
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task Of_many_who_register_one_name_one_does(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));

        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => store.InsertServerAsync(Server("same"), 100, 10, Stop))
        );

        Assert.Single(outcomes, outcome => outcome.Outcome is ServerWrite.Done);
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task Of_many_who_start_servers_at_once_as_many_do_as_may_run(Engine engine)
    {
        var place = await PlaceAsync(engine);
        await using var one = await OpenAsync(engine, place);
        await using var two = engine is Engine.Postgres ? await OpenAsync(engine, place) : null;
        Store Of(long n) => n % 2 == 0 ? two ?? one : one;

        // Ten are registered as started, and ten later; five may be.
        var inserted = await Task.WhenAll(
            Enumerable.Range(0, 10).Select(n => Of(n).InsertServerAsync(Server($"a{n}", wanted: 1), 100, 3, Stop))
        );
        Assert.Equal(3, inserted.Count(result => result.Outcome is ServerWrite.Done));
        for (var n = 0; n < 10; n++)
        {
            await one.InsertServerAsync(Server($"b{n}"), 100, 3, Stop);
        }

        var (_, servers) = await one.ServersAsync(Stop);
        var started = await Task.WhenAll(
            servers
                .Where(server => server.Wanted == 0)
                .Select(server => Of(server.Id).UpdateServerAsync(server with { Wanted = 1 }, 5, Stop))
        );

        Assert.Equal(2, started.Count(outcome => outcome is ServerWrite.Done));
        Assert.Equal(8, started.Count(outcome => outcome is ServerWrite.TooManyWanted));
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task The_lists_of_a_server_go_with_it(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        var (_, id) = await store.InsertServerAsync(Server("one"), 3, 1, Stop);

        Assert.Null(await store.ServerListsAsync(id, Stop));
        await store.SaveServerListsAsync(id, "[1]", Stop);
        await store.SaveServerListsAsync(id, "[2]", Stop);
        Assert.Equal("[2]", await store.ServerListsAsync(id, Stop));
        await store.DeleteServerAsync(id, Stop);
        await store.SaveServerListsAsync(id, "[3]", Stop);
        Assert.Null(await store.ServerListsAsync(id, Stop));
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task The_first_definition_of_a_tool_is_approved_until_another_one_is(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        var (_, id) = await store.InsertServerAsync(Server("one"), 3, 1, Stop);
        ApprovedTool echo = new("echo", "1", "{}"),
            changed = new("echo", "2", "{}");

        Assert.Equal([echo], await store.ApproveNewToolsAsync(id, 0, [echo], Stop));
        Assert.Equal([echo], await store.ApproveNewToolsAsync(id, 0, [changed], Stop));
        var version = await store.ServerVersionAsync(Stop);
        Assert.True(await store.ApproveToolAsync(id, 0, changed, Stop));
        Assert.True(await store.ServerVersionAsync(Stop) > version); // other replicas hear of it
        Assert.Equal([changed], await store.ApprovedToolsAsync(id, 0, Stop));

        // Of another registration nothing is approved, and what was approved before counts no more.
        Assert.Empty(await store.ApprovedToolsAsync(id, 1, Stop));
        Assert.Equal([echo], await store.ApproveNewToolsAsync(id, 1, [echo], Stop));
        Assert.False(await store.ApproveToolAsync(id, 0, changed, Stop));
        Assert.Equal([echo], await store.ApprovedToolsAsync(id, 1, Stop));
        await store.DeleteServerAsync(id, Stop);
        Assert.Empty(await store.ApproveNewToolsAsync(id, 1, [echo], Stop));
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task Replicas_that_see_a_tool_at_the_same_time_approve_one_definition(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        var (_, id) = await store.InsertServerAsync(Server("one"), 3, 1, Stop);

        var seen = await Task.WhenAll(
            Enumerable
                .Range(0, 10)
                .Select(number => store.ApproveNewToolsAsync(id, 0, [new("echo", $"{number}", "{}")], Stop))
        );

        Assert.Single(seen.Select(tools => Assert.Single(tools)).Distinct());
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task Tokens_are_replaced_by_who_read_them_and_go_with_their_server(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        var (_, id) = await store.InsertServerAsync(Server("one"), 3, 1, Stop);
        Assert.Null(await store.ServerTokensAsync(id, Stop));
        await store.SetServerTokensAsync(id, "a", Stop);
        var read = (await store.ServerTokensAsync(id, Stop))!;

        var swaps = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(i => store.SwapServerTokensAsync(id, read.Version, $"b{i}", Stop))
        );

        Assert.Single(swaps, swapped => swapped);
        Assert.False(await store.SwapServerTokensAsync(id, read.Version, null, Stop));
        read = (await store.ServerTokensAsync(id, Stop))!;
        Assert.StartsWith("b", read.Sealed);
        Assert.True(await store.SwapServerTokensAsync(id, read.Version, null, Stop));
        await store.SetServerTokensAsync(id, "c", Stop);
        Assert.False(await store.SwapServerTokensAsync(id, read.Version, "d", Stop)); // no version comes again
        await store.DeleteServerAsync(id, Stop);
        await store.SetServerTokensAsync(id, "e", Stop);
        Assert.Null(await store.ServerTokensAsync(id, Stop));
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task A_sign_in_at_a_server_is_taken_once_and_in_time(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        Assert.True(await store.BeginServerSignInAsync("s", "x", now: 0, expires: 100, Stop));
        Assert.True(await store.BeginServerSignInAsync("late", "y", now: 0, expires: 100, Stop));

        var taken = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => store.TakeServerSignInAsync("s", 99, Stop)));

        Assert.Equal("x", Assert.Single(taken, one => one is not null));
        Assert.Null(await store.TakeServerSignInAsync("late", 100, Stop));
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task A_caller_has_a_secret_for_each_server_and_so_many_and_no_more(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        var (_, one) = await store.InsertServerAsync(Server("one"), 9, 9, Stop);
        var (_, two) = await store.InsertServerAsync(Server("two"), 9, 9, Stop);
        Assert.Null(await store.CallerSecretAsync(one, "a|b", Stop));
        Assert.False(await store.SetCallerSecretAsync(99, "a|b", "x", Now, 1, Stop));
        Assert.True(await store.SetCallerSecretAsync(one, "a|b", "x", Now, 1, Stop));
        Assert.False(await store.SetCallerSecretAsync(two, "a|b", "y", Now, 1, Stop));
        Assert.True(await store.SetCallerSecretAsync(two, "a", "z", Now, 1, Stop));
        var before = await store.CallerSecretAsync(one, "a|b", Stop);
        Assert.Equal(("x", Now), (before!.Sealed, before.Stored));
        Assert.True(await store.SetCallerSecretAsync(one, "a|b", "w", Now, 1, Stop));
        var after = Assert.Single(await store.CallerSecretsAsync("a|b", Stop));
        Assert.Equal((one, "w"), (after.ServerId, after.Sealed));
        Assert.True(after.Version > before.Version);

        Assert.True(await store.DeleteCallerSecretAsync(one, "a|b", Stop));
        Assert.False(await store.DeleteCallerSecretAsync(one, "a|b", Stop));
        await store.DeleteServerAsync(two, Stop);
        Assert.Empty(await store.CallerSecretsAsync("a", Stop));
    }

    private static StoredServer Server(string name, long wanted = 0) =>
        new()
        {
            Name = name,
            Definition = "{}",
            Sealed = "",
            Wanted = wanted,
            Created = Now,
            Updated = Now,
        };
}
