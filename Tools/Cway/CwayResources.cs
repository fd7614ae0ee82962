using System.ComponentModel;
using System.Text.Json;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Cway;

/// <summary>What a client may put before its model without a tool call, as JSON.</summary>
[McpServerResourceType]
internal sealed class CwayResources(CwayClient cway, CwayHistoryClient history, CwayIndexTools indexing)
{
    internal const string Alerts = "cway://temporal-kpis/stagnation-alerts";

    private const string Json = "application/json";
    private const int MaxItems = 500; // of a list: the tools give the rest

    [McpServerResource(UriTemplate = "cway://projects", Name = "Cway Projects", MimeType = Json)]
    [Description("The projects of the planner: id, state, progress from 0 to 100, dates.")]
    public Task<string> Projects(CancellationToken ct) => PlannedAsync(_ => true, ct);

    [McpServerResource(UriTemplate = "cway://projects/active", Name = "Active Projects", MimeType = Json)]
    [Description("The projects in progress.")]
    public Task<string> ActiveProjects(CancellationToken ct) => PlannedAsync(project => project.IsActive, ct);

    [McpServerResource(UriTemplate = "cway://projects/completed", Name = "Completed Projects", MimeType = Json)]
    [Description("The projects that are delivered or closed.")]
    public Task<string> CompletedProjects(CancellationToken ct) => PlannedAsync(project => project.IsCompleted, ct);

    [McpServerResource(UriTemplate = "cway://projects/{id}", Name = "Cway Project", MimeType = Json)]
    [Description("One project with everything that belongs to it.")]
    public async Task<string> Project([Description("The project's UUID.")] string id, CancellationToken ct) =>
        Write(await CwayTools.RequireAsync(cway, id, ct));

    [McpServerResource(UriTemplate = "cway://users", Name = "Cway Users", MimeType = Json)]
    [Description("The users of the organisation.")]
    public async Task<string> Users(CancellationToken ct)
    {
        var (users, total, note) = await CwayUserTools.AllAsync(cway, null, MaxItems, ct);
        return Write(
            new
            {
                total,
                users,
                note,
            }
        );
    }

    [McpServerResource(UriTemplate = "cway://users/{id}", Name = "Cway User", MimeType = Json)]
    [Description("One user.")]
    public async Task<string> User([Description("The user's UUID or username.")] string id, CancellationToken ct) =>
        Write(await CwayUserTools.FindAsync(cway, id, ct) ?? throw CwayShape.NotFound("User", id, "cway_search_users"));

    [McpServerResource(UriTemplate = "cway://system/status", Name = "System Status", MimeType = Json)]
    [Description("Whether Cway answers, and whom our token belongs to.")]
    public async Task<string> Status(CancellationToken ct) => Write(await new CwayTools(cway).GetSystemStatus(ct));

    [McpServerResource(UriTemplate = "cway://kpis/dashboard", Name = "KPI Dashboard", MimeType = Json)]
    [Description("Totals, five KPIs with their status, projects by state and health, recommendations.")]
    public async Task<string> KpiDashboard(CancellationToken ct) =>
        Write(CwayFigures.Dashboard(await history.LoadAsync(null, ct), await CwayUserTools.CountAsync(cway, ct)));

    [McpServerResource(UriTemplate = "cway://kpis/project-health", Name = "Project Health Scores", MimeType = Json)]
    [Description("The ten projects with the worst health.")]
    public async Task<string> ProjectHealth(CancellationToken ct)
    {
        var health = CwayFigures.Health(await history.LoadAsync(null, ct));
        return Write(new { total = health.Count, projects = health.Take(10) });
    }

    [McpServerResource(UriTemplate = "cway://kpis/critical-projects", Name = "Critical Projects", MimeType = Json)]
    [Description("All projects whose health is critical or warning, the worst first.")]
    public async Task<string> CriticalProjects(CancellationToken ct)
    {
        var health = CwayFigures.Health(await history.LoadAsync(null, ct));
        var critical = health.Where(CwayAnalyticsTools.IsCritical).ToArray();
        return Write(new { total = critical.Length, projects = critical.Take(MaxItems) });
    }

    [McpServerResource(
        UriTemplate = "cway://temporal-kpis/dashboard",
        Name = "Temporal KPI Dashboard",
        MimeType = Json
    )]
    [Description("Activity, stagnation, team patterns and trends of the last 90 days.")]
    public async Task<string> TemporalDashboard(CancellationToken ct) =>
        Write(CwayTemporalFigures.Dashboard(await history.LoadAsync(null, ct), 90));

    [McpServerResource(
        UriTemplate = "cway://temporal-kpis/project-timelines",
        Name = "Project Activity Timelines",
        MimeType = Json
    )]
    [Description("Pace and activity of the 15 projects that something happened in last.")]
    public async Task<string> Timelines(CancellationToken ct)
    {
        var workspace = await history.LoadAsync(null, ct);
        var latest = workspace
            .Projects.OrderByDescending(facts => facts.Times is [.., var last] ? last : default)
            .Take(15);
        return Write(
            new
            {
                total = workspace.Projects.Count,
                timelines = latest.Select(facts => CwayTemporalFigures.Timeline(facts, workspace)),
            }
        );
    }

