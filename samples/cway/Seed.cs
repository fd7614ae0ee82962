using System.Collections.Immutable;

namespace CwaySample;

/// <summary>
/// Fills a workspace: the same ids, names and gaps between events for the same seed, with times that count back from
/// now. Nobody in it exists.
/// </summary>
internal sealed class Seed
{
    private static readonly string[] s_brands = ["Fjordkaffe", "Havre & Co", "Solbær", "Nordsalt"];

    private static readonly string[] s_subjects =
    [
        "spring labels",
        "carton relaunch",
        "gift box",
        "refill pouch",
        "multipack sleeve",
        "export labels",
        "shelf-ready tray",
        "allergen update",
        "limited edition",
        "recycling marks",
        "winter sleeve",
    ];

    private static readonly string[] s_parts = ["front", "back", "lid", "sleeve", "carton", "tray", "neck label"];

    private static readonly string[] s_people =
    [
        "Elin Sand",
        "Jonas Berg",
        "Maja Lind",
        "Oskar Dahl",
        "Ida Holm",
        "Nils Ek",
        "Freja Strand",
        "Arvid Lund",
        "Saga Moen",
        "Tove Falk",
        "Emil Bakke",
        "Liv Aune",
        "Hugo Vik",
        "Nora Hagen",
        "Axel Rask",
        "Alva Brink",
        "Theo Skog",
        "Siri Foss",
        "Leo Hamre",
        "Klara Nyman",
        "Otto Sjö",
        "Vera Lie",
        "Filip Ås",
        "",
    ];

    private readonly Random _random;
    private readonly Workspace _workspace;
    private readonly int? _eventsPerProject;
    private readonly DateTimeOffset _now;

    private Seed(CwayServerOptions options)
    {
        _random = new(options.Seed);
        _eventsPerProject = options.EventsPerProject;
        var organisation = new Organisation
        {
            Id = NewId(),
            Name = "Nordlys Packaging",
            Description = "A sample; nobody in it exists.",
        };
        _workspace = new(options.Time, organisation) { FractionsInPlanner = options.FractionsInPlanner };
        _now = _workspace.Now;
    }

    public static Workspace Workspace(CwayServerOptions options)
    {
        var seed = new Seed(options);
        seed.AddPeople();
        seed.AddLists();
        seed.AddProjects(options.Projects);
        seed.AddMediaCenter();
        seed.AddShares();
        seed._workspace.PlannerOnly = [null, null];
        return seed._workspace;
    }

    private void AddPeople()
    {
        string[] groups = ["Administrator", "Project manager", "Reviewer", "Viewer"];
        _workspace.PermissionGroups.AddRange([.. groups.Select(name => new PermissionGroup(NewId(), name))]);
        var groupIds = _workspace.PermissionGroups.Select(group => group.Id).ToArray();
        _workspace.Users.AddRange([.. s_people.Select((name, index) => Person(name, index, groupIds))]);
        _workspace.Me = _workspace.Users.First();
        var users = _workspace.Users.ToArray();
        _workspace.Teams.AddRange([
            Team("Design studio", "Draws the artworks", ApprovalMode.ANY_MEMBER, users[3..8]),
            Team("Legal", "Checks texts and marks", ApprovalMode.ALL_REQUIRED, users[8..11]),
            Team("Printers", "", null, users[11..15]),
        ]);
    }

    private User Person(string name, int index, Guid[] groupIds)
    {
        var words = name.Split(' ');
        var username =
            name.Length == 0
                ? "new.colleague"
                : $"{words[0]}.{words[1]}".ToLowerInvariant().Replace('ö', 'o').Replace('å', 'a').Replace('ø', 'o');
        return new()
        {
            Id = NewId(),
            Username = username,
            Email = (index == 2 ? "Maja.Lind" : username) + "@example.com", // as people write it
            FirstName = words[0],
            LastName = name.Length == 0 ? "" : words[1],
            Enabled = index % 8 != 7,
            Avatar = index % 3 == 0,
            IsSSO = index % 3 == 1,
            AcceptedTerms = index != 23,
            PermissionGroupId = index == 23 ? null : groupIds[index % groupIds.Length],
            CreatedAt = Ago(700 - (index * 10)).ToUnixTimeMilliseconds(),
            LastLogin = index % 8 == 7 ? null : Ago(index).ToUnixTimeMilliseconds(),
            Organisation = _workspace.Organisation,
        };
    }

