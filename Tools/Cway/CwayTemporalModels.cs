using System.ComponentModel;

namespace MinimalMcp.Tools.Cway;

// What CwayTemporalFigures gives.

internal sealed record CwayTimeline(
    string ProjectId,
    string ProjectName,
    int TotalRevisions,
    DateTimeOffset? FirstActivity,
    DateTimeOffset? LastActivity,
    int DaysSinceLastActivity,
    int TotalProjectDays,
    int ActiveDays,
    int IdleDays,
    double RevisionsPerDay,
    double RevisionsPerWeek,
    double RevisionsPerMonth,
    int MaxRevisionsPerDay,
    [property: Description("Mean time between two events.")] double MeanGapDays,
    [property: Description("inactive, low, moderate, high or burst.")] string ActivityLevel,
    [property: Description("none, low, moderate, high or critical.")] string StagnationRisk,
    [property: Description("When it is done if it goes on at this pace.")] DateOnly? EstimatedCompletion
);

internal sealed record CwayAlert(
    string ProjectId,
    string ProjectName,
    [property: Description("moderate, high or critical.")] string RiskLevel,
    int DaysSinceActivity,
    DateTimeOffset LastActivityDate,
    string PreviousActivityLevel,
    string ExpectedActivityLevel,
    [property: Description("6 (moderate), 8 (high) or 10 (critical).")] int UrgencyScore,
    IReadOnlyList<string> RecommendedActions
);

/// <param name="Period">2026-01-31, 2026-W05, 2026-01 or 2026-Q1.</param>
internal sealed record CwayPeriod(string Period, int Revisions);

internal sealed record CwaySprint(string StartDate, string EndDate, int TotalRevisions, int Days);

internal sealed record CwayIdle(string StartDate, string EndDate, int Days);

internal sealed record CwayVelocity(
    string ProjectId,
    string ProjectName,
    [property: Description("increasing, decreasing, stable or erratic.")] string VelocityTrend,
    [property: Description("0 (uneven) to 100 (the same every week).")] double VelocityConsistencyScore,
    IReadOnlyList<CwayPeriod> DailyVelocities,
    IReadOnlyList<CwayPeriod> WeeklyVelocities,
    IReadOnlyList<CwayPeriod> MonthlyVelocities,
    [property: Description("Two or more days in a row with 3 revisions or more.")]
        IReadOnlyList<CwaySprint> ActivitySprints,
    [property: Description("Seven or more days in a row without a revision.")] IReadOnlyList<CwayIdle> IdlePeriods,
    double VelocityForecastNextWeek,
    double VelocityForecastNextMonth
);

internal sealed record CwayTeamMetrics(
    int TotalActiveDays,
    string PeakActivityDayOfWeek,
    int PeakActivityHour,
    double TeamVelocityRevisionsPerDay,
    int TeamVelocityProjectsPerMonth,
    [property: Description("Projects in progress.")] int ConcurrentProjectActivity,
    double ProjectsPerActiveDay,
    IReadOnlyDictionary<string, int> RevisionsByWeekday,
    IReadOnlyList<CwayPeriod> RevisionsByMonth,
    IReadOnlyList<CwayPeriod> RevisionsByQuarter
);

internal sealed record CwayTemporalDashboard(
    DateTimeOffset GeneratedAt,
    int AnalysisPeriodDays,
    int TotalProjectsAnalyzed,
    int TotalRevisionsInPeriod,
    [property: Description("Mean revisions per week and project.")] double AvgProjectVelocity,
    IReadOnlyDictionary<string, int> ProjectsByActivityLevel,
    IReadOnlyDictionary<string, int> ProjectsByStagnationRisk,
    CwayTeamMetrics TeamTemporalMetrics,
    string OverallVelocityTrend,
    string ProductivityTrend,
    IReadOnlyList<CwayTimeline> MostActiveProjects,
    IReadOnlyList<CwayTimeline> MostStagnantProjects,
    [property: Description("Projects of stagnation risk high or critical.")] int ProjectsNeedingAttention,
    IReadOnlyList<string> TemporalRecommendations,
    int StagnationAlertsCount,
    string? Note
);
