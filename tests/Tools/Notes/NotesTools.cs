using System.Collections.Concurrent;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Security.Claims;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tests.Tools.Notes;

/// <summary>
/// The family that tests of the surfaces use, so that they hold whichever families the product has: it reads, writes
/// and destroys, keeps something for each caller, and has a prompt and a resource.
/// </summary>
public sealed class NotesTools
{
    private static readonly Note[] All =
    [
        new("milk", "Buy milk for 4.19", "home"),
        new("oat-milk", "Try oat milk", "home"),
        new("bagels", "Order bagels", "office"),
        new("call", "Call the plumber", "home"),
        new("slides", "Finish the slides", "office"),
        new("seeds", "Sow tomato seeds", "garden"),
    ];

    private readonly ConcurrentDictionary<string, Note[]> _picked = new();

    /// <summary>Adds this family, and takes out those of the product.</summary>
    public static void Alone(IServiceCollection services)
    {
        Families.TakeOut(services);
        services.AddSingleton<NotesTools>().AddSingleton(new ToolType(typeof(NotesTools)));
        services.AddMcpServer().WithPrompts<NotesPrompts>().WithResources<NotesPrompts>();
    }

    [
        McpServerTool(Name = "find_notes", Title = "Find notes", ReadOnly = true, OpenWorld = false),
        Description("Finds notes by their words.")
    ]
    public static FoundNotes FindNotes(
        [Description("What to look for."), StringLength(200, MinimumLength = 1)] string query,
        [Description("Only this topic.")] string? topic = null,
        [Description("At most this many."), Range(1, 50)] int limit = 10
    )
    {
        var topics = All.Select(note => note.Topic).Distinct().ToArray();
        if (topic is not null && !topics.Contains(topic))
        {
            throw new McpException($"There is no topic \"{topic}\". The topics are: {string.Join(", ", topics)}.");
        }

        var found = All.Where(note =>
                (topic is null || note.Topic == topic) && note.Text.Contains(query, StringComparison.OrdinalIgnoreCase)
            )
            .ToArray();
        return new(found.Length, [.. found.Take(limit)]);
    }

    [
        McpServerTool(Name = "get_topics", Title = "Get topics", ReadOnly = true, OpenWorld = false),
        Description("Lists the topics.")
    ]
    public static TopicList GetTopics([Description("Only those that start with this.")] string? start = null) =>
        new([
            .. All.Select(note => note.Topic)
                .Distinct()
                .Where(topic => topic.StartsWith(start ?? "", StringComparison.Ordinal)),
        ]);

    [
        McpServerTool(Name = "pick_note", Title = "Pick a note", Destructive = false, OpenWorld = false),
        Description("Puts a note on the caller's list.")
    ]
    public FoundNotes PickNote(
        [StringLength(64, MinimumLength = 1)] string code,
        [Range(1, 99)] int copies = 1,
        ClaimsPrincipal? user = null
    )
    {
        var note = All.FirstOrDefault(note => note.Code == code)
            ?? throw new McpException($"There is no note \"{code}\". Use find_notes to find the code.");
        var picked = _picked.AddOrUpdate(
            Caller(user),
            _ => [.. Enumerable.Repeat(note, copies)],
            (_, before) => [.. before, .. Enumerable.Repeat(note, copies)]
        );
        return new(picked.Length, picked);
    }

    [
        McpServerTool(Name = "list_picked", Title = "List picked notes", ReadOnly = true, OpenWorld = false),
        Description("Shows the caller's list.")
    ]
    public FoundNotes ListPicked(ClaimsPrincipal? user = null)
    {
        var picked = _picked.GetValueOrDefault(Caller(user), []);
        return new(picked.Length, picked);
    }

    [
        McpServerTool(Name = "send_picked", Title = "Send picked notes", OpenWorld = false),
        Description("Sends the caller's list and empties it.")
    ]
    public FoundNotes SendPicked(ClaimsPrincipal? user = null) =>
        _picked.TryRemove(Caller(user), out var picked)
            ? new(picked.Length, picked)
            : throw new McpException("The list is empty. Use pick_note first.");

    [
        McpServerTool(Name = "share_notes", Title = "Share notes", Destructive = false, OpenWorld = false),
        McpMeta("risk", "HIGH"),
        Description("Lets others read the notes.")
    ]
    public static ShareResult ShareNotes([Description("Who may read them.")] Audience audience) =>
        new($"share_{Guid.NewGuid():N}", audience);

    private static string Caller(ClaimsPrincipal? user) => user?.FindFirst("sub")?.Value ?? "local";
}

public sealed class NotesPrompts
{
    [McpServerPrompt(Name = "plan_notes"), Description("Plans the notes of an occasion.")]
    public static string PlanNotes(
        [Description("What for.")] string occasion,
        [AllowedValues("home", "office", "garden")] string? topic = null
    ) => $"Plan the notes for: {occasion}. {(topic is null ? "Use every topic." : $"Stay within {topic}.")}";

    [
        McpServerResource(UriTemplate = "notes://all", Name = "notes", MimeType = "application/json"),
        Description("Every note.")
    ]
    public static string AllNotes() => """{"notes":[{"code":"milk","text":"Buy milk for 4.19"}]}""";
}

public sealed record Note([property: Description("What pick_note takes.")] string Code, string Text, string Topic);

public sealed record FoundNotes(int Total, IReadOnlyList<Note> Notes);

public sealed record TopicList(IReadOnlyList<string> Topics);

public sealed record ShareResult(string Id, Audience Audience);

public enum Audience
{
    Team,
    Everybody,
}
