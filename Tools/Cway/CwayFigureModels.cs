using System.ComponentModel;

namespace MinimalMcp.Tools.Cway;

// What CwayFigures gives.

internal sealed record CwayKpiDashboard(
    DateTimeOffset GeneratedAt,
    CwayTotals Totals,
    IReadOnlyList<CwayKpi> Kpis,
    IReadOnlyDictionary<string, int> ProjectsByHealth,
    IReadOnlyDictionary<string, int> ProjectsByState,
    IReadOnlyDictionary<string, int> ProjectsByRevisions,
    CwayProductivity TeamProductivity,
    IReadOnlyList<string> Recommendations,
    string? Note
);

internal sealed record CwayTotals(int Projects, int Users, int Revisions);

internal sealed record CwayKpi(
    string Name,
    double Value,
    string Unit,
    [property: Description("excellent, healthy, warning or critical.")] string Status,
    double WarningThreshold,
    double CriticalThreshold
);

internal sealed record CwayProductivity(
    int TotalProjects,
    int TotalRevisions,
    int ActiveProjects,
    int StalledProjects,
    double RevisionsPerProject,
    double RevisionsPerUser,
    double ProjectsPerUser,
    double Utilization
);

/// <param name="RiskLevel">LOW, MEDIUM, HIGH or CRITICAL.</param>
/// <param name="Level">excellent, healthy, warning or critical.</param>
internal sealed record CwayHealth(
    string ProjectId,
    string ProjectName,
    double HealthScore,
    string RiskLevel,
    string Level,
    CwayHealthMetrics Metrics,
    IReadOnlyList<string> Recommendations
);

internal sealed record CwayHealthMetrics(
    double Progress,
    int Revisions,
    string? State,
    double ProgressScore,
    double EfficiencyScore,
    double StateScore,
    double ActivityScore
);

internal sealed record CwayStatusSummary(
    int Total,
    IReadOnlyDictionary<string, int> ByState,
    IReadOnlyDictionary<string, int> ByStatus,
    [property: Description("0 to 100.")] double AverageProgress,
    [property: Description("Open projects below 80 % that end within 7 days or should have ended.")] int DeadlineAtRisk,
    [property: Description("The first 50 of them, the earliest first.")] IReadOnlyList<CwayDeadline> AtRisk,
    string? Note
);

internal sealed record CwayDeadline(string? Id, string? Name, string? EndDate, double? PercentageDone);

internal sealed record CwayComparison(
    IReadOnlyList<CwayCompared> Projects,
    int ProjectCount,
    double AvgProgress,
    int TotalArtworks,
    IReadOnlyList<string> States,
    IReadOnlyList<string> Statuses,
    string? Note
);

internal sealed record CwayCompared(
    string? Id,
    string? Name,
    string? State,
    string? Status,
    [property: Description("0 to 100.")] double? PercentageDone,
    int Artworks,
    string? StartDate,
    string? EndDate,
    string? LastActivity
);

internal sealed record CwayTrends(IReadOnlyList<CwayTrend> Trends, int MonthCount, string? Note);

internal sealed record CwayTrend(string? Month, int OpenProjects, int? Change);
