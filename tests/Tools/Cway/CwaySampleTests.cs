using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using CwaySample;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Tools.Cway;

/// <summary>The family's tests ask the sample, so it has to refuse what a real GraphQL server refuses.</summary>
[Slow]
public sealed class CwaySampleTests
{
    // What the family sends.
    private static readonly string s_operations = string.Join(
        '\n',
        Directory
            .EnumerateFiles(Path.Combine(ClientProcess.Root, "Tools", "Cway", "Queries"), "*.graphql")
            .Order(StringComparer.Ordinal)
            .Select(File.ReadAllText)
    );

    // The tests of the tools make the others.
    public static TheoryData<string> Operations =>
        [
            "CwayLoginInfo",
            "CwayListPlannerProjects",
            "CwaySearchProjects",
            "CwayGetProject",
            "CwayProjectHistory",
            "CwayOpenProjectsByMonth",
            "CwayGetArtwork",
            "CwayArtworkHistory",
            "CwayArtworksToApprove",
            "CwayArtworksToUpload",
            "CwayFindUsersPage",
            "CwayGetUser",
            "CwayCloseProjects",
            "CwayReopenProjects",
            "CwayUpdateProjectNotes",
            "CwayCreateProject",
            "CwayApproveArtwork",
            "CwayRejectArtwork",
        ];

    [Theory, MemberData(nameof(Operations))]
    public async Task Every_operation_is_answered(string operation)
    {
        await using var cway = await CwayServer.StartAsync(cancellationToken: Token);
        var variables = Variables(operation, cway.Workspace);

        var answer = await AskAsync(cway, s_operations, variables, operation);

        Assert.False(answer.TryGetProperty("errors", out var errors), errors.ToString());
        var data = Assert.Single(answer.GetProperty("data").EnumerateObject()).Value;
        Assert.NotEqual(JsonValueKind.Null, data.ValueKind);
        Assert.Equal(operation, Assert.Single(cway.Requests).OperationName);
    }

    [Theory]
    [InlineData("{ plannerProjects { id percentDone } }", "percentDone")] // no such field
    [InlineData("{ updateProject { id } }", "updateProject")] // no such root field
    [InlineData("{ loginInfo(force: true) { id } }", "force")] // no such argument
    [InlineData("{ project { id } }", "id")] // a missing argument
    [InlineData("query($id: String!) { project(id: $id) { id } }", "UUID!")] // a variable of another type
    [InlineData("query($id: UUID) { project(id: $id) { id } }", "UUID!")] // a variable that may be null
    [InlineData("query($id: [String!]) { projects(filter: { states: $id }) { page } }", "[ProjectState!]")]
    [InlineData("query($id: UUID!, $s: Int!) { loginInfo { id } }", "$s")] // a variable that is not used
    [InlineData("{ project(id: $id) { id } }", "$id")] // a variable that is not declared
    [InlineData("{ loginInfo }", "loginInfo")] // an object without fields
    [InlineData("mutation($i: CreateProjectInput!) { createProject(input: $i) { id } }", "Boolean")] // of a scalar
    public async Task What_the_schema_does_not_know_is_refused(string query, string named)
    {
        await using var cway = await CwayServer.StartAsync(cancellationToken: Token);

        var answer = await AskAsync(cway, query, new { id = "x", i = new { name = "x", ordererId = Guid.NewGuid() } });

        AssertRefused(answer, named, "ValidationError");
    }

    [Theory]
    [InlineData("""{}""", "$id")]
    [InlineData("""{"id":null}""", "$id")]
    [InlineData("""{"id":"not-an-id"}""", "$id")]
    [InlineData("""{"id":17}""", "$id")]
    public async Task Variables_that_are_missing_or_of_another_type_are_refused(string variables, string named)
    {
        await using var cway = await CwayServer.StartAsync(cancellationToken: Token);

        var answer = await AskAsync(cway, s_operations, JsonElement.Parse(variables), "CwayGetProject");

        AssertRefused(answer, named, "ValidationError");
    }

