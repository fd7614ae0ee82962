using System.Net.Http.Headers;
using System.Text.Json;
using CwaySample;

namespace MinimalMcp.Tests.Tools.Cway;

/// <summary>The REST routes of the family, and who may ask them.</summary>
[Slow]
public sealed class CwayRoutesTests
{
    private const string Key = "0123456789abcdef0123456789abcdef";

    [Fact]
    public async Task Projects_count_from_zero_to_one_whatever_Cway_sends()
    {
        foreach (var fractions in (bool[])[false, true])
        {
            await using var lab = await CwayLab.StartAsync(new() { FractionsInPlanner = fractions });

            var (status, body) = await lab.GetAsync("/api/projects");

            var projects = body.GetProperty("projects").EnumerateArray().ToArray();
            Assert.Equal((200, 40, 40), (status, body.GetProperty("total").GetInt32(), projects.Length)); // no nulls
            Assert.All(projects, project => Assert.InRange(project.GetProperty("percentageDone").GetDouble(), 0, 1));
            Assert.Contains(projects, project => project.GetProperty("percentageDone").GetDouble() == 1);
            Assert.Equal(
                ["id", "name", "description", "state", "percentageDone", "startDate", "endDate"],
                projects[0].EnumerateObject().Select(member => member.Name)
            );
            Assert.Equal(
                ["CLOSED", "DELIVERED", "IN_PROGRESS", "PLANNED", "STAND_BY"],
                projects.Select(project => project.GetProperty("state").GetString()).Distinct().Order()
            );
        }
    }

    [Fact]
    public async Task Every_route_answers()
    {
        await using var lab = await CwayLab.StartAsync();
        var (project, user) = (lab.Open, lab.Cway.Workspace.Users.First());

        var active = await BodyAsync("/api/projects/filter/active");
        Assert.Equal(16, active.GetProperty("total").GetInt32());
        Assert.Equal(15, (await BodyAsync("/api/projects/filter/completed")).GetProperty("total").GetInt32());
        Assert.Equal(project.Name, (await BodyAsync($"/api/projects/{project.Id}")).GetProperty("name").GetString());
        Assert.Equal(
            project.Name,
            (await BodyAsync($"/api/projects/{project.Id}/details")).GetProperty("name").GetString()
        );
        Assert.Equal(
            project.History.Length,
            (await BodyAsync($"/api/projects/{project.Id}/history")).GetProperty("event_count").GetInt32()
        );
        var velocity = await BodyAsync($"/api/projects/{project.Id}/velocity");
        Assert.Equal($"{project.Id}", velocity.GetProperty("project_id").GetString());
        Assert.Equal(30, velocity.GetProperty("daily_velocities").GetArrayLength());
        var found = await BodyAsync("/api/projects/search?query=spring&limit=2");
        Assert.InRange(found.GetProperty("projects").GetArrayLength(), 1, 2);
        Assert.Equal(40, (await BodyAsync("/api/projects/status-summary")).GetProperty("total").GetInt32());
        Assert.Equal(lab.Cway.Workspace.Users.Count, (await BodyAsync("/api/users")).GetProperty("total").GetInt32());
        Assert.Equal(user.Username, (await BodyAsync($"/api/users/{user.Id}")).GetProperty("username").GetString());
        var byEmail = await BodyAsync($"/api/users/by-email/{user.Email.ToUpperInvariant()}");
        Assert.Equal(
            ["id", "email", "name", "username", "firstName", "lastName", "enabled", "avatar"],
            byEmail.EnumerateObject().Select(member => member.Name)
        );
        var status = await BodyAsync("/api/system/status");
        Assert.Equal(
            ("healthy", true),
            (status.GetProperty("status").GetString(), status.GetProperty("connected").GetBoolean())
        );
        Assert.EndsWith("Z", status.GetProperty("timestamp").GetString());
        var dashboard = await BodyAsync("/api/kpis/dashboard");
        Assert.Equal(40, dashboard.GetProperty("totals").GetProperty("projects").GetInt32());
        var health = (await BodyAsync("/api/kpis/project-health")).EnumerateArray().ToArray();
        Assert.Equal(40, health.Length);
        Assert.All(health, one => Assert.InRange(one.GetProperty("health_score").GetDouble(), 0, 100));
        var critical = (await BodyAsync("/api/kpis/critical-projects")).EnumerateArray().ToArray();
        Assert.All(critical, one =>
            Assert.Contains(one.GetProperty("risk_level").GetString(), (string[])["HIGH", "CRITICAL"])
        );
        var temporal = await BodyAsync("/api/temporal-kpis/dashboard?analysis_period_days=30");
        Assert.Equal(30, temporal.GetProperty("analysis_period_days").GetInt32());
        var alerts = (await BodyAsync("/api/temporal-kpis/stagnation-alerts?min_urgency_score=8"))
            .EnumerateArray()
            .ToArray();
        Assert.NotEmpty(alerts);
        Assert.Equal(
            ["project_id", "project_name", "urgency_score", "days_since_activity", "recommendations"],
            alerts[0].EnumerateObject().Select(member => member.Name)
        );

        async Task<JsonElement> BodyAsync(string path)
        {
            var (code, body) = await lab.GetAsync(path);
            Assert.True(code == 200, $"{path}: {code} {body}");
            return body;
        }
    }