    [McpServerResource(UriTemplate = Alerts, Name = "Stagnation Alerts", MimeType = Json)]
    [Description("The ten most urgent projects without activity. A client that subscribes hears of new alerts.")]
    public async Task<string> StagnationAlerts(CancellationToken ct)
    {
        var alerts = CwayTemporalFigures.Alerts(await history.LoadAsync(null, ct), 1);
        return Write(new { total = alerts.Count, alerts = alerts.Take(10) });
    }

    [McpServerResource(
        UriTemplate = "cway://temporal-kpis/team-metrics",
        Name = "Team Temporal Metrics",
        MimeType = Json
    )]
    [Description("When the team works: by weekday, month and quarter, over all history.")]
    public async Task<string> TeamMetrics(CancellationToken ct)
    {
        var workspace = await history.LoadAsync(null, ct);
        return Write(CwayTemporalFigures.Team([.. workspace.Projects.SelectMany(facts => facts.Times)], workspace));
    }

    [McpServerResource(UriTemplate = "cway://indexing/targets", Name = "Indexing Targets", MimeType = Json)]
    [Description("Where the indexing tools may write, as the operator has configured it.")]
    public async Task<string> IndexingTargets(CancellationToken ct) =>
        Write(
            new
            {
                targets = (await indexing.TargetsAsync(ct)).Select(target => new
                {
                    name = target.Name,
                    platform = target.Target.Platform,
                    description = target.Description,
                    enabled = target.Enabled,
                }),
            }
        );

    [McpServerResource(UriTemplate = "cway://indexing/status", Name = "Indexing Status", MimeType = Json)]
    [Description("The last ten indexing jobs of this server, the newest first.")]
    public string IndexingStatus() => Write(new { jobs = indexing.Jobs.Reverse().Take(10) });

    [McpServerResource(UriTemplate = "cway://indexing/content-stats", Name = "Content Statistics", MimeType = Json)]
    [Description("How many documents of each type an index has.")]
    public async Task<string> ContentStats(CancellationToken ct)
    {
        var documents = await indexing.DocumentsAsync(null, null, ct);
        return Write(
            new
            {
                total = documents.Count,
                types = documents
                    .CountBy(document => document.Type)
                    .Select(type => new
                    {
                        type = type.Key,
                        count = type.Value,
                        percent = Math.Round(100.0 * type.Value / documents.Count, 1),
                    }),
            }
        );
    }

    [McpServerResource(UriTemplate = "cway://indexing/platforms", Name = "Supported Platforms", MimeType = Json)]
    [Description("What index targets can be, with their settings.")]
    public static string IndexingPlatforms() =>
        Write(
            new
            {
                platforms = new object[]
                {
                    new
                    {
                        name = "file",
                        settings = (string[])["File"],
                        writes = "JSON lines below Cway:DataFolder",
                    },
                    new
                    {
                        name = "elasticsearch",
                        settings = (string[])["Url", "Index", "ApiKey"],
                        writes = "_bulk",
                    },
                    new
                    {
                        name = "opensearch",
                        settings = (string[])["Url", "Index", "ApiKey"],
                        writes = "_bulk",
                    },
                },
            }
        );

    private async Task<string> PlannedAsync(Func<CwayProject, bool> which, CancellationToken ct)
    {
        var (projects, note) = await CwayTools.PlannerAsync(cway, ct);
        var chosen = projects.Where(which).ToArray();
        return Write(
            new
            {
                total = chosen.Length,
                projects = chosen.Take(MaxItems),
                note,
            }
        );
    }

    private static string Write(object value) => JsonSerializer.Serialize(value, CwayShape.Written);
}

/// <summary>Looks for new stagnation alerts while a client is subscribed to them, and announces them.</summary>
internal sealed partial class CwayAlertWatch(
    CwayClient cway,
    CwayHistoryClient history,
    ResourceUpdates updates,
    TimeProvider time,
    ILogger<CwayAlertWatch> logger
) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        HashSet<(string, string)>? known = null;
        using var timer = new PeriodicTimer(cway.Options.AlertInterval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (!updates.IsWatched(CwayResources.Alerts))
            {
                known = null; // whoever subscribes next reads them first
                continue;
            }

            try
            {
                var alerts = CwayTemporalFigures
                    .Alerts(await history.LoadAsync(null, stoppingToken), 1)
                    .Select(alert => (alert.ProjectId, alert.RiskLevel))
                    .ToHashSet();
                if (known is not null && !alerts.SetEquals(known))
                {
                    await updates.AnnounceAsync(CwayResources.Alerts);
                }

                known = alerts;
            }
            catch (Exception failed) when (failed is HttpRequestException or McpException)
            {
                LogFailed(failed.Message);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "Stagnation alerts could not be looked up: {Reason}")]
    private partial void LogFailed(string reason);
}
