using System.Globalization;

namespace MinimalMcp.Tools.Cway;

/// <summary>
/// What the history of projects says: pace, activity, stagnation. Days, ISO weeks and hours are those of Cway:TimeZone.
/// Series have no holes: a day, week or month without events counts as 0, up to today.
/// </summary>
internal static class CwayTemporalFigures
{
    private const int IdleDays = 7,
        SprintRevisions = 3;

    private static readonly Dictionary<string, string[]> Actions = new()
    {
        ["critical"] =
        [
            "Review the project now.",
            "Ask the owner whether it goes on.",
            "Decide whether to restructure or cancel it.",
            "Assign a manager who follows it up.",
        ],
        ["high"] =
        [
            "Plan a review meeting.",
            "Check whether the people it needs are free.",
            "Find out what blocks it.",
            "Set new milestones.",
        ],
        ["moderate"] =
        [
            "Keep an eye on it.",
            "Remind the team of the next step.",
            "Check whether the scope is still right.",
            "Offer support.",
        ],
    };

    /// <summary>One project's pace over the events that are given.</summary>
    public static CwayTimeline Timeline(CwayFacts facts, CwayWorkspace workspace)
    {
        var times = facts.Times;
        var name = facts.Project.Name ?? "";
        if (times.Count == 0)
        {
            return new(facts.Project.Id!, name, 0, null, null, 0, 0, 0, 0, 0, 0, 0, 0, 0, "inactive", "none", null);
        }

        var days = times.Select(workspace.DayOf).ToArray();
        var (first, last) = (days[0], days[^1]);
        var total = last.DayNumber - first.DayNumber + 1;
        var perDay = days.CountBy(day => day).Select(day => day.Value).ToArray();
        var pace = (double)times.Count / total;
        var since = DaysSince(times[^1], workspace);
        return new(
            facts.Project.Id!,
            name,
            times.Count,
            DateTimeOffset.FromUnixTimeSeconds(times[0]),
            DateTimeOffset.FromUnixTimeSeconds(times[^1]),
            since,
            total,
            perDay.Length,
            Math.Max(0, total - perDay.Length),
            Round(pace),
            Round(pace * 7),
            Round(pace * 30),
            perDay.Max(),
            times.Count < 2 ? 0 : Round((times[^1] - times[0]) / 86_400.0 / (times.Count - 1)),
            ActivityLevel(pace * 7),
            StagnationRisk(since, facts.IsFinished),
            Completion(facts.Percent, times.Count, pace, last)
        );
    }

    public static string ActivityLevel(double revisionsPerWeek) =>
        revisionsPerWeek switch
        {
            <= 0 => "inactive",
            < 1 => "low",
            < 5 => "moderate",
            < 15 => "high",
            _ => "burst",
        };

    /// <summary>A finished project does not stagnate.</summary>
    public static string StagnationRisk(int daysSinceActivity, bool isFinished = false) =>
        isFinished
            ? "none"
            : daysSinceActivity switch
            {
                <= 0 => "none",
                <= 7 => "low",
                <= 30 => "moderate",
                <= 90 => "high",
                _ => "critical",
            };

    public static IReadOnlyList<CwayAlert> Alerts(CwayWorkspace workspace, int minUrgency)
    {
        var alerts = new List<CwayAlert>();
        foreach (var facts in workspace.Projects.Where(facts => facts.Times.Count > 0))
        {
            var days = DaysSince(facts.Times[^1], workspace);
            var risk = StagnationRisk(days, facts.IsFinished);
            var urgency = risk switch
            {
                "critical" => 10,
                "high" => 8,
                "moderate" => 6,
                _ => 0,
            };
            if (urgency > 0 && urgency >= minUrgency)
            {
                alerts.Add(
                    new(
                        facts.Project.Id!,
                        facts.Project.Name ?? "",
                        risk,
                        days,
                        DateTimeOffset.FromUnixTimeSeconds(facts.Times[^1]),
                        facts.Times.Count switch
                        {
                            > 20 => "high",
                            < 5 => "low",
                            _ => "moderate",
                        },
                        "moderate",
                        urgency,
                        Actions[risk]
                    )
                );
            }
        }

        return
        [
            .. alerts
                .OrderByDescending(alert => alert.UrgencyScore)
                .ThenByDescending(alert => alert.DaysSinceActivity)
                .ThenBy(alert => alert.ProjectName, StringComparer.Ordinal),
        ];
    }

