namespace MinimalMcp.Tools.Cway;

/// <summary>
/// The KPIs of a workspace at this moment. Progress counts from 0 to 100 here. CLOSED counts as the original's
/// COMPLETED, which Cway's schema does not have, and STAND_BY as its PLANNED.
/// </summary>
internal static class CwayFigures
{
    public static CwayKpiDashboard Dashboard(CwayWorkspace workspace, int users)
    {
        var projects = workspace.Projects;
        var health = Health(workspace);
        var kpis = Kpis(projects, users);
        return new(
            workspace.Now,
            new(projects.Count, users, projects.Sum(project => project.Times.Count)),
            kpis,
            Counted(health.Select(project => project.Level), ["excellent", "healthy", "warning", "critical"]),
            Counted(projects.Select(project => project.Project.State ?? "UNKNOWN"), CwayState.All),
            Counted(projects.Select(project => Bucket(project.Times.Count)), ["0", "1-10", "11-20", "21-50", "50+"]),
            Productivity(projects, users),
            Recommendations(projects, health, kpis),
            workspace.Note
        );
    }

    public static IReadOnlyList<CwayKpi> Kpis(IReadOnlyList<CwayFacts> projects, int users)
    {
        var count = projects.Count;
        var started = projects.Where(project => project.Percent > 0).ToArray();
        return
        [
            Kpi("Project Completion Rate", "%", Share(projects.Count(project => project.IsFinished), count), 20, 5),
            Kpi("Stalled Project Rate", "%", Share(projects.Count(project => project.Percent <= 0), count), 50, 80),
            Kpi("System Utilization", "%", Share(started.Length, count), 40, 20),
            Kpi(
                "Revision Efficiency",
                "revisions per percent of progress",
                started.Length == 0 ? 0 : started.Average(project => project.Times.Count / project.Percent),
                5,
                10
            ),
            Kpi("Team Engagement", "%", users == 0 ? 0 : Math.Min(100, 100.0 * count / users), 30, 15),
        ];
    }

    /// <summary>
    /// The status of a value. Where high is good, the thresholds fall (20, then 5); where high is bad, they rise (50,
    /// then 80), and low is excellent.
    /// </summary>
    public static string Status(double value, double warning, double critical) =>
        warning > critical
            ? value <= critical
                ? "critical"
                : value <= warning
                    ? "warning"
                    : value >= 90
                        ? "excellent"
                        : "healthy"
            : value >= critical
                ? "critical"
                : value >= warning
                    ? "warning"
                    : value <= warning / 5
                        ? "excellent"
                        : "healthy";

    /// <summary>Every project with its health, the worst first.</summary>
    public static IReadOnlyList<CwayHealth> Health(CwayWorkspace workspace) =>
        [
            .. workspace
                .Projects.Select(HealthOf)
                .OrderBy(health => health.HealthScore)
                .ThenBy(health => health.ProjectName, StringComparer.Ordinal),
        ];

    public static CwayHealth HealthOf(CwayFacts facts)
    {
        var (percent, revisions, state) = (facts.Percent, facts.Times.Count, facts.Project.State);
        var progress = ProgressScore(percent);
        var efficiency = EfficiencyScore(percent, revisions);
        var standing = StateScore(state);
        var activity = ActivityScore(revisions);
        var score = Math.Round((0.30 * progress) + (0.25 * efficiency) + (0.25 * standing) + (0.20 * activity), 2);
        return new(
            facts.Project.Id!,
            facts.Project.Name ?? "",
            score,
            score >= 85 ? "LOW"
                : score >= 70 ? "MEDIUM"
                : score >= 50 ? "HIGH"
                : "CRITICAL",
            score >= 85 ? "excellent"
                : score >= 70 ? "healthy"
                : score >= 50 ? "warning"
                : "critical",
            new(percent, revisions, state, progress, efficiency, standing, activity),
            [.. Advice(percent, revisions, state, progress, efficiency)]
        );
    }

    public static double ProgressScore(double percent) =>
        percent switch
        {
            >= 90 => 100,
            >= 70 => 85,
            >= 50 => 70,
            >= 25 => 55,
            > 0 => 40,
            _ => 10,
        };

    public static double EfficiencyScore(double percent, int revisions) =>
        percent <= 0 ? (revisions > 0 ? 20 : 50)
        : revisions == 0 ? 30
        : (revisions / percent) switch
        {
            >= 0.5 and <= 2 => 100,
            <= 5 => 80,
            <= 10 => 60,
            _ => 30,
        };

    public static double StateScore(string? state) =>
        state switch
        {
            "DELIVERED" => 100,
            "CLOSED" or "COMPLETED" => 95,
            "IN_PROGRESS" => 70,
            "PLANNED" or "STAND_BY" => 50,
            _ => 0,
        };

    public static double ActivityScore(int revisions) =>
        revisions switch
        {
            0 => 10,
            <= 5 => 60,
            <= 20 => 85,
            _ => 100,
        };