    private UserTeam Team(string name, string description, ApprovalMode? mode, User[] users) =>
        new()
        {
            Id = NewId(),
            Name = name,
            Description = description,
            ApprovalMode = mode,
            Users = [.. users.Select((user, index) => new TeamUser(user, index == 0))],
        };

    private void AddLists()
    {
        string[] categories = ["Label", "Carton", "Pouch", "Tray", "Campaign"];
        _workspace.Categories.AddRange([
            .. categories.Select(
                (name, index) =>
                    new Category
                    {
                        Id = NewId(),
                        Name = name,
                        Description = index == 0 ? "What sticks to a bottle or a jar" : "",
                        Usage = index == 4 ? null : 10 - index,
                    }
            ),
        ]);
        _workspace.Brands.AddRange([.. s_brands.Select(name => new Brand { Id = NewId(), Name = name })]);
        string[] specifications = ["Flexo, white film", "Offset, coated board", "Digital, kraft paper"];
        _workspace.PrintSpecifications.AddRange([
            .. specifications.Select(name => new PrintSpecification(NewId(), name, Milliseconds(500), _workspace.Me)),
        ]);
    }

    private void AddProjects(int count)
    {
        var projects = new List<Project>(count);
        for (var index = 0; index < count; index++)
        {
            projects.Add(NewProject(index, SeedPlans.All[index % SeedPlans.All.Count]));
        }

        _workspace.Projects.AddRange(projects);
        _workspace.Artworks.AddRange([.. projects.SelectMany(project => project.Artworks)]);
        _workspace.Files.AddRange([.. projects.SelectMany(AllFiles)]);

        static IEnumerable<StoredFile> AllFiles(Project project) =>
            project.Artworks.SelectMany(artwork => artwork.Files).Concat(project.Files);
    }

    private Project NewProject(int index, SeedPlan plan)
    {
        var (brand, subject) = (s_brands[index % s_brands.Length], s_subjects[index % s_subjects.Length]);
        var users = _workspace.Users.ToArray();
        var created = Ago(plan.CreatedDaysAgo);
        var project = new Project
        {
            Id = NewId(),
            Name = $"{brand} {subject} {created.Year}" + (index < 40 ? "" : $" ({index})"),
            OrderNo = $"N-{index + 1:D5}",
            RefOrderNo = index % 5 == 0 ? $"PO {4000 + index}" : null,
            Description = index % 4 == 3 ? null : $"New {subject} for {brand}.",
            Notes = index % 6 == 0 ? "The printer needs two weeks." : null,
            State = plan.State,
            Created = DateOnly.FromDateTime(created.UtcDateTime),
            StartDate = index % 10 == 9 ? null : Day(plan.CreatedDaysAgo - 3),
            EndDate = index % 7 == 6 ? null : Day(plan.EndInDays),
            Orderer = users[index % 5],
            ProjectManager = index % 6 == 5 ? null : users[(index + 1) % 3],
        };
        project.Artworks = [.. Enumerable.Range(0, plan.Artworks).Select(part => NewArtwork(project, index, part))];
        project.Files = index % 3 == 0 ? [NewFile("brief.pdf", "application/pdf", plan.CreatedDaysAgo)] : [];
        if (plan.LastDaysAgo is { } last)
        {
            AddHistory(project, plan, created, _now.AddDays(-last).AddMinutes(-_random.Next(1, 300)));
        }

        return project;
    }

    private Artwork NewArtwork(Project project, int index, int part)
    {
        var users = _workspace.Users.ToArray();
        var states = SeedPlans.ArtworkStates(project.State);
        return new()
        {
            Id = NewId(),
            Project = project,
            Name = $"{project.Name}: {s_parts[part % s_parts.Length]}",
            Description = part == 0 ? "With the new logo" : "",
            State = states[(index + part) % states.Count],
            Category = _workspace.Categories.ElementAt((index + part) % _workspace.Categories.Count),
            Created = project.Created,
            StartDate = project.StartDate,
            EndDate = part % 3 == 2 ? null : project.EndDate,
            Users =
            [
                new(users[(index + part) % 4], IsApprover: true, IsReceiver: false, IsSupplier: false),
                new(users[(index + part + 2) % 4], IsApprover: false, IsReceiver: part % 2 == 0, IsSupplier: true),
            ],
            Teams =
                part == 1
                    ? [new(NewId(), _workspace.Teams.First(), ApprovalMode.ANY_MEMBER, [TeamAssignmentType.APPROVER])]
                    : [],
        };
    }

