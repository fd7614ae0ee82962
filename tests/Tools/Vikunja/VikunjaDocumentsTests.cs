namespace MinimalMcp.Tests.Tools.Vikunja;

/// <summary>
/// Tasks and projects in search and fetch. Files of this name are left out of a project that leaves out the family
/// Documents.
/// </summary>
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
        Assert.Contains("before **Friday**", task.GetProperty("text").GetString());
        Assert.Contains("due 2026-02-01 12:00; priority 4", task.GetProperty("text").GetString());
        Assert.Contains("**ann, 2026-01-04 00:00**\n\nWhich host?", task.GetProperty("text").GetString());
        Assert.Contains("- [ ] Buy cable (task 13)", project.GetProperty("text").GetString());
        Assert.Equal(("ops, ann", "2", "4"), (Metadata("assignees"), Metadata("project_id"), Metadata("priority")));
        Assert.Equal(
            ("Ops", "https://tasks.example/projects/2"),
            (project.GetProperty("title").GetString(), project.GetProperty("url").GetString())
        );

        string? Metadata(string name) => task.GetProperty("metadata").GetProperty(name).GetString();
    }

    [Fact]
    public async Task A_question_finds_the_task_and_no_view_and_no_part_of_a_project_that_does_not_match()
    {
        await using var board = await Board.StartAsync();
        board.AddTask(30, 3, "The roof is leaking");
        board.AddTask(31, 3, "Paint the roof");
        for (var id = 40; id < 45; id++)
        {
            board.AddProject(id, $"Part {id}")["parent_project_id"] = 3L;
        }

        await using var server = TestServer.Start(board.Settings);

        Assert.Equal(["vikunja:task/30", "vikunja:task/31"], await FindAsync("Where is the leaking roof?"));
        Assert.Equal(["vikunja:project/3"], await FindAsync("house"));
        Assert.Empty(await FindAsync("zebra"));

        async Task<IEnumerable<string?>> FindAsync(string query) =>
            (await server.CallAsync("search", new { query }))
                .GetProperty("results")
                .EnumerateArray()
                .Select(result => result.GetProperty("id").GetString())
                .Where(id => id!.StartsWith("vikunja:", StringComparison.Ordinal))
                .ToArray();
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
