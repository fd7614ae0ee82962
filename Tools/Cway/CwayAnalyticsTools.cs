using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Cway;

/// <summary>Figures over time. The formulas stand in CwayFigures.cs and CwayTemporalFigures.cs.</summary>
[McpServerToolType]
internal sealed class CwayAnalyticsTools(CwayClient cway, CwayHistoryClient history)
{
    [McpServerTool(
        Name = "cway_analyze_project_velocity",
        Title = "Analyse a project's velocity",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description(
        "Counts a project's events by day, ISO week and month, and derives trend, consistency, sprints, idle periods "
            + "and a forecast. For all projects together use cway_get_temporal_dashboard."
    )]
    public async Task<CwayVelocityResult> AnalyzeProjectVelocity(
        [Description(CwayTools.ProjectId)] string project_id,
        CancellationToken ct = default
    ) => await VelocityAsync(cway, history, CwayShape.Uuid(nameof(project_id), project_id), ct);

    [McpServerTool(
        Name = "cway_get_temporal_dashboard",
        Title = "Get the activity dashboard",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description(
        "Summarises the activity of all projects over a period: pace, activity levels, stagnation, team patterns, and "
            + "what to look at. The first call reads all history and may take a while."
    )]
    public async Task<CwayTemporalResult> GetTemporalDashboard(
        IProgress<ProgressNotificationValue> progress,
        [Description("Count events of so many days until now."), Range(1, 3650)] int analysis_period_days = 90,
        CancellationToken ct = default
    ) => new(CwayTemporalFigures.Dashboard(await history.LoadAsync(progress, ct), analysis_period_days));

    [McpServerTool(
        Name = "cway_get_stagnation_alerts",
        Title = "Get stagnation alerts",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description(
        "Lists open projects without activity for more than a week, the most urgent first, with what to do. "
            + "Urgency is 6 after 7 days, 8 after 30 and 10 after 90."
    )]
    public async Task<CwayAlerts> GetStagnationAlerts(
        IProgress<ProgressNotificationValue> progress,
        [Description("Leave out less urgent ones, 1 to 10."), Range(1, 10)] int min_urgency_score = 5,
        [Description("At most this many."), Range(1, 500)] int limit = 100,
        CancellationToken ct = default
    )
    {
        var workspace = await history.LoadAsync(progress, ct);
        var alerts = CwayTemporalFigures.Alerts(workspace, min_urgency_score);
        return new([.. alerts.Take(limit)], alerts.Count, min_urgency_score, workspace.Note);
    }

    [McpServerTool(
        Name = "cway_get_kpi_dashboard",
        Title = "Get the KPI dashboard",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description(
        "Summarises the workspace now: five KPIs with their status, projects by state and health, productivity and "
            + "recommendations. cway_get_project_health returns the projects one by one."
    )]
    public async Task<CwayKpiResult> GetKpiDashboard(
        IProgress<ProgressNotificationValue> progress,
        CancellationToken ct = default
    )
    {
        var workspace = await history.LoadAsync(progress, ct);
        return new(CwayFigures.Dashboard(workspace, await CwayUserTools.CountAsync(cway, ct)));
    }

    [McpServerTool(
        Name = "cway_get_project_health",
        Title = "Get the health of projects",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description("Scores every project from 0 (bad) to 100 by progress, revisions, state and activity; worst first.")]
    public async Task<CwayHealthList> GetProjectHealth(
        IProgress<ProgressNotificationValue> progress,
        [Description("true lists only projects in warning or critical state.")] bool critical_only = false,
        [Description("At most this many."), Range(1, 500)] int limit = 50,
        CancellationToken ct = default
    )
    {
        var workspace = await history.LoadAsync(progress, ct);
        var health = CwayFigures.Health(workspace);
        var chosen = critical_only ? [.. health.Where(IsCritical)] : health;
        return new([.. chosen.Take(limit)], chosen.Count, workspace.Note);
    }

    internal static bool IsCritical(CwayHealth health) => health.Level is "critical" or "warning";

    internal static async Task<CwayVelocityResult> VelocityAsync(
        CwayClient cway,
        CwayHistoryClient history,
        string id,
        CancellationToken ct
    )
    {
        var (project, note) = await CwayTools.ReadAsync(cway, id, ct);
        if (project is null)
        {
            return new(null, "Project not found");
        }

        var (events, _) = await cway.AskAsync<List<CwayRawEvent?>>(
            "CwayProjectHistory",
            "projectHistory",
            new { id },
            ct
        );
        var facts = new CwayFacts(
            new(id, project.Name, null, null, project.State, null, null, null, null, project.Progress, null, null),
            [.. events.Present().Select(one => CwayEvent.SecondsOf(one.Timestamp)).Order()]
        );
        var velocity = CwayTemporalFigures.Velocity(facts, new([facts], history.Now, history.Zone, null));
        return new(velocity, velocity is null ? "The project has no history yet, so there is no velocity." : note);
    }
}

internal sealed record CwayVelocityResult(CwayVelocity? ProjectVelocityAnalysis, string? Note);

internal sealed record CwayTemporalResult(CwayTemporalDashboard TemporalKpiDashboard);

internal sealed record CwayAlerts(
    IReadOnlyList<CwayAlert> StagnationAlerts,
    int TotalAlerts,
    int MinUrgencyFilter,
    string? Note
);

internal sealed record CwayKpiResult(CwayKpiDashboard KpiDashboard);

internal sealed record CwayHealthList(IReadOnlyList<CwayHealth> Projects, int Total, string? Note);