    private void AddHistory(Project project, SeedPlan plan, DateTimeOffset created, DateTimeOffset last)
    {
        var steps = Steps(project, plan.Downloads);
        if (_eventsPerProject is { } wanted)
        {
            var more = Enumerable.Range(0, Math.Max(0, wanted - steps.Count)).Select(_ => Download(project));
            steps = [.. steps.Concat(more.ToArray()).Take(wanted)];
        }

        var times = Times(steps.Count, created, last);
        var history = ImmutableArray.CreateBuilder<HistoryEvent>(steps.Count);
        foreach (var (step, at) in steps.Zip(times))
        {
            var entry = new HistoryEvent(NewId(), at, step.Name, step.Description);
            history.Add(entry);
            if (step.Artwork is { } artwork)
            {
                artwork.History = artwork.History.Add(entry);
                Apply(step.Name, artwork, at);
            }
        }

        project.History = history.MoveToImmutable();
    }

    // What happened to a project in order: the lives of its artworks, mixed, and looks at their files.
    private List<Step> Steps(Project project, int downloads)
    {
        var lives = project.Artworks.Select(artwork => new Queue<Step>(Life(artwork))).ToList();
        var steps = new List<Step> { new(null, "ProjectCreated", $"{project.Orderer.Name} created the project") };
        while (lives.Count > 0)
        {
            var life = lives[_random.Next(lives.Count)];
            steps.Add(life.Dequeue());
            lives.RemoveAll(left => left.Count == 0);
        }

        for (var count = 0; count < downloads; count++)
        {
            steps.Insert(_random.Next(1, steps.Count + 1), Download(project));
        }

        var manager = (project.ProjectManager ?? project.Orderer).Name;
        steps.AddRange(
            project.State switch
            {
                ProjectState.STAND_BY => [new(null, "ProjectSetOnStandBy", $"{manager} set the project on stand-by")],
                ProjectState.DELIVERED => [new(null, "ProjectDelivered", $"{manager} delivered the project")],
                ProjectState.CLOSED => [new(null, "ProjectClosed", $"{manager} closed the project")],
                _ => Array.Empty<Step>(),
            }
        );
        return steps;
    }

    private IEnumerable<Step> Life(Artwork artwork)
    {
        yield return Did("ArtworkCreated", "created");
        var state = artwork.State;
        if (state == ArtworkState.UNSTARTED)
        {
            yield break;
        }

        var revisions = _random.Next(1, 4);
        for (var number = 1; number <= revisions; number++)
        {
            yield return Did("RevisionUploaded", $"uploaded revision {number} of");
            if (number < revisions || state is ArtworkState.COMMENTED)
            {
                yield return Did("CorrectionAdded", "asked for a correction of");
            }

            if (number < revisions || state is ArtworkState.REJECTED)
            {
                yield return Did("ArtworkRejected", "rejected");
            }
        }

        if (state is >= ArtworkState.APPROVED and not ArtworkState.CANCELED)
        {
            yield return Did("ArtworkApproved", "approved");
        }

        if (state is ArtworkState.BUNDLED or ArtworkState.SHIPPED)
        {
            yield return Did("ArtworkBundled", "bundled");
        }

        if (state is ArtworkState.DELIVERED or ArtworkState.CANCELED)
        {
            yield return state == ArtworkState.DELIVERED
                ? Did("ArtworkDelivered", "delivered")
                : Did("ArtworkCanceled", "canceled");
        }

        Step Did(string name, string did) =>
            new(artwork, name, $"{artwork.Users[name == "RevisionUploaded" ? 1 : 0].Name} {did} {artwork.Name}");
    }

    private Step Download(Project project)
    {
        var artwork = project.Artworks.IsEmpty ? null : project.Artworks[_random.Next(project.Artworks.Length)];
        return new(artwork, "FileDownloaded", "A file was downloaded");
    }

