using MinimalMcp.Storage;

namespace MinimalMcp.Tests.Storage;

/// <summary>What the authorization server relies on: of many who use the same thing up, one does.</summary>
public sealed partial class StoreTests
{
    private const long Later = Now + 1000;

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task Of_many_who_redeem_a_code_one_does_and_then_the_grant_is_over(Engine engine)
    {
        var (one, two) = await OpenTwoAsync(engine);
        await using var first = one;
        await using var second = two;
        await one.OpenGrantAsync(Grant("g"), Code("c"), Later, Stop);

        Assert.Equal(default, await one.RedeemCodeAsync("c", "another client", Now, Stop)); // leaves it alone
        Assert.Equal(default, await one.RedeemCodeAsync("unknown", "client", Now, Stop));
        var answers = await RaceAsync(one, two, store => store.RedeemCodeAsync("c", "client", Now, Stop));

        var winner = Assert.Single(answers, answer => answer.Grant is not null);
        Assert.Equal(
            ("g", "https://a/", "challenge"),
            (winner.Grant!.GrantId, winner.Code!.RedirectUri, winner.Code.Challenge)
        );
        Assert.Equal(7, answers.Count(answer => answer.Ended == "g"));
        Assert.Null(await one.FindGrantAsync("g", Stop));
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task A_code_that_is_too_old_is_used_up_all_the_same(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        await store.OpenGrantAsync(Grant("g"), Code("c"), Later, Stop);

        Assert.Null((await store.RedeemCodeAsync("c", "client", Later, Stop)).Grant);
        Assert.Equal("g", (await store.RedeemCodeAsync("c", "client", Now, Stop)).Ended);
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task Of_many_who_refresh_at_once_all_get_the_one_successor(Engine engine)
    {
        var (one, two) = await OpenTwoAsync(engine);
        await using var first = one;
        await using var second = two;
        await one.OpenGrantAsync(Grant("g"), null, Later, Stop);
        await one.ExtendGrantAsync("g", "r1", Later, Stop);

        var answers = await RaceAsync(one, two, store =>
            store.RotateRefreshTokenAsync("r1", "r2", Now, Now - 30, Later, Stop)
        );

        Assert.All(answers, answer => Assert.Equal(("g", (string?)null), (answer.Grant?.GrantId, answer.Ended)));
        Assert.Equal("g", (await one.FindGrantOfRefreshTokenAsync("r2", Stop))!.GrantId);
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task A_refresh_token_that_comes_back_ends_the_grant(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        Task<(StoredGrant? Grant, string? Ended)> RotateAsync(string token, string successor, long at) =>
            store.RotateRefreshTokenAsync(token, successor, at, at - 30, Later, Stop);
        foreach (var grant in (string[])["late", "overtaken", "expired"])
        {
            await store.OpenGrantAsync(Grant(grant), null, Later, Stop);
            await store.ExtendGrantAsync(grant, grant + "1", Now + 500, Stop);
        }

        // After the time in which an answer may have been lost.
        Assert.NotNull((await RotateAsync("late1", "late2", Now)).Grant);
        Assert.NotNull((await RotateAsync("late1", "late2", Now + 30)).Grant);
        Assert.Equal("late", (await RotateAsync("late1", "late2", Now + 31)).Ended);
        Assert.Null((await RotateAsync("late2", "late3", Now + 31)).Grant);

        // Within it, when the successor is in use already.
        Assert.NotNull((await RotateAsync("overtaken1", "overtaken2", Now)).Grant);
        Assert.NotNull((await RotateAsync("overtaken2", "overtaken3", Now + 1)).Grant);
        Assert.Equal("overtaken", (await RotateAsync("overtaken1", "overtaken2", Now + 2)).Ended);

        // What nobody used is over without harm.
        Assert.Equal(default, await RotateAsync("expired1", "expired2", Now + 500));
        Assert.NotNull(await store.FindGrantAsync("expired", Stop));
        Assert.Equal(default, await RotateAsync("unknown", "x", Now));
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task Of_many_who_answer_a_ticket_one_does_and_only_in_its_browser(Engine engine)
    {
        var (one, two) = await OpenTwoAsync(engine);
        await using var first = one;
        await using var second = two;
        await one.OpenTicketAsync(Ticket("t", "browser", "a"), Now, 2, 9, Stop);

        Assert.Null(await one.FindTicketAsync("t", "another browser", Now, Stop));
        Assert.Null(await one.RedeemTicketAsync("t", "another browser", Now, Stop));
        Assert.Null(await one.FindTicketAsync("t", "browser", Later, Stop));
        Assert.Equal("request", await one.FindTicketAsync("t", "browser", Now, Stop));
        var answers = await RaceAsync(one, two, store => store.RedeemTicketAsync("t", "browser", Now, Stop));
        Assert.Single(answers, answer => answer == "request");
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task An_address_with_too_many_tickets_makes_room_and_so_does_the_one_with_most(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        foreach (var (ticket, address) in ((string, string)[])[("a1", "a"), ("b1", "b"), ("b2", "b"), ("b3", "b")])
        {
            await store.OpenTicketAsync(Ticket(ticket, "browser", address, Later + ticket[1] - '0'), Now, 2, 3, Stop);
        }

        Assert.Equal(["a1", "b2", "b3"], await HeldAsync());

        await store.OpenTicketAsync(Ticket("c1", "browser", "c"), Now, 2, 3, Stop); // all together have too many
        Assert.Equal(["a1", "b3", "c1"], await HeldAsync());

        // The others have expired.
        await store.OpenTicketAsync(Ticket("d1", "browser", "d", Later + 100), Later + 9, 2, 3, Stop);
        Assert.Equal(["d1"], await HeldAsync());

        async Task<string[]> HeldAsync()
        {
            var found = new List<string>();
            foreach (var ticket in (string[])["a1", "b1", "b2", "b3", "c1", "d1"])
            {
                found.AddRange(await store.FindTicketAsync(ticket, "browser", Now, Stop) is null ? [] : [ticket]);
            }

            return [.. found];
        }
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task An_assertion_is_taken_once(Engine engine)
    {
        var (one, two) = await OpenTwoAsync(engine);
        await using var first = one;
        await using var second = two;

        Assert.Single(await RaceAsync(one, two, store => store.UseAssertionAsync("a", Later, Stop)), yes => yes);
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task A_client_makes_room_only_when_nobody_allowed_it_anything(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        Task<bool> RegisterAsync(string id, long at) =>
            store.RegisterClientAsync(
                new()
                {
                    ClientId = id,
                    Metadata = "{}",
                    SecretHash = null,
                },
                at,
                3,
                at - 10,
                Stop
            );
        Assert.Equal(
            (true, true, true),
            (
                await RegisterAsync("oldest", Now),
                await RegisterAsync("idle", Now + 1),
                await RegisterAsync("idler", Now + 2)
            )
        );
        await store.OpenGrantAsync(Grant("g") with { ClientId = "oldest" }, null, Later, Stop);

        Assert.False(await RegisterAsync("too soon", Now + 5)); // somebody may be about to sign in
        Assert.True(await RegisterAsync("new", Now + 100));

        Assert.Equal(
            "oldest idler new",
            string.Join(' ', await FindAsync("oldest", "idle", "idler", "new", "too soon"))
        );
        async Task<List<string>> FindAsync(params string[] ids)
        {
            var found = new List<string>();
            foreach (var id in ids)
            {
                if (await store.FindClientAsync(id, Stop) is { } client)
                {
                    found.Add(client.ClientId);
                }
            }

            return found;
        }
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task Replicas_that_want_a_new_key_get_the_same_and_retired_ones_go(Engine engine)
    {
        var (one, two) = await OpenTwoAsync(engine);
        await using var first = one;
        await using var second = two;
        var count = 0;
        StoredKey Key(long at) =>
            new()
            {
                Kid = $"key {Interlocked.Increment(ref count)}",
                PrivateKey = "sealed",
                Created = at,
            };

        var keys = await RaceAsync(one, two, store => store.AddKeyAsync(Key(Now), Now - 10, 0, Stop));
        Assert.Single(keys.Select(found => Assert.Single(found).Kid).Distinct());
        Assert.Equal(
            [Now + 20, Now],
            (await one.AddKeyAsync(Key(Now + 20), Now + 10, Now - 1, Stop)).Select(key => key.Created)
        );
        Assert.Equal(
            [Now + 20],
            (await one.AddKeyAsync(Key(Now + 21), Now + 10, Now, Stop)).Select(key => key.Created)
        );
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task What_can_have_no_effect_any_more_is_removed_and_nothing_else(Engine engine)
    {
        var place = await PlaceAsync(engine);
        await using var store = await OpenAsync(engine, place);
        await store.OpenGrantAsync(Grant("over"), Code("c1"), Now, Stop);
        await store.OpenGrantAsync(Grant("lives"), Code("c2") with { Expires = Now }, Later, Stop);
        await store.ExtendGrantAsync("over", "r1", Now, Stop);
        await store.ExtendGrantAsync("lives", "r2", Later, Stop);
        await store.OpenTicketAsync(Ticket("t", "b", "a", Now), Now - 10, 9, 9, Stop);
        await store.UseAssertionAsync("a", Now, Stop);

        await store.PruneOAuthAsync(Now, Stop);

        Assert.Equal(
            (null, "lives"),
            (await store.FindGrantAsync("over", Stop), (await store.FindGrantOfRefreshTokenAsync("r2", Stop))?.GrantId)
        );
        Assert.True(await store.UseAssertionAsync("a", Later, Stop));
        await store.RedeemCodeAsync("c2", "client", Now + 1, Stop); // kept to notice that
        Assert.Equal("lives", (await store.RedeemCodeAsync("c2", "client", Now + 2, Stop)).Ended);
    }

    private static StoredTicket Ticket(string hash, string browser, string address, long expires = Later) =>
        new()
        {
            TicketHash = hash,
            BrowserHash = browser,
            Address = address,
            Request = "request",
            Expires = expires,
        };

    private static StoredGrant Grant(string id) =>
        new()
        {
            GrantId = id,
            ClientId = "client",
            Subject = "ann",
            Scope = "mcp:read",
        };

    private static StoredCode Code(string hash) =>
        new()
        {
            CodeHash = hash,
            RedirectUri = "https://a/",
            Challenge = "challenge",
            Expires = Later,
        };

    // With PostgreSQL there are two replicas.
    private async Task<(Store One, Store Two)> OpenTwoAsync(Engine engine)
    {
        var place = await PlaceAsync(engine);
        var one = await OpenAsync(engine, place);
        return (one, engine is Engine.Postgres ? await OpenAsync(engine, place) : one);
    }

    private static Task<T[]> RaceAsync<T>(Store one, Store two, Func<Store, Task<T>> run) =>
        Task.WhenAll(Enumerable.Range(0, 8).Select(n => Task.Run(() => run(n % 2 == 0 ? one : two), Stop)));
}