    /// <summary>One project's pace over time, and what it makes likely.</summary>
    public static CwayVelocity? Velocity(CwayFacts facts, CwayWorkspace workspace)
    {
        if (facts.Times.Count == 0)
        {
            return null;
        }

        var perDay = facts.Times.CountBy(workspace.DayOf).ToDictionary();
        var first = workspace.DayOf(facts.Times[0]);
        var today = workspace.Today > first ? workspace.Today : first;
        var days = Enumerable
            .Range(0, today.DayNumber - first.DayNumber + 1)
            .Select(at => first.AddDays(at))
            .Select(day => (Day: day, Count: perDay.GetValueOrDefault(day)))
            .ToArray();
        var weeks = Grouped(days, day => WeekOf(day));
        var months = Grouped(days, day => day.ToString("yyyy-MM", CultureInfo.InvariantCulture));
        var (trend, consistency) = Trend([.. weeks.Select(week => week.Revisions)]);
        var next = weeks.TakeLast(4).Average(week => week.Revisions);
        return new(
            facts.Project.Id!,
            facts.Project.Name ?? "",
            trend,
            consistency,
            [.. days.TakeLast(30).Select(day => new CwayPeriod(DayName(day.Day), day.Count))],
            [.. weeks.TakeLast(12)],
            [.. months.TakeLast(6)],
            [
                .. Runs(days, count => count >= SprintRevisions)
                    .Where(run => run.Days >= 2)
                    .TakeLast(20)
                    .Select(run => new CwaySprint(DayName(run.Start), DayName(run.End), run.Revisions, run.Days)),
            ],
            [
                .. Runs(days, count => count == 0)
                    .Where(run => run.Days >= IdleDays)
                    .TakeLast(20)
                    .Select(run => new CwayIdle(DayName(run.Start), DayName(run.End), run.Days)),
            ],
            Round(next),
            Round(next * 4)
        );
    }

