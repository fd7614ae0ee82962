namespace MinimalMcp.Tests.Tools.Vikunja;

/// <summary>Tasks and projects in search and fetch. Files of this name are left out of a project that leaves out the family Documents.</summary>
public sealed class VikunjaDocumentsTests
{
    [Fact]
    public async Task Tasks_and_projects_are_found_and_fetched_with_links_that_open_them()
    {
        await using var board = await Board.StartAsync();
        await using var server = TestServer.Start([.. board.Settings, ("Vikunja:PublicUrl", "https://tasks.example/")]);

        var found = (await server.CallAsync("search", new { query = "o" }))
            .GetProperty("results")
            .EnumerateArray()
            .Select(result => result.GetProperty("id").GetString())
            .ToArray();
        var task = await server.CallAsync("fetch", new { id = "vikunja:task/12" });
        var project = await server.CallAsync("fetch", new { id = "vikunja:project/2" });

        Assert.Subset(found.ToHashSet(), new HashSet<string?> { "vikunja:task/12", "vikunja:project/2" });
        Assert.Equal("https://tasks.example/tasks/12", task.GetProperty("url").GetString());
        Assert.Contains("before <b>Friday</b>", task.GetProperty("text").GetString());
        Assert.Equal(("ops, ann", "2", "4"), (Metadata("assignees"), Metadata("project_id"), Metadata("priority")));
        Assert.Equal(
            ("Ops", "https://tasks.example/projects/2"),
            (project.GetProperty("title").GetString(), project.GetProperty("url").GetString())
        );

        string? Metadata(string name) => task.GetProperty("metadata").GetProperty(name).GetString();
    }

    [Theory]
    [InlineData("vikunja:task/../projects/2")]
    [InlineData("vikunja:task/0")]
    [InlineData("vikunja:task/x")]
    [InlineData("vikunja:note/1")]
    [InlineData("vikunja:")]
    public async Task An_id_that_is_none_asks_nothing(string id)
    {
        await using var board = await Board.StartAsync();
        await using var server = TestServer.Start(board.Settings);

        Assert.Contains("There is no document", await server.FailAsync(422, "fetch", new { id }));
        Assert.Empty(board.Asked);
    }
}