    [Theory]
    [InlineData("""{"input":{"name":"x"}}""", "ordererId")]
    [InlineData("""{"input":{"name":"x","ordererId":"ORDERER","colour":"red"}}""", "colour")]
    [InlineData("""{"input":{"name":"x","ordererId":"ORDERER","startDate":"tomorrow"}}""", "startDate")]
    public async Task Fields_of_an_input_are_held_against_the_schema(string variables, string named)
    {
        await using var cway = await CwayServer.StartAsync(cancellationToken: Token);
        var sent = variables.Replace("ORDERER", $"{cway.Workspace.Me.Id}", StringComparison.Ordinal);

        var answer = await AskAsync(cway, s_operations, JsonElement.Parse(sent), "CwayCreateProject");

        AssertRefused(answer, named, "ValidationError");
        Assert.Equal(40, cway.Workspace.Projects.Count);
    }

    [Fact]
    public async Task The_same_seed_and_time_make_the_same_workspace()
    {
        await using var first = await CwayServer.StartAsync(new() { Time = Frozen }, Token);
        await using var second = await CwayServer.StartAsync(new() { Time = Frozen }, Token);
        const string Everything =
            "{ plannerProjects { id name state percentageDone startDate endDate } tree { id name } "
            + "projects(paging: { page: 0, pageSize: 50 }) { projects { id lastActivity artworks { id state } } } }";

        var answer = await AskAsync(first, Everything);

        Assert.Equal($"{answer}", $"{await AskAsync(second, Everything)}");
    }

    [Fact]
    public async Task The_workspace_has_every_state_and_the_nulls_that_the_schema_allows()
    {
        await using var cway = await CwayServer.StartAsync(new() { Time = Frozen }, Token);

        var answer = await AskAsync(cway, "{ plannerProjects { state percentageDone endDate } findShares { id } }");

        var planner = answer.GetProperty("data").GetProperty("plannerProjects").EnumerateArray().ToArray();
        var projects = planner.Where(project => project.ValueKind != JsonValueKind.Null).ToArray();
        Assert.Equal((42, 40), (planner.Length, projects.Length));
        Assert.Equal(Enum.GetNames<ProjectState>().Order(), Values("state").Order());
        Assert.Contains("", Values("percentageDone"));
        Assert.Contains("", Values("endDate"));
        Assert.Contains(answer.GetProperty("data").GetProperty("findShares").EnumerateArray(), share =>
            share.ValueKind == JsonValueKind.Null
        );

        IEnumerable<string> Values(string field) =>
            projects.Select(project => project.GetProperty(field).ToString()).Distinct();
    }

    [Fact]
    public async Task History_counts_back_from_now_and_its_last_entry_is_the_last_activity()
    {
        await using var cway = await CwayServer.StartAsync(new() { Time = Frozen }, Token);
        var now = Frozen.GetUtcNow();

        foreach (var project in cway.Workspace.Projects.Where(project => !project.History.IsEmpty))
        {
            var history = await AskAsync(
                cway,
                "query($id: UUID!) { projectHistory(projectId: $id) { timestamp } project(id: $id) { lastActivity } }",
                new { id = project.Id }
            );
            var data = history.GetProperty("data");
            var times = data.GetProperty("projectHistory")
                .EnumerateArray()
                .Select(entry => DateTimeOffset.FromUnixTimeMilliseconds(entry.GetProperty("timestamp").GetInt64()))
                .ToArray();
            Assert.Equal(times.Order(), times);
            Assert.InRange(times[0], now.AddDays(-731), now);
            Assert.True(times[^1] <= now);
            var last = data.GetProperty("project").GetProperty("lastActivity").GetDateTime();
            Assert.Equal(times[^1].UtcDateTime, last, TimeSpan.FromMilliseconds(1));
        }
    }

    [Fact]
    public async Task A_change_is_seen_and_moves_the_last_activity()
    {
        await using var cway = await CwayServer.StartAsync(cancellationToken: Token);
        var project = cway.Workspace.Projects.First(project => project.State == ProjectState.CLOSED);
        var before = project.LastActivity;

        var answer = await AskAsync(cway, s_operations, new { ids = new[] { project.Id } }, "CwayReopenProjects");

        Assert.True(answer.GetProperty("data").GetProperty("reopenProjects").GetBoolean());
        Assert.Equal(ProjectState.IN_PROGRESS, project.State);
        Assert.True(project.LastActivity > before);
    }

    [Fact]
    public async Task What_is_not_allowed_is_null_with_an_error_and_changes_nothing()
    {
        await using var cway = await CwayServer.StartAsync(cancellationToken: Token);
        var project = cway.Workspace.Projects.First(project => !project.IsInClosableState);

        var answer = await AskAsync(cway, s_operations, new { ids = new[] { project.Id } }, "CwayCloseProjects");

        Assert.Equal(JsonValueKind.Null, answer.GetProperty("data").GetProperty("closeProjects").ValueKind);
        AssertRefused(answer, project.Name, "DataFetchingException");
        Assert.NotEqual(ProjectState.CLOSED, project.State);
    }