    /// <summary>The year of an ISO week is not always that of its days: 2027-01-01 is in 2026-W53.</summary>
    public static string WeekOf(DateOnly day) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{ISOWeek.GetYear(day.ToDateTime(default)):0000}-W{ISOWeek.GetWeekOfYear(day.ToDateTime(default)):00}"
        );

    /// <summary>The last three weeks against the first three, and how even all of them are.</summary>
    public static (string Trend, double Consistency) Trend(IReadOnlyList<int> weeks)
    {
        if (weeks.Count < 3)
        {
            return ("stable", 50);
        }

        var mean = weeks.Average();
        var deviation = Math.Sqrt(weeks.Sum(count => Math.Pow(count - mean, 2)) / (weeks.Count - 1));
        var variation = mean == 0 ? 0 : deviation / mean;
        var (early, late) = (weeks.Take(3).Average(), weeks.TakeLast(3).Average());
        var trend =
            variation > 1 ? "erratic"
            : late > early * 1.2 ? "increasing"
            : late < early * 0.8 ? "decreasing"
            : "stable";
        return (trend, Round(Math.Max(0, 100 - (50 * variation))));
    }

    /// <param name="days">Only events of so many days until now count; stagnation looks at all of them.</param>
    public static CwayTemporalDashboard Dashboard(CwayWorkspace workspace, int days)
    {
        var since = workspace.Now.AddDays(-days).ToUnixTimeSeconds();
        var recent = workspace.Projects.Select(facts =>
            facts with
            {
                Times = [.. facts.Times.Where(time => time > since)],
            }
        );
        var pairs = recent
            .Select(facts => (Facts: facts, Timeline: Timeline(facts, workspace)))
            .Zip(workspace.Projects, (pair, whole) => (pair.Facts, pair.Timeline, Whole: Rest(whole, workspace)))
            .ToArray();
        var risks = CwayFigures.Counted(
            pairs.Select(pair => pair.Whole.Risk),
            ["none", "low", "moderate", "high", "critical"]
        );
        var levels = CwayFigures.Counted(
            pairs.Select(pair => pair.Timeline.ActivityLevel),
            ["inactive", "low", "moderate", "high", "burst"]
        );
        var all = pairs.SelectMany(pair => pair.Facts.Times).ToArray();
        var trends = pairs.Select(pair => TrendOf(pair.Facts, workspace)).ToArray();
        var team = Team(all, workspace);
        return new(
            workspace.Now,
            days,
            pairs.Length,
            all.Length,
            pairs.Length == 0 ? 0 : Round(pairs.Average(pair => pair.Timeline.RevisionsPerWeek)),
            levels,
            risks,
            team,
            More(trends.Count(trend => trend == "increasing"), trends.Count(trend => trend == "decreasing")),
            Halves(all, since, workspace.Now.ToUnixTimeSeconds()),
            [
                .. pairs
                    .Where(pair => pair.Timeline.TotalRevisions > 0)
                    .OrderByDescending(pair => pair.Timeline.RevisionsPerWeek)
                    .ThenBy(pair => pair.Timeline.ProjectName, StringComparer.Ordinal)
                    .Take(5)
                    .Select(pair => pair.Timeline),
            ],
            [
                .. pairs
                    .Select(pair => pair.Whole)
                    .Where(whole => whole.Risk is not "none")
                    .OrderByDescending(whole => whole.Days)
                    .ThenBy(whole => whole.Facts.Project.Name, StringComparer.Ordinal)
                    .Take(5)
                    .Select(whole => Timeline(whole.Facts, workspace)),
            ],
            risks["high"] + risks["critical"],
            Advice(pairs.Length, risks, levels, team),
            Alerts(workspace, 1).Count,
            workspace.Note
        );
    }

    public static CwayTeamMetrics Team(IReadOnlyList<long> times, CwayWorkspace workspace)
    {
        var local = times.Select(workspace.Local).ToArray();
        var active = local.Select(time => time.Date).Distinct().Count();
        var open = workspace.Projects.Count(facts => facts.Project.State is "IN_PROGRESS");
        return new(
            active,
            local.Length == 0 ? "Monday" : $"{Most(local.Select(time => time.DayOfWeek))}",
            local.Length == 0 ? 9 : Most(local.Select(time => time.Hour)),
            Round((double)times.Count / Math.Max(active, 1)),
            open,
            open,
            Round((double)open / Math.Max(active, 1)),
            Enum.GetValues<DayOfWeek>()
                .ToDictionary(day => $"{day}", day => local.Count(time => time.DayOfWeek == day)),
            Sorted(local.Select(time => (time.Year, time.Month)), month => $"{month.Item1:0000}-{month.Item2:00}"),
            Sorted(local.Select(time => (time.Year, (time.Month + 2) / 3)), part => $"{part.Item1:0000}-Q{part.Item2}")
        );
    }

    // As Velocity has it, without the series: weeks begin on Mondays, as day 0 of DateOnly is one.
    private static string? TrendOf(CwayFacts facts, CwayWorkspace workspace)
    {
        if (facts.Times.Count == 0)
        {
            return null;
        }

        var first = workspace.DayOf(facts.Times[0]).DayNumber / 7;
        var weeks = new int[Math.Max(first, workspace.Today.DayNumber / 7) - first + 1];
        foreach (var time in facts.Times)
        {
            var week = (workspace.DayOf(time).DayNumber / 7) - first;
            weeks[Math.Min(week, weeks.Length - 1)]++;
        }

        return Trend(weeks).Trend;
    }

    private static (CwayFacts Facts, int Days, string Risk) Rest(CwayFacts facts, CwayWorkspace workspace)
    {
        var days = facts.Times.Count == 0 ? 0 : DaysSince(facts.Times[^1], workspace);
        return (facts, days, StagnationRisk(days, facts.IsFinished));
    }

    private static int DaysSince(long last, CwayWorkspace workspace) =>
        (int)Math.Max(0, (workspace.Now - DateTimeOffset.FromUnixTimeSeconds(last)).TotalDays);

    private static DateOnly? Completion(double percent, int revisions, double pace, DateOnly last)
    {
        if (percent >= 100 || pace <= 0)
        {
            return null;
        }

        var days = (100 - percent) / 100 * revisions / pace;
        return last.DayNumber + days < DateOnly.MaxValue.DayNumber ? last.AddDays((int)Math.Ceiling(days)) : null;
    }

    private static CwayPeriod[] Grouped((DateOnly Day, int Count)[] days, Func<DateOnly, string> name) =>
        [.. days.GroupBy(day => name(day.Day)).Select(group => new CwayPeriod(group.Key, group.Sum(day => day.Count)))];

    private static IEnumerable<(DateOnly Start, DateOnly End, int Revisions, int Days)> Runs(
        (DateOnly Day, int Count)[] days,
        Func<int, bool> belongs
    )
    {
        for (var at = 0; at < days.Length; at++)
        {
            var start = at;
            var revisions = 0;
            for (; at < days.Length && belongs(days[at].Count); at++)
            {
                revisions += days[at].Count;
            }

            if (at > start)
            {
                yield return (days[start].Day, days[at - 1].Day, revisions, at - start);
            }
        }
    }

    private static string More(int increasing, int decreasing) =>
        increasing > decreasing * 1.5 ? "increasing"
        : decreasing > increasing * 1.5 ? "decreasing"
        : "stable";

    // The second half of the period against the first one.
    private static string Halves(long[] times, long from, long to)
    {
        var middle = from + ((to - from) / 2);
        var (early, late) = (times.Count(time => time <= middle), times.Count(time => time > middle));
        return late > early * 1.2 ? "increasing"
            : late < early * 0.8 ? "decreasing"
            : "stable";
    }

    private static List<string> Advice(
        int projects,
        IReadOnlyDictionary<string, int> risks,
        IReadOnlyDictionary<string, int> levels,
        CwayTeamMetrics team
    )
    {
        var advice = new List<string>();
        if (risks["critical"] > 0)
        {
            advice.Add($"{risks["critical"]} projects had no activity for more than 90 days: review them first.");
        }

        if (projects > 0 && (levels["inactive"] + levels["low"]) * 100 > projects * 30)
        {
            advice.Add("More than 30 % of the projects have little or no activity: check priorities.");
        }

        if (projects > 0 && team.TeamVelocityRevisionsPerDay < 1)
        {
            advice.Add("The team makes less than one revision a day: look for what holds it up.");
        }

        return advice;
    }

    private static T Most<T>(IEnumerable<T> values)
        where T : notnull =>
        values.CountBy(value => value).OrderByDescending(count => count.Value).ThenBy(count => count.Key).First().Key;

    private static CwayPeriod[] Sorted(IEnumerable<(int, int)> periods, Func<(int, int), string> name) =>
        [
            .. periods
                .CountBy(period => period)
                .OrderBy(period => period.Key)
                .Select(period => new CwayPeriod(name(period.Key), period.Value)),
        ];

    private static string DayName(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static double Round(double value) => Math.Round(value, 2);
}
