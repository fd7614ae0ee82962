using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using MinimalMcp.Configuration;
using MinimalMcp.Storage;

namespace MinimalMcp.Monitoring;

/// <summary>Something that happened, as <c>/api/v1/activity</c> shows it.</summary>
/// <param name="Id">Grows with time; the number of the audit entry.</param>
/// <param name="Type">One of <see cref="ActivityTypes"/>.</param>
/// <param name="Title">One short sentence.</param>
/// <param name="Description">More about it, such as the reason of an error.</param>
/// <param name="Metadata">Details by name, such as <c>tool</c>, <c>outcome</c>, <c>call_id</c>.</param>
/// <param name="User">Whose action it was; null when it was the server's own.</param>
/// <param name="ServerId">The registered MCP server that it is about, if any.</param>
internal sealed record ActivityEvent(
    long Id,
    string Type,
    string Title,
    string? Description,
    IReadOnlyDictionary<string, string> Metadata,
    DateTimeOffset CreatedAt,
    string? User,
    string? ServerId
)
{
    private byte[]? _sent;

    /// <summary>As the live stream sends it: written once for all who listen.</summary>
    [JsonIgnore]
    public byte[] Sent =>
        _sent ??= Encoding.UTF8.GetBytes(
            $"id: {Id}\nevent: activity\ndata: {JsonSerializer.Serialize(this, ApiJson.Options)}\n\n"
        );
}

/// <summary>Selects events: newest first, below <paramref name="Before"/> when it is given.</summary>
/// <param name="ServerId">The id of a registered server, or its name.</param>
internal sealed record ActivityFilter(
    string? Type = null,
    string? User = null,
    string? ServerId = null,
    DateTimeOffset? From = null,
    DateTimeOffset? To = null,
    long? Before = null,
    int Limit = 50
);

/// <param name="Next">The value of <see cref="ActivityFilter.Before"/> for the next page; null on the last.</param>
internal sealed record ActivityPage(IReadOnlyList<ActivityEvent> Events, long? Next);

/// <summary>The types of events.</summary>
internal static class ActivityTypes
{
    public const string ServerCreated = "server_created",
        ServerUpdated = "server_updated",
        ServerDeleted = "server_deleted",
        ServerStarted = "server_started",
        ServerStopped = "server_stopped",
        ServerError = "server_error",
        SessionCreated = "session_created",
        SessionEnded = "session_ended",
        ToolCalled = "tool_called",
        ErrorOccurred = "error_occurred",
        KeyCreated = "key_created",
        KeyRevoked = "key_revoked",
        SignIn = "sign_in",
        Approval = "approval";

    public static readonly string[] All = Store.ActivityKinds;
}
