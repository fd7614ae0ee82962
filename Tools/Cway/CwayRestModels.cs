using System.ComponentModel;

namespace MinimalMcp.Tools.Cway;

// The bodies of the REST routes. Progress counts from 0 to 1 here, and only here.

internal sealed record CwayRestProject(
    string? Id,
    string? Name,
    string? Description,
    [property: Description("PLANNED, IN_PROGRESS, STAND_BY, DELIVERED or CLOSED.")] string? State,
    [property: Description("0 to 1.")] double PercentageDone,
    string? StartDate,
    string? EndDate
)
{
    public static CwayRestProject Of(CwayProject project) =>
        new(
            project.Id,
            project.Name,
            null,
            project.State,
            Fraction(project.PercentageDone),
            project.StartDate,
            project.EndDate
        );

    public static CwayRestProject Of(CwayFoundProject project) =>
        new(
            project.Id,
            project.Name,
            project.Description,
            project.State,
            Fraction(project.Progress?.PercentageDone),
            project.StartDate,
            project.EndDate
        );

    private static double Fraction(double? percent) => Math.Round((percent ?? 0) / 100, 4);
}

internal sealed record CwayRestProjects(IReadOnlyList<CwayRestProject> Projects)
{
    public int Total => Projects.Count;
}

internal sealed record CwayRestSearch(IReadOnlyList<CwayRestProject> Projects, long Total);

internal sealed record CwayRestUser(
    string? Id,
    string? Email,
    string Name,
    string? Username,
    string? FirstName,
    string? LastName,
    bool Enabled,
    bool Avatar
)
{
    public static CwayRestUser Of(CwayUser user) =>
        new(
            user.Id,
            user.Email,
            user.FullName,
            user.Username,
            user.FirstName,
            user.LastName,
            user.Enabled ?? false,
            user.Avatar ?? false
        );
}

internal sealed record CwayRestUsers(IReadOnlyList<CwayRestUser> Users)
{
    public int Total => Users.Count;
}

internal sealed record CwayRestStatus(string Status, bool Connected, string ApiUrl, string Timestamp);

internal sealed record CwayRestAlert(
    string ProjectId,
    string ProjectName,
    int UrgencyScore,
    int DaysSinceActivity,
    IReadOnlyList<string> Recommendations
)
{
    public static CwayRestAlert Of(CwayAlert alert) =>
        new(alert.ProjectId, alert.ProjectName, alert.UrgencyScore, alert.DaysSinceActivity, alert.RecommendedActions);
}

internal sealed record CwayRestError([property: Description("What happened, and how to fix it.")] string Detail);
