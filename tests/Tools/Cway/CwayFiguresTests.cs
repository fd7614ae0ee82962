using MinimalMcp.Tools.Cway;

namespace MinimalMcp.Tests.Tools.Cway;

/// <summary>The formulas, against tables that were worked out by hand.</summary>
public sealed class CwayFiguresTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 31, 12, 0, 0, TimeSpan.Zero); // a Tuesday

    [Fact]
    public void The_five_KPIs_of_four_projects_and_eight_users()
    {
        var kpis = CwayFigures.Kpis(
            [
                Project("a", "DELIVERED", 100, Events(50)), // 50 / 100 = 0.5
                Project("b", "IN_PROGRESS", 40, Events(60)), // 60 / 40 = 1.5
                Project("c", "STAND_BY", 0, Events(3)),
                Project("d", "CLOSED", 20, Events(20)), // 20 / 20 = 1
            ],
            users: 8
        );

        Assert.Equal(
            [
                ("Project Completion Rate", 50.0, "healthy"), // a and d of 4
                ("Stalled Project Rate", 25.0, "healthy"), // c of 4, between 10 and 50
                ("System Utilization", 75.0, "healthy"),
                ("Revision Efficiency", 1.0, "excellent"), // (0.5 + 1.5 + 1) / 3
                ("Team Engagement", 50.0, "healthy"), // 4 projects to 8 users
            ],
            kpis.Select(kpi => (kpi.Name, kpi.Value, kpi.Status))
        );
    }

    [Fact]
    public void An_empty_workspace_is_all_zero() =>
        Assert.All(CwayFigures.Kpis([], 0), kpi => Assert.Equal(0, kpi.Value));

    // High is good: 20 warns, 5 is critical. High is bad: 50 warns, 80 is critical, which the original had upside down.
    [Theory]
    [InlineData(4, 20, 5, "critical")]
    [InlineData(5, 20, 5, "critical")]
    [InlineData(6, 20, 5, "warning")]
    [InlineData(20, 20, 5, "warning")]
    [InlineData(21, 20, 5, "healthy")]
    [InlineData(90, 20, 5, "excellent")]
    [InlineData(0, 50, 80, "excellent")]
    [InlineData(10, 50, 80, "excellent")]
    [InlineData(11, 50, 80, "healthy")]
    [InlineData(50, 50, 80, "warning")]
    [InlineData(79, 50, 80, "warning")]
    [InlineData(80, 50, 80, "critical")]
    [InlineData(100, 50, 80, "critical")]
    public void The_status_of_a_value(double value, double warning, double critical, string status) =>
        Assert.Equal(status, CwayFigures.Status(value, warning, critical));

    // score = 0.30 progress + 0.25 efficiency + 0.25 state + 0.20 activity
    [Theory]
    [InlineData("DELIVERED", 100, 60, 100, "excellent", "LOW")] // 30 + 25 (0.6) + 25 + 20
    [InlineData("IN_PROGRESS", 50, 10, 75.5, "healthy", "MEDIUM")] // 21 + 20 (0.2) + 17.5 + 17
    [InlineData("IN_PROGRESS", 10, 70, 64.5, "warning", "HIGH")] // 12 + 15 (7) + 17.5 + 20
    [InlineData("IN_PROGRESS", 0, 0, 35, "critical", "CRITICAL")] // 3 + 12.5 + 17.5 + 2
    [InlineData("STAND_BY", 0, 4, 32.5, "critical", "CRITICAL")] // 3 + 5 + 12.5 + 12
    [InlineData("CLOSED", 30, 0, 49.75, "critical", "CRITICAL")] // 16.5 + 7.5 + 23.75 + 2
    [InlineData(null, 95, 1, 62, "warning", "HIGH")] // 30 + 20 + 0 + 12
    public void The_health_of_a_project(
        string? state,
        double percent,
        int revisions,
        double score,
        string level,
        string risk
    )
    {
        var health = CwayFigures.HealthOf(Project("a", state, percent, Events(revisions)));

        Assert.Equal((score, level, risk), (health.HealthScore, health.Level, health.RiskLevel));
    }

    [Theory]
    [InlineData(0, 0, 50)]
    [InlineData(0, 1, 20)]
    [InlineData(10, 0, 30)]
    [InlineData(100, 49, 80)] // 0.49
    [InlineData(100, 50, 100)] // 0.5
    [InlineData(100, 200, 100)] // 2
    [InlineData(100, 201, 80)]
    [InlineData(100, 500, 80)]
    [InlineData(100, 501, 60)]
    [InlineData(100, 1001, 30)]
    public void Revision_efficiency(double percent, int revisions, double score) =>
        Assert.Equal(score, CwayFigures.EfficiencyScore(percent, revisions));

    [Fact]
    public void The_dashboard_counts_by_state_health_and_revisions()
    {
        var dashboard = CwayFigures.Dashboard(
            Workspace(
                Project("a", "DELIVERED", 100, Events(60)),
                Project("b", "IN_PROGRESS", 0, Events(0)),
                Project("c", "STAND_BY", 0, Events(4)),
                Project("d", "CLOSED", 30, Events(11))
            ),
            users: 2
        );

        Assert.Equal((4, 2, 75), (dashboard.Totals.Projects, dashboard.Totals.Users, dashboard.Totals.Revisions));
        Assert.Equal([0, 1, 1, 1, 1], CwayState.All.Select(state => dashboard.ProjectsByState[state]));
        Assert.Equal([1, 1, 1, 0, 1], ((string[])["0", "1-10", "11-20", "21-50", "50+"]).Select(Bucket));
        Assert.Equal((2, 2, 18.75, 37.5), Productivity());
        Assert.DoesNotContain(dashboard.Recommendations, text => text.Contains("More than half"));

        int Bucket(string name) => dashboard.ProjectsByRevisions[name];
        (int, int, double, double) Productivity() =>
            (
                dashboard.TeamProductivity.ActiveProjects,
                dashboard.TeamProductivity.StalledProjects,
                dashboard.TeamProductivity.RevisionsPerProject,
                dashboard.TeamProductivity.RevisionsPerUser
            );
    }

    [Fact]
    public void The_summary_finds_open_projects_whose_end_is_near()
    {
        var summary = CwayFigures.StatusSummary(
            [
                Found("late", "IN_PROGRESS", 10, "2026-03-01"),
                Found("near", "STAND_BY", 79, "2026-04-07"),
                Found("far", "IN_PROGRESS", 0, "2026-04-08"),
                Found("nearly done", "IN_PROGRESS", 80, "2026-04-01"),
                Found("done", "DELIVERED", 50, "2026-03-01"),
                Found("endless", "IN_PROGRESS", 0, null),
            ],
            new DateOnly(2026, 3, 31)
        );

        Assert.Equal(["late", "near"], summary.AtRisk.Select(project => project.Name));
        Assert.Equal((6, 2, 36.5), (summary.Total, summary.DeadlineAtRisk, summary.AverageProgress));
    }

    // The fixture has 40.0; another upstream, or another field of the same one, may have 0.4.
    [Theory]
    [InlineData(new[] { 40.0, 100, 0 }, new[] { 40.0, 100, 0 })]
    [InlineData(new[] { 0.4, 1, 0 }, new[] { 40.0, 100, 0 })]
    [InlineData(new[] { 1.0, 0 }, new[] { 100.0, 0 })] // alone, 1 is all of it
    [InlineData(new[] { 0.5, 40, 1 }, new[] { 0.5, 40, 1 })] // 40 shows that 0.5 is half a percent
    [InlineData(new[] { 140.0, -3, double.NaN }, new[] { 100.0, 0, -1 })]
    public void Progress_is_percent_whatever_is_sent(double[] sent, double[] percent)
    {
        var scale = new CwayPercent("auto");
        scale.Learn(sent.Select(value => (double?)value));

        Assert.Equal(percent, sent.Select(value => scale.Of(value) ?? -1));
    }

    [Fact]
    public void The_operator_may_say_how_progress_counts()
    {
        var percent = new CwayPercent("percent");
        percent.Learn([0.4, 0.9]);
        Assert.Equal(0.4, percent.Of(0.4));

        var fraction = new CwayPercent("fraction");
        fraction.Learn([2]);
        Assert.Equal(100, fraction.Of(1));
    }

    [Fact]
    public void On_REST_progress_counts_to_one() =>
        Assert.Equal(0.4, CwayRestProject.Of(new CwayProject("a", "A", "IN_PROGRESS", 40, null, null)).PercentageDone);

    internal static CwayFacts Project(string name, string? state, double percent, params IReadOnlyList<long> times) =>
        new(Found(name, state, percent, null), times);

    internal static CwayWorkspace Workspace(params CwayFacts[] projects) => new(projects, Now, TimeZoneInfo.Utc, null);

    private static CwayFoundProject Found(string name, string? state, double percent, string? end) =>
        new(
            name,
            name,
            null,
            null,
            state,
            "GREEN",
            null,
            end,
            null,
            new CwayProgress(percent, null, null, null),
            null,
            null
        );

    private static long[] Events(int count) => [.. Enumerable.Range(0, count).Select(at => 1_760_000_000L + (at * 60))];
}
