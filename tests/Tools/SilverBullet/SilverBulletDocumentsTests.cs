namespace MinimalMcp.Tests.Tools.SilverBullet;

/// <summary>
/// The pages in search and fetch. Files of this name are left out of a project that leaves out the family Documents.
/// </summary>
public sealed class SilverBulletDocumentsTests
{
    [Fact]
    public async Task A_page_is_found_by_its_text_and_fetched_with_a_link_that_opens_it()
    {
        await using var space = await Space.StartAsync();
        await using var server = TestServer.Start([
            .. space.Settings,
            ("SilverBullet:PublicUrl", "https://notes.example/home/"),
        ]);

        var found = (await server.CallAsync("search", new { query = "carpenter" }))
            .GetProperty("results")
            .EnumerateArray()
            .Single(result =>
                result.GetProperty("id").GetString()!.StartsWith("silverbullet:", StringComparison.Ordinal)
            );
        var page = await server.CallAsync("fetch", new { id = found.GetProperty("id").GetString() });

        Assert.Equal("https://notes.example/home/Projects/%C3%85land%20%26%20co", found.GetProperty("url").GetString());
        Assert.Equal(
            (found.GetProperty("url").GetString(), space["Projects/Åland & co.md"]),
            (page.GetProperty("url").GetString(), page.GetProperty("text").GetString())
        );
        Assert.Contains(
            "begin with a dot",
            await server.FailAsync(422, "fetch", new { id = "silverbullet:../../etc/passwd" })
        );
        Assert.Contains(
            "There is no document",
            await server.FailAsync(422, "fetch", new { id = "silverbullet:nothing" })
        );
    }

    [Fact]
    public async Task A_space_that_is_down_leaves_a_note()
    {
        await using var space = await Space.StartAsync();
        space.Fault = (null, 503, "down", "text/plain");
        await using var server = TestServer.Start(space.Settings);

        // Whether other families found something depends on which there are.
        using var response = await server.PostAsync("/tools/search", """{"query":"milk"}""");
        Assert.Contains(
            "silverbullet is left out: SilverBullet answered 503",
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
    }
}
