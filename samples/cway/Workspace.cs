namespace CwaySample;

/// <summary>What is in Cway: one organisation, and what it works on.</summary>
public sealed class Workspace
{
    internal Workspace(TimeProvider time, Organisation organisation)
    {
        Time = time;
        Organisation = organisation;
        organisation.Workspace = this;
    }

    public TimeProvider Time { get; }

    public Organisation Organisation { get; }

    /// <summary>Whose token is used.</summary>
    public User Me { get; internal set; } = null!;

    public Table<User> Users { get; } = new(user => user.Id);
    public Table<UserTeam> Teams { get; } = new(team => team.Id);
    public Table<PermissionGroup> PermissionGroups { get; } = new(group => group.Id);
    public Table<Category> Categories { get; } = new(category => category.Id);
    public Table<Brand> Brands { get; } = new(brand => brand.Id);
    public Table<PrintSpecification> PrintSpecifications { get; } = new(specification => specification.Id);
    public Table<StoredFile> Files { get; } = new(file => file.Id);
    public Table<Folder> Folders { get; } = new(folder => folder.Id);
    public Table<Share> Shares { get; } = new(share => share.Id);
    public Table<Project> Projects { get; } = new(project => project.Id);
    public Table<Artwork> Artworks { get; } = new(artwork => artwork.Id);

    /// <summary>Entries of the planner beside the projects: those that Cway lists as null, or without an id.</summary>
    public IReadOnlyList<PlannerProject?> PlannerOnly { get; set; } = [];

    /// <summary>The share of a project that is done as 0 to 1 where the planner has 0 to 100.</summary>
    public bool FractionsInPlanner { get; set; }

    public DateTimeOffset Now => Time.GetUtcNow();

    public DateOnly Today => DateOnly.FromDateTime(Now.UtcDateTime);

    internal Lock Changes { get; } = new();

    public User? FindUser(string username) =>
        Users.FirstOrDefault(user => user.Username.Equals(username, StringComparison.OrdinalIgnoreCase));

    internal User GetUser(string username) => FindUser(username) ?? throw new Refusal("User not found");

    /// <summary>Adds an entry to the history of a project, so that its last activity moves.</summary>
    public void Record(Project project, string name, string description, DateTimeOffset? at = null) =>
        project.History = project.History.Add(new(Guid.NewGuid(), at ?? Now, name, description));

    internal void Record(Artwork artwork, string name, string description)
    {
        var entry = new HistoryEvent(Guid.NewGuid(), Now, name, description);
        artwork.History = artwork.History.Add(entry);
        artwork.Project.History = artwork.Project.History.Add(entry);
    }
}

public sealed class Organisation
{
    public required Guid Id { get; init; }
    public required string Name { get; init; }
    public string? Description { get; init; }
    public bool Active => true;
    public int NumberOfUsers => Workspace.Users.Count;
    public int NumberOfFullUsers => Workspace.Users.Count(user => user.Enabled);
    public int NumberOfLimitedUsers => NumberOfUsers - NumberOfFullUsers;
    public IEnumerable<Category> ArtworkCategories => Workspace.Categories;
    public IEnumerable<Category> ArchivedArtworkCategories => [];
    public Category DefaultCategory => Workspace.Categories.First();
    public IEnumerable<User> Users => Workspace.Users;
    public IEnumerable<UserTeam> Teams => Workspace.Teams;

    internal Workspace Workspace { get; set; } = null!;
}