    public static CwayStatusSummary StatusSummary(IReadOnlyList<CwayFoundProject> projects, DateOnly today)
    {
        var percents = projects.Select(project => project.Progress?.PercentageDone ?? 0).ToArray();
        var atRisk = projects
            .Where(project =>
                !CwayState.IsFinished(project.State)
                && (project.Progress?.PercentageDone ?? 0) < 80
                && DateOnly.TryParse(project.EndDate, out var end)
                && end <= today.AddDays(7)
            )
            .OrderBy(project => project.EndDate, StringComparer.Ordinal)
            .ToArray();
        return new(
            projects.Count,
            Counted(projects.Select(project => project.State ?? "UNKNOWN"), CwayState.All),
            Counted(projects.Select(project => project.Status ?? "UNKNOWN"), []),
            percents.Length == 0 ? 0 : Math.Round(percents.Average(), 2),
            atRisk.Length,
            [
                .. atRisk
                    .Take(50)
                    .Select(project => new CwayDeadline(
                        project.Id,
                        project.Name,
                        project.EndDate,
                        project.Progress?.PercentageDone
                    )),
            ],
            null
        );
    }

    public static CwayComparison Compare(IReadOnlyList<CwayProjectDetails> projects) =>
        new(
            [
                .. projects.Select(project => new CwayCompared(
                    project.Id,
                    project.Name,
                    project.State,
                    project.Status,
                    project.Progress?.PercentageDone,
                    Artworks(project),
                    project.StartDate,
                    project.EndDate,
                    project.LastActivity
                )),
            ],
            projects.Count,
            projects.Count == 0 ? 0 : Math.Round(projects.Average(project => project.Progress?.PercentageDone ?? 0), 2),
            projects.Sum(Artworks),
            [.. projects.Select(project => project.State).OfType<string>().Distinct()],
            [.. projects.Select(project => project.Status).OfType<string>().Distinct()],
            null
        );

    public static CwayTrends Trends(IReadOnlyList<CwayMonth> months)
    {
        var sorted = months.OrderBy(month => month.Month, StringComparer.Ordinal).ToArray();
        return new(
            [
                .. sorted.Select(
                    (month, at) =>
                        new CwayTrend(
                            month.Month is { Length: >= 7 } day ? day[..7] : month.Month,
                            month.Count ?? 0,
                            at == 0 ? null : (month.Count ?? 0) - (sorted[at - 1].Count ?? 0)
                        )
                ),
            ],
            sorted.Length,
            null
        );
    }

    /// <summary>How many of each; the named ones also when there is none.</summary>
    public static IReadOnlyDictionary<string, int> Counted(IEnumerable<string> values, IEnumerable<string> named)
    {
        var counts = named.ToDictionary(name => name, _ => 0);
        foreach (var value in values)
        {
            counts[value] = counts.GetValueOrDefault(value) + 1;
        }

        return counts;
    }

    private static int Artworks(CwayProjectDetails project) =>
        (project.Progress?.ArtworksDone ?? 0)
        + (project.Progress?.ArtworksInProgress ?? 0)
        + (project.Progress?.ArtworksUnstarted ?? 0);

    private static double Share(int part, int whole) => whole == 0 ? 0 : 100.0 * part / whole;

    private static CwayKpi Kpi(string name, string unit, double value, double warning, double critical) =>
        new(name, Math.Round(value, 2), unit, Status(value, warning, critical), warning, critical);

    private static string Bucket(int revisions) =>
        revisions switch
        {
            0 => "0",
            <= 10 => "1-10",
            <= 20 => "11-20",
            <= 50 => "21-50",
            _ => "50+",
        };

    private static CwayProductivity Productivity(IReadOnlyList<CwayFacts> projects, int users)
    {
        var revisions = projects.Sum(project => project.Times.Count);
        var active = projects.Count(project => project.Percent > 0);
        return new(
            projects.Count,
            revisions,
            active,
            projects.Count - active,
            projects.Count == 0 ? 0 : Math.Round((double)revisions / projects.Count, 2),
            users == 0 ? 0 : Math.Round((double)revisions / users, 2),
            users == 0 ? 0 : Math.Round((double)projects.Count / users, 2),
            Math.Round(Share(active, projects.Count), 2)
        );
    }

    private static IEnumerable<string> Advice(
        double percent,
        int revisions,
        string? state,
        double progress,
        double efficiency
    )
    {
        if (percent <= 0)
        {
            yield return revisions > 0
                ? "There is activity but no progress: find out what blocks it."
                : "The project appears stalled: nothing has happened yet.";
        }

        if (progress < 40)
        {
            yield return "Check whether the project has the people it needs.";
        }

        if (efficiency < 50)
        {
            yield return "Many revisions for little progress: look for changing scope or technical problems.";
        }

        if (revisions > 50)
        {
            yield return "There are more than 50 revisions: look for a shorter approval process.";
        }

        if (state is "IN_PROGRESS" && percent > 80)
        {
            yield return "The project is nearly done: give its delivery priority.";
        }
    }

    private static List<string> Recommendations(
        IReadOnlyList<CwayFacts> projects,
        IReadOnlyList<CwayHealth> health,
        IReadOnlyList<CwayKpi> kpis
    )
    {
        var advice = new List<string>();
        var critical = health.Count(project => project.Level == "critical");
        if (kpis[1].Value > 50)
        {
            advice.Add("More than half of the projects have no progress: review what they wait for.");
        }

        if (critical > 3)
        {
            advice.Add($"{critical} projects are in a critical state: review them first.");
        }

        if (projects.Count > 0 && kpis[2].Value < 30)
        {
            advice.Add("Less than 30 % of the projects have been started: check how work is assigned.");
        }

        if (projects.Count > 0 && projects.Average(project => project.Times.Count) > 20)
        {
            advice.Add("Projects have more than 20 revisions on average: look for a shorter approval process.");
        }

        return advice;
    }
}
