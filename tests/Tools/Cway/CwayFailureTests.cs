using CwaySample;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MinimalMcp.Tests.Tools.Cway;

/// <summary>A Cway that answers badly, in words that say what to do.</summary>
[Slow]
public sealed class CwayFailureTests
{
    public static TheoryData<string, int, string> Bad =>
        new()
        {
            { "unauthorized", 502, "CWAY_API_TOKEN" },
            { "throttled", 502, "Try again in 7 seconds" },
            { "failed", 502, "Cway answered 503" },
            { "html", 502, "no GraphQL answer" },
            { "html 500", 502, "Cway answered 500" },
            { "cut", 502, "closed the connection" },
            { "shape", 502, "another shape" },
            { "empty", 502, "no GraphQL answer" },
            { "array", 502, "no GraphQL answer" },
            { "validation", 502, "schema has changed" },
            { "denied", 422, "Access denied" },
        };

    [Theory, MemberData(nameof(Bad))]
    public async Task A_failure_says_what_to_do(string kind, int status, string words)
    {
        await using var lab = await CwayLab.StartAsync();
        lab.Cway.Faults.Always = kind switch
        {
            "unauthorized" => Fault.Unauthorized,
            "throttled" => Fault.TooManyRequests(TimeSpan.FromSeconds(7)),
            "failed" => Fault.Failed(),
            "html" => Fault.Html(),
            "html 500" => Fault.Html(500),
            "cut" => Fault.Cut,
            "shape" => new(200, """{"data":{"plannerProjects":7}}"""),
            "empty" => new(200, ""),
            "array" => new(200, "[]"),
            "validation" => new(
                200,
                """{"errors":[{"message":"Validation error (FieldUndefined)","extensions":"""
                    + """{"classification":"ValidationError"}}]}"""
            ),
            _ => new(
                200,
                """{"data":{"plannerProjects":null},"errors":[{"message":"Access denied","path":"""
                    + """["plannerProjects"],"extensions":{"classification":"FORBIDDEN"}}]}"""
            ),
        };

        var sentence = await lab.Server.FailAsync(status, "cway_list_projects");

        Assert.Contains(words, sentence);
        Assert.DoesNotContain(lab.Cway.Token, sentence);
    }

    [Fact]
    public async Task A_query_is_sent_again_after_a_failure_that_passes_and_a_change_is_not()
    {
        await using var lab = await CwayLab.StartAsync(null, null, ("Cway:MaxRetries", "3"));
        lab.Cway.Faults.Next(Fault.Failed(502));
        await lab.CallAsync("list_projects");
        Assert.Equal(2, lab.Cway.Requests.Count);

        lab.Cway.Requests.Clear();
        var project = lab.Project(project => project.State is ProjectState.CLOSED);
        lab.Cway.Faults.Next(Fault.Failed(502));
        var sentence = await lab.Server.FailAsync(
            502,
            "cway_reopen_projects",
            new { project_ids = (Guid[])[project.Id] }
        );
        Assert.Contains("may have been made all the same", sentence);
        Assert.Single(lab.Cway.Requests);
    }

    [Fact]
    public async Task What_Cway_gives_beside_an_error_is_used_and_said()
    {
        await using var lab = await CwayLab.StartAsync();
        lab.Cway.Faults.Always = new(
            200,
            """
            {"data":{"plannerProjects":[{"id":"7f6b0d5e-0000-4000-8000-000000000001","name":"Spring packaging",
              "state":"IN_PROGRESS","percentageDone":40.0},null]},
             "errors":[{"message":"Access denied","path":["plannerProjects",1]}]}
            """
        );

        var list = await lab.CallAsync("list_projects");

        Assert.Equal(
            40,
            Assert.Single(list.GetProperty("projects").EnumerateArray()).GetProperty("percentageDone").GetDouble()
        );
        Assert.Contains("Access denied", list.GetProperty("note").GetString());
    }

    [Fact]
    public async Task A_project_whose_history_is_denied_is_counted_and_said()
    {
        await using var lab = await CwayLab.StartAsync();
        lab.Cway.Faults.Deny("projectHistory", lab.Open.Id);

        var dashboard = (await lab.CallAsync("get_temporal_dashboard")).GetProperty("temporalKpiDashboard");

        Assert.Equal(40, dashboard.GetProperty("totalProjectsAnalyzed").GetInt32());
        Assert.Contains("history of", dashboard.GetProperty("note").GetString());
    }

    [Fact]
    public async Task The_health_check_tells_a_wrong_token_from_a_Cway_that_is_away()
    {
        await using var lab = await CwayLab.StartAsync();
        Assert.Equal(HealthStatus.Healthy, await HealthAsync());
        lab.Cway.Faults.Always = Fault.Unauthorized;
        Assert.Equal(HealthStatus.Degraded, await HealthAsync());
        lab.Cway.Faults.Always = Fault.Failed();
        Assert.Equal(HealthStatus.Unhealthy, await HealthAsync());

        async Task<HealthStatus> HealthAsync() =>
            (
                await lab
                    .Server.Services.GetRequiredService<HealthCheckService>()
                    .CheckHealthAsync(check => check.Name == "cway", TestContext.Current.CancellationToken)
            ).Status;
    }

    [Fact]
    public async Task A_token_of_the_identity_provider_is_asked_for_once()
    {
        await using var provider = await Upstream.StartAsync();
        await using var cway = await CwayServer.StartAsync(
            new() { Token = "entra-access-token" },
            TestContext.Current.CancellationToken
        );
        provider.Answer = """{"token_type":"Bearer","expires_in":3600,"access_token":"entra-access-token"}""";
        await using var server = TestServer.Start(
            ("Cway:Url", $"{cway.Url}"),
            ("Cway:AuthMethod", "oauth2"),
            ("Cway:TenantId", "nordlys"),
            ("Cway:ClientId", "client-1"),
            ("Cway:ClientSecret", "secret-of-the-client"),
            ("Cway:Authority", provider.Url)
        );

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => server.CallAsync("cway_list_projects")));

        var asked = Assert.Single(provider.Asked);
        Assert.Equal("POST /nordlys/oauth2/v2.0/token", asked.Line);
        Assert.Contains("grant_type=client_credentials", asked.Body);
    }

    [Fact]
    public async Task Wrong_settings_stop_the_start()
    {
        foreach (
            var (setting, value, words) in ((string, string, string)[])
                [
                    ("Cway:Url", "ftp://cway.example", "CWAY_API_URL"),
                    ("Cway:Token", "two words", "CWAY_API_TOKEN"),
                    ("Cway:AuthMethod", "basic", "AUTH_METHOD"),
                    ("Cway:UseDeviceCodeFlow", "true", "USE_DEVICE_CODE_FLOW"),
                    ("Cway:TimeZone", "Mars", "Cway:TimeZone"),
                    ("Cway:Targets:a:File", "../secrets", "Cway:Targets:a:File"),
                    ("Cway:Targets:a:Platform", "pinecone", "Cway:Targets:a:Platform"),
                ]
        )
        {
            var failure = Assert.ThrowsAny<Exception>(() =>
                TestServer.Start(("Cway:Url", "http://127.0.0.1:1/graphql"), ("Cway:Token", "t"), (setting, value))
            );
            Assert.Contains(words, $"{failure}");
        }

        await Task.CompletedTask;
    }
}
