namespace CwaySample;

/// <summary>What one of the projects is like.</summary>
/// <param name="State">Its state now.</param>
/// <param name="CreatedDaysAgo">When it began.</param>
/// <param name="LastDaysAgo">How many whole days nothing has happened; nothing: it has no history.</param>
/// <param name="Artworks">How many it has.</param>
/// <param name="Downloads">Entries of its history beside those of its artworks' lives.</param>
/// <param name="EndInDays">How many days ago its end date is; negative: in the future.</param>
internal sealed record SeedPlan(
    ProjectState State,
    int CreatedDaysAgo,
    int? LastDaysAgo,
    int Artworks,
    int Downloads,
    int EndInDays
);

/// <summary>Forty projects: every state, every level of activity and of stagnation, two years.</summary>
internal static class SeedPlans
{
    public static IReadOnlyList<SeedPlan> All { get; } =
    [
        new(ProjectState.IN_PROGRESS, 30, 0, 6, 60, -20),
        new(ProjectState.IN_PROGRESS, 60, 0, 5, 50, -5),
        new(ProjectState.IN_PROGRESS, 90, 1, 5, 30, -60),
        new(ProjectState.IN_PROGRESS, 120, 1, 4, 20, -3),
        new(ProjectState.IN_PROGRESS, 45, 2, 4, 6, -40),
        new(ProjectState.IN_PROGRESS, 200, 3, 6, 40, 2),
        new(ProjectState.IN_PROGRESS, 150, 5, 3, 6, -15),
        new(ProjectState.IN_PROGRESS, 14, 0, 2, 2, -90),
        new(ProjectState.IN_PROGRESS, 240, 9, 4, 12, -7),
        new(ProjectState.IN_PROGRESS, 300, 14, 4, 8, 10),
        new(ProjectState.IN_PROGRESS, 180, 20, 3, 4, -30),
        new(ProjectState.IN_PROGRESS, 365, 28, 5, 4, 5),
        new(ProjectState.IN_PROGRESS, 270, 35, 3, 3, -10),
        new(ProjectState.IN_PROGRESS, 400, 60, 4, 2, 30),
        new(ProjectState.IN_PROGRESS, 500, 88, 3, 2, 80),
        new(ProjectState.IN_PROGRESS, 600, 130, 4, 1, 100),
        new(ProjectState.STAND_BY, 420, 45, 3, 2, -50),
        new(ProjectState.STAND_BY, 380, 75, 2, 1, 20),
        new(ProjectState.STAND_BY, 500, 100, 4, 5, 60),
        new(ProjectState.STAND_BY, 640, 210, 2, 0, 150),
        new(ProjectState.STAND_BY, 300, 95, 1, 0, -80),
        new(ProjectState.PLANNED, 10, null, 0, 0, -120),
        new(ProjectState.PLANNED, 5, null, 1, 0, -100),
        new(ProjectState.PLANNED, 20, 12, 2, 0, -70),
        new(ProjectState.PLANNED, 3, 1, 1, 0, -45),
        new(ProjectState.DELIVERED, 100, 4, 4, 15, 3),
        new(ProjectState.DELIVERED, 160, 15, 3, 10, 14),
        new(ProjectState.DELIVERED, 230, 40, 5, 20, 45),
        new(ProjectState.DELIVERED, 310, 70, 2, 5, 60),
        new(ProjectState.DELIVERED, 360, 120, 4, 12, 125),
        new(ProjectState.DELIVERED, 450, 180, 3, 8, 170),
        new(ProjectState.DELIVERED, 520, 260, 6, 25, 280),
        new(ProjectState.DELIVERED, 610, 330, 2, 3, 320),
        new(ProjectState.CLOSED, 390, 200, 3, 6, 210),
        new(ProjectState.CLOSED, 440, 250, 4, 9, 245),
        new(ProjectState.CLOSED, 530, 300, 2, 2, 300),
        new(ProjectState.CLOSED, 580, 350, 5, 18, 360),
        new(ProjectState.CLOSED, 650, 420, 3, 7, 400),
        new(ProjectState.CLOSED, 700, 480, 4, 11, 500),
        new(ProjectState.CLOSED, 730, 540, 1, 1, 530),
    ];

    /// <summary>The states that artworks of such a project have, in turn.</summary>
    public static IReadOnlyList<ArtworkState> ArtworkStates(ProjectState state) =>
        state switch
        {
            ProjectState.PLANNED => [ArtworkState.UNSTARTED],
            ProjectState.IN_PROGRESS =>
            [
                ArtworkState.FOR_REVIEW,
                ArtworkState.APPROVED,
                ArtworkState.UNSTARTED,
                ArtworkState.COMMENTED,
                ArtworkState.BUNDLED,
                ArtworkState.REJECTED,
                ArtworkState.APPROVED,
                ArtworkState.CANCELED,
                ArtworkState.FOR_REVIEW,
            ],
            ProjectState.STAND_BY => [ArtworkState.UNSTARTED, ArtworkState.COMMENTED, ArtworkState.APPROVED],
            ProjectState.DELIVERED => [ArtworkState.DELIVERED, ArtworkState.SHIPPED, ArtworkState.DELIVERED],
            _ => [ArtworkState.DELIVERED, ArtworkState.DELIVERED, ArtworkState.CANCELED],
        };
}