    [Theory]
    [InlineData("/api/projects/7", 404, "Project not found: 7")]
    [InlineData(
        "/api/projects/00000000-0000-4000-8000-000000000000",
        404,
        "Project not found: 00000000-0000-4000-8000-000000000000"
    )]
    [InlineData("/api/projects/7/velocity", 404, "Project not found: 7")]
    [InlineData("/api/users/nobody", 404, "User not found: nobody")]
    [InlineData("/api/users/by-email/no@body.example", 404, "User not found with email: no@body.example")]
    [InlineData(
        "/api/temporal-kpis/dashboard?analysis_period_days=0",
        422,
        "analysis_period_days must be from 1 to 3650."
    )]
    [InlineData(
        "/api/temporal-kpis/stagnation-alerts?min_urgency_score=11",
        422,
        "min_urgency_score must be from 1 to 10."
    )]
    [InlineData("/api/projects/search?limit=1000", 422, "limit must be from 1 to 100.")]
    public async Task A_failure_says_why(string path, int status, string detail)
    {
        await using var lab = await CwayLab.StartAsync();

        var (code, body) = await lab.GetAsync(path);

        Assert.Equal((status, detail), (code, body.GetProperty("detail").GetString()));
    }

    [Fact]
    public async Task A_failure_of_Cway_is_502_and_the_status_route_never_fails()
    {
        await using var lab = await CwayLab.StartAsync();
        lab.Cway.Faults.Always = Fault.Html();

        var (code, body) = await lab.GetAsync("/api/projects");
        var (statusCode, status) = await lab.GetAsync("/api/system/status");

        Assert.Equal(502, code);
        Assert.Contains("CWAY_API_URL", body.GetProperty("detail").GetString());
        Assert.Equal((200, "unhealthy"), (statusCode, status.GetProperty("status").GetString()));
    }

    [Fact]
    public async Task The_token_of_Cway_opens_these_routes_even_in_mode_none()
    {
        await using var lab = await CwayLab.StartAsync(null, null, ("mode", "rest"));

        using var without = await lab.Server.Http.GetAsync(
            new Uri("/api/projects", UriKind.Relative),
            TestContext.Current.CancellationToken
        );
        var (wrong, body) = await lab.GetAsync("/api/projects", "wrong");
        var (right, _) = await lab.GetAsync("/api/projects");

        Assert.Equal(401, (int)without.StatusCode);
        Assert.Equal("Bearer", without.Headers.WwwAuthenticate.ToString());
        Assert.Equal((401, "Invalid authentication token"), (wrong, body.GetProperty("detail").GetString()));
        Assert.Equal(200, right);
    }

    [Fact]
    public async Task The_token_of_Cway_opens_nothing_else_and_a_key_of_ours_opens_them_too()
    {
        await using var lab = await CwayLab.StartAsync(null, null, ("Auth:Mode", "api-key"), ("Auth:ApiKey", Key));

        Assert.Equal(200, (await lab.GetAsync("/api/projects")).Status);
        Assert.Equal(200, (await lab.GetAsync("/api/projects", Key)).Status);
        Assert.Equal(401, (await lab.GetAsync("/api/projects", Key[1..] + "0")).Status);
        Assert.Equal(401, (await lab.GetAsync("/tools")).Status);
        Assert.Equal(200, (await lab.GetAsync("/tools", Key)).Status);
    }

    [Fact]
    public async Task The_OpenAPI_document_has_at_most_thirty_operations_with_search_and_velocity()
    {
        await using var lab = await CwayLab.StartAsync(null, null, ("Server:PublicUrl", "https://cway.example"));

        var document = await lab.Server.GetJsonAsync("/openapi.json?family=cway");

        var ids = document
            .GetProperty("paths")
            .EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject())
            .Select(operation => operation.Value.GetProperty("operationId").GetString())
            .ToArray();
        Assert.InRange(ids.Length, 15, 30);
        Assert.Contains("searchProjects", ids);
        Assert.Contains("getProjectVelocity", ids);
        Assert.Equal("https://cway.example", document.GetProperty("servers")[0].GetProperty("url").GetString());
        var bearer = document.GetProperty("components").GetProperty("securitySchemes").GetProperty("BearerAuth");
        Assert.Equal(
            ("http", "bearer"),
            (bearer.GetProperty("type").GetString(), bearer.GetProperty("scheme").GetString())
        );

        // Every path of it can be called as it says.
        foreach (var path in document.GetProperty("paths").EnumerateObject().Select(path => path.Name))
        {
            var address = path.Replace("{project_id}", $"{lab.Open.Id}")
                .Replace("{user_id}", $"{lab.Cway.Workspace.Me.Id}")
                .Replace("{email}", lab.Cway.Workspace.Me.Email);
            Assert.Equal(200, (await lab.GetAsync(address)).Status);
        }
    }

    [Fact]
    public async Task Without_settings_the_routes_are_not_there()
    {
        await using var server = TestServer.Start();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/projects");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "x");

        using var response = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(404, (int)response.StatusCode);
    }
}
