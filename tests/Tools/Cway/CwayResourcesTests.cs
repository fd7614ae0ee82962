using System.Text.Json;
using CwaySample;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Tools.Cway;

/// <summary>Resources with their subscriptions, and prompts.</summary>
[Slow]
public sealed class CwayResourcesTests
{
    private static readonly string[] Uris =
    [
        "cway://indexing/content-stats",
        "cway://indexing/platforms",
        "cway://indexing/status",
        "cway://indexing/targets",
        "cway://kpis/critical-projects",
        "cway://kpis/dashboard",
        "cway://kpis/project-health",
        "cway://projects",
        "cway://projects/active",
        "cway://projects/completed",
        "cway://system/status",
        "cway://temporal-kpis/dashboard",
        "cway://temporal-kpis/project-timelines",
        "cway://temporal-kpis/stagnation-alerts",
        "cway://temporal-kpis/team-metrics",
        "cway://users",
    ];

    [Fact]
    public async Task All_sixteen_are_listed_and_read_as_JSON()
    {
        await using var lab = await CwayLab.StartAsync();

        var listed = (await lab.Server.McpAsync("resources/list")).Result.GetProperty("resources").EnumerateArray();
        Assert.Equal(
            Uris,
            listed
                .Select(one => one.GetProperty("uri").GetString()!)
                .Where(uri => uri.StartsWith("cway:"))
                .Order(StringComparer.Ordinal)
        );
        foreach (var uri in Uris)
        {
            Assert.Equal(JsonValueKind.Object, (await ReadAsync(lab, uri)).ValueKind);
        }

        Assert.Equal(40, (await ReadAsync(lab, "cway://projects")).GetProperty("total").GetInt32());
        Assert.Equal(16, (await ReadAsync(lab, "cway://projects/active")).GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task Templates_read_one_project_and_one_user()
    {
        await using var lab = await CwayLab.StartAsync();
        var templates = (await lab.Server.McpAsync("resources/templates/list")).Result.GetProperty("resourceTemplates");
        Assert.Equal(
            ["cway://projects/{id}", "cway://users/{id}"],
            templates.EnumerateArray().Select(one => one.GetProperty("uriTemplate").GetString()).Order()
        );

        Assert.Equal(
            lab.Open.Name,
            (await ReadAsync(lab, $"cway://projects/{lab.Open.Id}")).GetProperty("name").GetString()
        );
        var me = lab.Cway.Workspace.Me;
        Assert.Equal(me.Username, (await ReadAsync(lab, $"cway://users/{me.Id}")).GetProperty("username").GetString());
    }

    [Fact]
    public async Task A_new_stagnation_alert_is_told_to_who_subscribed()
    {
        await using var lab = await CwayLab.StartAsync(null, null, ("Cway:AlertInterval", "00:00:00.2"));
        var session = await lab.Server.InitializeAsync();
        using var events = await lab.Server.OpenAsync(
            "/mcp",
            ("Mcp-Session-Id", session!),
            ("Accept", "text/event-stream")
        );
        var uri = new { uri = "cway://temporal-kpis/stagnation-alerts" };
        var subscribed = await lab.Server.McpAsync("resources/subscribe", uri, session: session);
        Assert.Equal(JsonValueKind.Object, subscribed.Result.ValueKind);

        // A project with old history, and then one whose alert goes: each look after that sees a difference.
        var message = await ToldAsync(lab, events);

        Assert.Equal("notifications/resources/updated", message.GetProperty("method").GetString());
        Assert.Equal(uri.uri, message.GetProperty("params").GetProperty("uri").GetString());
        await lab.Server.McpAsync("resources/unsubscribe", uri, session: session);
    }

    [Fact]
    public async Task Prompts_have_the_data_of_now()
    {
        await using var lab = await CwayLab.StartAsync();

        var weekly = await PromptAsync(lab, "cway_weekly_report", new { audience = "the board" });
        var risks = await PromptAsync(lab, "cway_risk_review", new { });
        var onboarding = await PromptAsync(lab, "cway_project_onboarding", new { project_id = lab.Open.Id });

        Assert.Contains("the board", weekly);
        Assert.Contains("\"totalProjectsAnalyzed\":40", weekly);
        Assert.Contains("\"urgencyScore\":10", risks);
        Assert.Contains(lab.Open.Name, onboarding);
    }

    // Until the watch has looked once, nothing is new to it: so the workspace goes on changing.
    private static async Task<JsonElement> ToldAsync(CwayLab lab, Events events)
    {
        using var done = new CancellationTokenSource();
        var changing = Task.Run(
            async () =>
            {
                var projects = lab.Cway.Workspace.Projects.Where(project => project.State is ProjectState.IN_PROGRESS);
                foreach (
                    var project in projects.Where(project =>
                        project.History is [.., var last] && last.At < DateTimeOffset.UtcNow.AddDays(-8)
                    )
                )
                {
                    lab.Cway.Workspace.Record(project, "Looked", "Somebody looked");
                    await Task.Delay(500, done.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            },
            TestContext.Current.CancellationToken
        );
        var message = await events.MessageAsync();
        await done.CancelAsync();
        await changing;
        return message;
    }

    private static async Task<JsonElement> ReadAsync(CwayLab lab, string uri)
    {
        var content = (await lab.Server.McpAsync("resources/read", new { uri })).Result.GetProperty("contents")[0];
        Assert.Equal("application/json", content.GetProperty("mimeType").GetString());
        return JsonElement.Parse(content.GetProperty("text").GetString()!);
    }

    private static async Task<string> PromptAsync(CwayLab lab, string name, object arguments) =>
        (await lab.Server.McpAsync("prompts/get", new { name, arguments }))
            .Result.GetProperty("messages")[0]
            .GetProperty("content")
            .GetProperty("text")
            .GetString()!;
}
