using MinimalMcp.Storage;

namespace MinimalMcp.Tests.Storage;

public sealed partial class StoreTests
{
    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task A_key_has_a_number_and_a_name_of_its_own_and_a_use_is_no_change(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        Assert.Equal(0, await store.ApiKeyVersionAsync(Stop));

        Assert.Equal((ApiKeyWrite.Done, 1L), await store.InsertApiKeyAsync(Key("one", Now), 2, Stop));
        Assert.Equal((ApiKeyWrite.NameTaken, 0L), await store.InsertApiKeyAsync(Key("one"), 2, Stop));
        Assert.Equal((ApiKeyWrite.Done, 2L), await store.InsertApiKeyAsync(Key("two"), 2, Stop));
        Assert.Equal(ApiKeyWrite.TooMany, (await store.InsertApiKeyAsync(Key("three"), 2, Stop)).Outcome);

        var (version, keys) = await store.ApiKeysAsync(Stop);
        Assert.Equal(version, await store.ApiKeyVersionAsync(Stop));
        Assert.Equal([Key("one", Now) with { Id = 1 }, Key("two") with { Id = 2 }], keys);

        await store.NoteApiKeyUsesAsync([(1, Now + 5), (2, Now + 6), (3, Now)], Stop);
        await store.NoteApiKeyUsesAsync([(1, Now + 4)], Stop); // of another replica, which was later
        Assert.Equal(version, await store.ApiKeyVersionAsync(Stop));
        Assert.Equal([Now + 5, Now + 6], (await store.ApiKeysAsync(Stop)).Keys.Select(key => key.LastUsed));

        Assert.True(await store.DeleteApiKeyAsync(2, Stop));
        Assert.False(await store.DeleteApiKeyAsync(2, Stop));
        Assert.True(await store.ApiKeyVersionAsync(Stop) > version);
        Assert.Equal((ApiKeyWrite.Done, 3L), await store.InsertApiKeyAsync(Key("two"), 2, Stop));
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task What_was_granted_with_a_key_goes_with_it(Engine engine)
    {
        await using var store = await OpenAsync(engine, await PlaceAsync(engine));
        await store.InsertApiKeyAsync(Key("one"), 9, Stop);
        await store.InsertApiKeyAsync(Key("two"), 9, Stop);
        foreach (var name in (string[])["one", "two", "three"])
        {
            var grant = Grant(name) with { Credential = $"key {Key(name).KeyHash}" };
            await store.OpenGrantAsync(grant, null, Later, Stop);
        }

        await store.DeleteApiKeyAsync(1, Stop);
        await store.DeleteGrantsOfKeysAsync([Key("two").KeyHash], Stop);

        Assert.Null(await store.FindGrantAsync("one", Stop));
        Assert.Null(await store.FindGrantAsync("two", Stop));
        Assert.NotNull(await store.FindGrantAsync("three", Stop));
    }

    private static StoredApiKey Key(string name, long? expires = null) =>
        new()
        {
            Name = name,
            KeyHash = $"hash of {name}",
            Scopes = "mcp:read mcp:write",
            Created = Now,
            Expires = expires,
        };
}