    [Fact]
    public async Task A_denied_field_leaves_the_data_of_the_others()
    {
        await using var cway = await CwayServer.StartAsync(cancellationToken: Token);
        var (hidden, shown) = (cway.Workspace.Projects.First().Id, cway.Workspace.Projects.Last().Id);
        cway.Faults.Deny("project", hidden);

        var answer = await AskAsync(
            cway,
            "query($a: UUID!, $b: UUID!) { a: project(id: $a) { id } b: project(id: $b) { id } }",
            new { a = hidden, b = shown }
        );

        var data = answer.GetProperty("data");
        Assert.Equal(JsonValueKind.Null, data.GetProperty("a").ValueKind);
        Assert.Equal(shown, data.GetProperty("b").GetProperty("id").GetGuid());
        var error = Assert.Single(answer.GetProperty("errors").EnumerateArray());
        Assert.Equal("Access denied", error.GetProperty("message").GetString());
        Assert.Equal("FORBIDDEN", error.GetProperty("extensions").GetProperty("classification").GetString());
        Assert.Equal("a", error.GetProperty("path")[0].GetString());
    }

    [Theory]
    [InlineData(100, false)]
    [InlineData(3_000, true)]
    public async Task A_batch_of_too_many_fields_is_refused(int aliases, bool refused)
    {
        await using var cway = await CwayServer.StartAsync(cancellationToken: Token);
        var fields = Enumerable.Range(0, aliases).Select(index => $"a{index}: loginInfo {{ id }}");

        var answer = await AskAsync(cway, $"{{ {string.Join(' ', fields)} }}");

        Assert.Equal(refused, answer.TryGetProperty("errors", out _));
        Assert.Equal(!refused, answer.TryGetProperty("data", out _));
    }

    [Fact]
    public async Task Without_the_token_nothing_is_answered()
    {
        await using var cway = await CwayServer.StartAsync(cancellationToken: Token);
        using var http = new HttpClient();

        using var answer = await http.PostAsJsonAsync(cway.Url, new { query = "{ loginInfo { id } }" }, Token);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("Bearer", $"{answer.Headers.WwwAuthenticate}");
    }

    [Fact]
    public async Task Faults_answer_in_turn()
    {
        await using var cway = await CwayServer.StartAsync(cancellationToken: Token);
        cway.Faults.Next(Fault.TooManyRequests(TimeSpan.FromSeconds(7)), Fault.Html(), Fault.Failed(), Fault.Cut);

        using var tooMany = await SendAsync(cway, "{ loginInfo { id } }");
        using var html = await SendAsync(cway, "{ loginInfo { id } }");
        using var failed = await SendAsync(cway, "{ loginInfo { id } }");
        await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(cway, "{ loginInfo { id } }"));
        using var well = await SendAsync(cway, "{ loginInfo { id } }");