    private void Apply(string name, Artwork artwork, DateTimeOffset at)
    {
        if (name == "RevisionUploaded")
        {
            var number = artwork.Revisions.Length + 1;
            var daysAgo = (int)(_now - at).TotalDays;
            var isLost = _random.Next(25) == 0; // a revision whose file was deleted
            artwork.Revisions = artwork.Revisions.Add(
                new(
                    NewId(),
                    $"Revision {number}",
                    number,
                    number == 1 ? null : "As asked for",
                    DateOnly.FromDateTime(at.UtcDateTime),
                    artwork.Users[1].User,
                    isLost ? null : NewFile($"revision-{number}.pdf", "application/pdf", daysAgo)
                )
                {
                    Closed = artwork.State >= ArtworkState.APPROVED,
                }
            );
        }

        artwork.ApprovalDate = name == "ArtworkApproved" ? at.UtcDateTime : artwork.ApprovalDate;
        artwork.DeliveryDate = name == "ArtworkDelivered" ? at.UtcDateTime : artwork.DeliveryDate;
    }

    // From the first to the last, on working days for the most part.
    private DateTimeOffset[] Times(int count, DateTimeOffset first, DateTimeOffset last)
    {
        var times = new DateTimeOffset[count];
        for (var index = 0; index < count; index++)
        {
            var day = first.AddDays(Math.Floor(_random.NextDouble() * (last - first).TotalDays));
            day = day.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday ? day.AddDays(-2) : day;
            var at = new DateTimeOffset(day.UtcDateTime.Date, TimeSpan.Zero).AddSeconds(_random.Next(25_200, 61_200));
            times[index] =
                at < first ? first
                : at > last ? last
                : at;
        }

        Array.Sort(times);
        if (count > 0)
        {
            times[0] = count == 1 ? last : first;
            times[^1] = last;
        }

        return times;
    }

    private void AddMediaCenter()
    {
        foreach (var brand in s_brands)
        {
            var root = NewFolder(brand, null);
            var (photos, artworks) = (NewFolder("Photos", root), NewFolder("Artworks", root));
            NewFolder("Portraits", photos);
            StoredFile[] files =
            [
                NewFile($"{brand} shelf.jpg", "image/jpeg", 90),
                NewFile($"{brand} film.mp4", "video/mp4", 40),
                new(NewId(), $"{brand} old logo", null, null, Milliseconds(600)),
            ];
            _workspace.Files.AddRange(files);
            photos.Items =
            [
                .. files.Select(file => new FileFolderItem(NewId(), file.Name, photos, file.Created, file)
                {
                    Obsolete = file.ContentType is null,
                }),
            ];
            artworks.Items =
            [
                .. _workspace
                    .Artworks.Where(artwork =>
                        artwork.State == ArtworkState.DELIVERED
                        && artwork.PreviewFile is not null
                        && artwork.Name.StartsWith(brand, StringComparison.Ordinal)
                    )
                    .Take(5)
                    .Select(artwork => new ArtworkFolderItem(
                        NewId(),
                        artwork.Name,
                        artworks,
                        null,
                        new(NewId(), artwork, artwork.PreviewFile!, Milliseconds(20))
                    )),
            ];
        }
    }

    private Folder NewFolder(string name, Folder? parent)
    {
        var folder = new Folder
        {
            Id = NewId(),
            Name = name,
            Parent = parent,
            Shared = parent is null,
        };
        _workspace.Folders.Add(folder);
        if (parent is not null)
        {
            parent.Folders = parent.Folders.Add(folder);
        }

        return folder;
    }

    private void AddShares()
    {
        var users = _workspace.Users.ToArray();
        _workspace.Shares.AddRange([
            .. Enumerable
                .Range(0, 6)
                .Select(index => new Share(
                    NewId(),
                    $"{s_brands[index % s_brands.Length]} proofs {index + 1}",
                    1_000_000L * (index + 1),
                    _workspace.Organisation,
                    Milliseconds(index * 20),
                    index % 3 == 2 ? null : Milliseconds((index * 20) - 30), // some have ended
                    users[index + 3].Email,
                    users[index].Username,
                    Read: index % 2 == 1
                )),
        ]);
    }

    private StoredFile NewFile(string name, string contentType, int daysAgo) =>
        new(NewId(), name, _random.Next(20_000, 9_000_000), contentType, Milliseconds(daysAgo));

    private Guid NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
        _random.NextBytes(bytes);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new(bytes, bigEndian: true);
    }

    private DateTimeOffset Ago(int days) => _now.AddDays(-days);

    private DateOnly Day(int daysAgo) => DateOnly.FromDateTime(Ago(daysAgo).UtcDateTime);

    private long Milliseconds(int daysAgo) => Ago(daysAgo).ToUnixTimeMilliseconds();

    private sealed record Step(Artwork? Artwork, string Name, string Description);
}
