using MinimalMcp.Tools.Cway;
using static MinimalMcp.Tests.Tools.Cway.CwayFiguresTests;

namespace MinimalMcp.Tests.Tools.Cway;

/// <summary>Pace, activity and stagnation, against tables worked out by hand. Now is 2026-03-31, 12:00.</summary>
public sealed class CwayTemporalFiguresTests
{
    [Fact]
    public void The_timeline_of_a_project()
    {
        // Seven events on 1, 1, 1, 3, 8, 10 and 10 March: ten days, four of them active.
        var facts = Project(
            "a",
            "IN_PROGRESS",
            50,
            At("2026-03-01T08:00"),
            At("2026-03-01T09:00"),
            At("2026-03-01T10:00"),
            At("2026-03-03T08:00"),
            At("2026-03-08T08:00"),
            At("2026-03-10T07:00"),
            At("2026-03-10T08:00")
        );

        var timeline = CwayTemporalFigures.Timeline(facts, Workspace(facts));

        Assert.Equal((7, 21, 10, 4, 6, 3), Counts());
        Assert.Equal(
            (0.7, 4.9, 21.0, 1.5),
            (timeline.RevisionsPerDay, timeline.RevisionsPerWeek, timeline.RevisionsPerMonth, timeline.MeanGapDays)
        );
        Assert.Equal(("moderate", "moderate"), (timeline.ActivityLevel, timeline.StagnationRisk));
        Assert.Equal(new DateOnly(2026, 3, 15), timeline.EstimatedCompletion); // half of 7 at 0.7 a day: 5 days

        (int, int, int, int, int, int) Counts() =>
            (
                timeline.TotalRevisions,
                timeline.DaysSinceLastActivity,
                timeline.TotalProjectDays,
                timeline.ActiveDays,
                timeline.IdleDays,
                timeline.MaxRevisionsPerDay
            );
    }

    [Fact]
    public void A_project_without_events_is_inactive_and_at_no_risk()
    {
        var facts = Project("a", "IN_PROGRESS", 0);

        var timeline = CwayTemporalFigures.Timeline(facts, Workspace(facts));

        Assert.Equal(
            ("inactive", "none", 0),
            (timeline.ActivityLevel, timeline.StagnationRisk, timeline.TotalProjectDays)
        );
        Assert.Null(CwayTemporalFigures.Velocity(facts, Workspace(facts)));
    }

    [Theory]
    [InlineData(0, "inactive")]
    [InlineData(0.99, "low")]
    [InlineData(1, "moderate")]
    [InlineData(4.99, "moderate")]
    [InlineData(5, "high")]
    [InlineData(14.99, "high")]
    [InlineData(15, "burst")]
    public void The_level_of_activity(double perWeek, string level) =>
        Assert.Equal(level, CwayTemporalFigures.ActivityLevel(perWeek));

    [Theory]
    [InlineData(0, "none")]
    [InlineData(1, "low")]
    [InlineData(7, "low")]
    [InlineData(8, "moderate")]
    [InlineData(30, "moderate")]
    [InlineData(31, "high")]
    [InlineData(90, "high")]
    [InlineData(91, "critical")]
    public void The_risk_of_stagnation(int days, string risk) =>
        Assert.Equal(risk, CwayTemporalFigures.StagnationRisk(days));

    [Fact]
    public void Alerts_are_for_open_projects_and_the_most_urgent_first()
    {
        var workspace = Workspace(
            Project("week", "IN_PROGRESS", 10, At("2026-03-25T12:00")), // 6 days: low
            Project("fortnight", "IN_PROGRESS", 10, At("2026-03-17T12:00")), // 14: 6
            Project("quarter", "STAND_BY", 10, [.. Enumerable.Repeat(At("2025-12-21T12:00"), 21)]), // 100: 10
            Project("two months", "PLANNED", 0, [.. Enumerable.Repeat(At("2026-01-30T12:00"), 5)]), // 60: 8
            Project("delivered", "DELIVERED", 100, At("2025-01-01T12:00")),
            Project("empty", "IN_PROGRESS", 0)
        );

        Assert.Equal(
            [("quarter", 10, 100, "high"), ("two months", 8, 60, "moderate"), ("fortnight", 6, 14, "low")],
            CwayTemporalFigures
                .Alerts(workspace, 5)
                .Select(alert =>
                    (alert.ProjectName, alert.UrgencyScore, alert.DaysSinceActivity, alert.PreviousActivityLevel)
                )
        );
        Assert.Equal(2, CwayTemporalFigures.Alerts(workspace, 7).Count);
        Assert.All(CwayTemporalFigures.Alerts(workspace, 1), alert => Assert.Equal(4, alert.RecommendedActions.Count));
    }

    // A week has the year of its Thursday (ISO 8601): the original counted the first into 2027-W53.
    [Theory]
    [InlineData("2027-01-01", "2026-W53")]
    [InlineData("2024-12-30", "2025-W01")]
    [InlineData("2026-03-31", "2026-W14")]
    public void Weeks_are_those_of_ISO_8601(string day, string week) =>
        Assert.Equal(week, CwayTemporalFigures.WeekOf(DateOnly.Parse(day)));

    [Theory]
    [InlineData(new[] { 9, 1 }, "stable", 50)] // fewer than three
    [InlineData(new[] { 2, 2, 2, 2 }, "stable", 100)]
    [InlineData(new[] { 2, 2, 2, 3, 3, 3 }, "increasing", 89.05)] // 2.5, s = 0.5477, CV = 0.2191
    [InlineData(new[] { 3, 3, 3, 2, 2, 2 }, "decreasing", 89.05)]
    [InlineData(new[] { 0, 0, 0, 0, 9 }, "erratic", 0)] // mean 1.8, s = 4.02
    [InlineData(new[] { 5, 5, 5, 6, 6, 6 }, "stable", 95.02)] // 6 is not above 5 × 1.2; s = 0.5477, CV = 0.0996
    public void The_trend_of_weeks(int[] weeks, string trend, double consistency) =>
        Assert.Equal((trend, consistency), CwayTemporalFigures.Trend(weeks));