        Assert.Equal((HttpStatusCode.TooManyRequests, "7"), (tooMany.StatusCode, $"{tooMany.Headers.RetryAfter}"));
        Assert.Equal("text/html", html.Content.Headers.ContentType?.MediaType);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, failed.StatusCode);
        Assert.Equal(HttpStatusCode.OK, well.StatusCode);
    }

    [Fact]
    public async Task As_many_projects_and_entries_as_a_measurement_wants()
    {
        await using var cway = await CwayServer.StartAsync(new() { Projects = 120, EventsPerProject = 33 }, Token);

        var answer = await AskAsync(
            cway,
            "{ projects(paging: { page: 2, pageSize: 50 }) { totalHits projects { id } } }"
        );

        var page = answer.GetProperty("data").GetProperty("projects");
        Assert.Equal(
            (120, 20),
            (page.GetProperty("totalHits").GetInt32(), page.GetProperty("projects").GetArrayLength())
        );
        Assert.Equal(120, cway.Workspace.Projects.Select(project => project.Name).Distinct().Count());
        Assert.All(cway.Workspace.Projects.Where(project => !project.History.IsEmpty), project =>
            Assert.Equal(33, project.History.Length)
        );
    }

    [Theory]
    [InlineData(false, 100)]
    [InlineData(true, 1)]
    public async Task The_planner_has_percent_or_fractions(bool fractions, double most)
    {
        await using var cway = await CwayServer.StartAsync(new() { FractionsInPlanner = fractions }, Token);

        var answer = await AskAsync(cway, "{ plannerProjects { percentageDone } }");

        var shares = answer
            .GetProperty("data")
            .GetProperty("plannerProjects")
            .EnumerateArray()
            .Where(project => project.ValueKind == JsonValueKind.Object)
            .Select(project => project.GetProperty("percentageDone"))
            .Where(share => share.ValueKind == JsonValueKind.Number)
            .Select(share => share.GetDouble());
        Assert.Equal(most, shares.Max());
    }

    [Fact]
    public async Task Users_and_teams_and_items_of_folders_are_told_apart()
    {
        await using var cway = await CwayServer.StartAsync(cancellationToken: Token);

        var answer = await AskAsync(
            cway,
            "{ findUsersAndTeamsPage(paging: { page: 0, pageSize: 100 }) "
                + "{ usersOrTeams { __typename ... on User { username } ... on UserTeam { users { admin } } } } "
                + "itemsForOrganisation(input: { includeObsolete: true }, paging: { page: 0, pageSize: 100 }) "
                + "{ items { __typename ... on FileFolderItem { file { size } } "
                + "... on ArtworkFolderItem { artwork { id } } } } }"
        );

        var data = answer.GetProperty("data");
        Assert.Equal(
            ["User", "UserTeam"],
            Types(data.GetProperty("findUsersAndTeamsPage").GetProperty("usersOrTeams"))
        );
        Assert.Equal(
            ["ArtworkFolderItem", "FileFolderItem"],
            Types(data.GetProperty("itemsForOrganisation").GetProperty("items"))
        );

        static IEnumerable<string?> Types(JsonElement items) =>
            items.EnumerateArray().Select(item => item.GetProperty("__typename").GetString()).Distinct().Order();
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static TimeProvider Frozen { get; } = new At(new(2026, 3, 10, 12, 0, 0, TimeSpan.Zero));

    private static object Variables(string operation, Workspace workspace)
    {
        var artwork = workspace.Artworks.First(artwork => artwork.IsInApprovableState);
        var paging = new { page = 0, pageSize = 5 };
        return operation switch
        {
            "CwaySearchProjects" => new { filter = new { name = "label", states = new[] { "STAND_BY" } }, paging },
            "CwayGetProject" or "CwayProjectHistory" => new { id = workspace.Projects.First().Id },
            "CwayGetArtwork" or "CwayArtworkHistory" or "CwayApproveArtwork" => new { id = artwork.Id },
            "CwayFindUsersPage" => new { username = "a", paging },
            "CwayGetUser" => new { username = workspace.Me.Username },
            "CwayCloseProjects" => new { ids = new[] { workspace.Projects.First().Id }, force = true },
            "CwayReopenProjects" => new { ids = new[] { workspace.Projects.Last().Id } },
            "CwayUpdateProjectNotes" => new { id = workspace.Projects.First().Id, notes = "Printed on Friday." },
            "CwayCreateProject" => new { input = new { name = "New labels", ordererId = workspace.Me.Id } },
            "CwayRejectArtwork" => new { input = new { artworkId = artwork.Id, username = workspace.Me.Username } },
            _ => new { },
        };
    }

    private static async Task<JsonElement> AskAsync(
        CwayServer cway,
        string query,
        object? variables = null,
        string? operationName = null
    )
    {
        using var answer = await SendAsync(cway, query, variables, operationName);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadFromJsonAsync<JsonElement>(Token);
    }

    private static async Task<HttpResponseMessage> SendAsync(
        CwayServer cway,
        string query,
        object? variables = null,
        string? operationName = null
    )
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", cway.Token);
        return await http.PostAsJsonAsync(
            cway.Url,
            new
            {
                query,
                variables,
                operationName,
            },
            Token
        );
    }

    private static void AssertRefused(JsonElement answer, string named, string classification)
    {
        Assert.Contains(answer.GetProperty("errors").EnumerateArray(), error =>
            error.GetProperty("message").GetString()!.Contains(named, StringComparison.Ordinal)
            && error.GetProperty("extensions").GetProperty("classification").GetString() == classification
        );
        Assert.True(
            classification != "ValidationError" || !answer.TryGetProperty("data", out _),
            "What is not valid must not be executed."
        );
    }

    private sealed class At(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