    [Fact]
    public void Velocity_has_series_without_holes_sprints_idle_periods_and_a_forecast()
    {
        // Three on 2 and 3 March (a sprint), one on 20 March; today is 31 March. Idle: 4 to 19, and 21 to 31.
        var facts = Project(
            "a",
            "IN_PROGRESS",
            50,
            [
                .. Enumerable.Repeat(At("2026-03-02T08:00"), 3),
                .. Enumerable.Repeat(At("2026-03-03T08:00"), 3),
                At("2026-03-20T08:00"),
            ]
        );

        var velocity = CwayTemporalFigures.Velocity(facts, Workspace(facts))!;

        Assert.Equal(30, velocity.DailyVelocities.Count);
        Assert.Equal(
            [("2026-W10", 6), ("2026-W11", 0), ("2026-W12", 1), ("2026-W13", 0), ("2026-W14", 0)],
            velocity.WeeklyVelocities.Select(week => (week.Period, week.Revisions))
        );
        Assert.Equal([("2026-03", 7)], velocity.MonthlyVelocities.Select(month => (month.Period, month.Revisions)));
        Assert.Equal(new CwaySprint("2026-03-02", "2026-03-03", 6, 2), Assert.Single(velocity.ActivitySprints));
        Assert.Equal(
            [new CwayIdle("2026-03-04", "2026-03-19", 16), new CwayIdle("2026-03-21", "2026-03-31", 11)],
            velocity.IdlePeriods
        );
        // (0 + 1 + 0 + 0) / 4
        Assert.Equal((0.25, 1.0), (velocity.VelocityForecastNextWeek, velocity.VelocityForecastNextMonth));
        Assert.Equal("erratic", velocity.VelocityTrend);
    }

    [Fact]
    public void The_period_of_the_dashboard_counts_only_what_is_in_it()
    {
        var workspace = Workspace(
            Project("old", "IN_PROGRESS", 10, [.. Enumerable.Repeat(At("2025-12-01T08:00"), 10)]),
            Project("new", "IN_PROGRESS", 10, [.. Enumerable.Repeat(At("2026-03-30T08:00"), 4)])
        );

        var month = CwayTemporalFigures.Dashboard(workspace, 30);
        var year = CwayTemporalFigures.Dashboard(workspace, 365);

        Assert.Equal((4, 14), (month.TotalRevisionsInPeriod, year.TotalRevisionsInPeriod));
        Assert.Equal((1, 1), (month.ProjectsByActivityLevel["inactive"], month.ProjectsByActivityLevel["burst"]));
        Assert.Equal(2, year.ProjectsByActivityLevel["burst"]); // all of their one day: 10 × 7 and 4 × 7 a week
        // Stagnation looks at all of it: 120 days, and 1.
        Assert.Equal((1, 1), (month.ProjectsByStagnationRisk["critical"], month.ProjectsByStagnationRisk["low"]));
        Assert.Equal(("old", 1), (month.MostStagnantProjects[0].ProjectName, month.ProjectsNeedingAttention));
        Assert.Equal("increasing", month.ProductivityTrend);
    }

    [Fact]
    public void The_trend_of_all_is_that_of_the_projects()
    {
        // Two events on each of three Mondays, then three on each of three: 2, 2, 2, 3, 3, 3.
        var mondays = Enumerable.Range(0, 6).Select(week => At("2026-02-23T08:00") + (week * 7 * 86_400L));
        var facts = Project(
            "a",
            "IN_PROGRESS",
            10,
            [.. mondays.SelectMany((monday, week) => Enumerable.Repeat(monday, week < 3 ? 2 : 3))]
        );

        Assert.Equal("increasing", CwayTemporalFigures.Velocity(facts, Workspace(facts))!.VelocityTrend);
        Assert.Equal("increasing", CwayTemporalFigures.Dashboard(Workspace(facts), 365).OverallVelocityTrend);
    }

    [Fact]
    public void Days_and_hours_are_those_of_the_time_zone()
    {
        var facts = Project("a", "IN_PROGRESS", 10, At("2026-03-30T22:30")); // in Stockholm 00:30 of Tuesday
        var zone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Stockholm");

        var utc = CwayTemporalFigures.Team(facts.Times, Workspace(facts));
        var local = CwayTemporalFigures.Team(facts.Times, Workspace(facts) with { Zone = zone });

        Assert.Equal(("Monday", 22), (utc.PeakActivityDayOfWeek, utc.PeakActivityHour));
        Assert.Equal(("Tuesday", 0), (local.PeakActivityDayOfWeek, local.PeakActivityHour));
    }

    [Fact]
    public void A_team_without_events_peaks_on_Monday_at_nine()
    {
        var team = CwayTemporalFigures.Team([], Workspace());

        Assert.Equal(("Monday", 9, 0), (team.PeakActivityDayOfWeek, team.PeakActivityHour, team.TotalActiveDays));
    }

    [Theory]
    [InlineData(1_760_000_000L)]
    [InlineData(1_760_000_000_000L)]
    public void Timestamps_are_seconds_or_milliseconds(long timestamp) =>
        Assert.Equal(1_760_000_000L, CwayEvent.SecondsOf(timestamp));

    private static long At(string time) =>
        new DateTimeOffset(DateTime.Parse(time, null), TimeSpan.Zero).ToUnixTimeSeconds();
}
