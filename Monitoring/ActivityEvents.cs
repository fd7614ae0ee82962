using System.Globalization;
using System.Text.Json;
using MinimalMcp.Auth;
using MinimalMcp.Governance;
using MinimalMcp.Storage;

namespace MinimalMcp.Monitoring;

/// <summary>
/// Makes an event of an audit entry, whose kind the store has decided. Texts of callers and of other servers are shown
/// without characters that hide or reorder others.
/// </summary>
internal static class ActivityEvents
{
    private static readonly Dictionary<string, string> Reasons = new()
    {
        [AuthAttempts.WrongKey] = "unknown API key",
        [AuthAttempts.ExpiredKey] = "expired API key",
        [AuthAttempts.WrongPassword] = "wrong name or password",
        [AuthAttempts.InvalidToken] = "invalid access token",
        [AuthAttempts.Malformed] = "malformed credential",
        [AuthAttempts.Forbidden] = "missing permission",
        [AuthAttempts.RateLimited] = "too many attempts",
        [AuthAttempts.Unavailable] = "credential could not be verified",
        [AuthAttempts.ProviderRefused] = "refused by the identity provider",
        [AuthAttempts.InvalidClient] = "unknown client or wrong client secret",
        [AuthAttempts.InvalidGrant] = "invalid code or refresh token",
        [AuthAttempts.InvalidRequest] = "invalid token request",
    };

    /// <param name="ids">The ids of the registered servers, by name.</param>
    public static ActivityEvent Of(AuditEntry entry, IReadOnlyDictionary<string, long> ids)
    {
        var about = entry.Surface is "hub" or Store.ServerSurface ? About(entry.Arguments) : [];
        var server = about.GetValueOrDefault("server") ?? ServerOf(entry);
        var type = entry.Kind!;
        return new(
            entry.Seq,
            type,
            SanitizedText.Show(Title(type, entry, about, server)),
            SanitizedText.Show(entry.Detail),
            Metadata(entry, about, server),
            DateTimeOffset.FromUnixTimeMilliseconds(entry.At),
            entry.Subject.Length == 0 ? null : SanitizedText.Show(entry.Subject),
            about.GetValueOrDefault("id")
                ?? (
                    server is not null && ids.TryGetValue(server, out var id)
                        ? id.ToString(CultureInfo.InvariantCulture)
                        : null
                )
        );
    }

    private static string Title(string type, AuditEntry entry, Dictionary<string, string> about, string? server) =>
        (type, entry.Outcome) switch
        {
            (_, _) when about.GetValueOrDefault("count") is { } count => Counted(type, entry, count),
            (ActivityTypes.ToolCalled, "preview") => $"{entry.Tool} previewed",
            (ActivityTypes.ToolCalled, "input required") => $"{entry.Tool} asked for input",
            (ActivityTypes.ToolCalled, "cancelled") => $"{entry.Tool} cancelled",
            (ActivityTypes.ToolCalled, _) => $"{entry.Tool} called",
            (ActivityTypes.ErrorOccurred, "failed") => $"{entry.Tool} failed",
            (ActivityTypes.ErrorOccurred, _) => $"{entry.Tool} refused",
            (ActivityTypes.Approval, "approved" or "ok") => $"{about.GetValueOrDefault("tool") ?? entry.Tool} approved",
            (ActivityTypes.Approval, "denied") => $"{entry.Tool} denied",
            (ActivityTypes.Approval, _) => $"Decision on {entry.Tool} came too late",
            (ActivityTypes.SessionCreated, _) => $"Session opened by {about.GetValueOrDefault("client") ?? "a client"}",
            (ActivityTypes.SessionEnded, _) => $"Session of {about.GetValueOrDefault("client") ?? "a client"} ended",
            (ActivityTypes.SignIn, "ok") => $"{about.GetValueOrDefault("name") ?? entry.Subject} signed in",
            (ActivityTypes.SignIn, _) => $"Sign-in refused: {ReasonOf(entry)}",
            (ActivityTypes.KeyCreated, _) => $"API key {about.GetValueOrDefault("key")} created",
            (ActivityTypes.KeyRevoked, _) => $"API key {about.GetValueOrDefault("key")} revoked",
            (ActivityTypes.ServerCreated, _) when about.TryGetValue("servers", out var names) =>
                $"Servers {names} created",
            (ActivityTypes.ServerUpdated, _) when entry.Tool.StartsWith("connections/", StringComparison.Ordinal) =>
                $"Secret for server {server} {(entry.Tool == "connections/store" ? "stored" : "deleted")}",
            (ActivityTypes.ServerError, _) when entry.Surface == "hub" => $"Server {server} did not start",
            (ActivityTypes.ServerError, _) => about.GetValueOrDefault("status") switch
            {
                "error" => $"Server {server} is in error",
                "starting" => $"Server {server} failed and restarts",
                var status => $"Server {server}: {status}",
            },
            _ => $"Server {server} {type["server_".Length..]}",
        };

    private static string Counted(string type, AuditEntry entry, string count) =>
        type switch
        {
            ActivityTypes.SessionCreated => $"{count} more sessions opened",
            ActivityTypes.SessionEnded => $"{count} more sessions ended",
            ActivityTypes.SignIn when entry.Outcome == "ok" => $"{count} more sign-ins",
            ActivityTypes.SignIn => $"{count} more sign-ins refused: {ReasonOf(entry)}",
            _ => $"{count} more failures of servers",
        };

    private static string ReasonOf(AuditEntry entry)
    {
        var outcome = entry.Outcome.Split(": ", 2)[^1];
        return Reasons.GetValueOrDefault(outcome, outcome);
    }

    private static Dictionary<string, string> Metadata(
        AuditEntry entry,
        Dictionary<string, string> about,
        string? server
    )
    {
        var metadata = new Dictionary<string, string>();
        foreach (var (name, value) in about.Where(member => member.Key != "id"))
        {
            metadata[name] = SanitizedText.Show(value);
        }

        foreach (
            var (name, value) in (ReadOnlySpan<(string, string?)>)
                [
                    ("tool", entry.Surface is "hub" or Store.ServerSurface ? null : entry.Tool),
                    ("outcome", entry.Outcome),
                    ("level", entry.Surface is "hub" or Store.ServerSurface ? null : entry.Level),
                    ("surface", entry.Surface is Store.ServerSurface ? null : entry.Surface),
                    ("server", server),
                    ("call_id", entry.CallId),
                    ("oauth_client", entry.Client),
                    ("address", entry.Address),
                    ("name", PersonName.Of(entry.Person)),
                    (
                        "duration_ms",
                        entry.DurationUs is { } duration
                            ? (duration / 1000d).ToString("0.###", CultureInfo.InvariantCulture)
                            : null
                    ),
                ]
        )
        {
            if (value is { Length: > 0 } && !metadata.ContainsKey(name))
            {
                metadata[name] = SanitizedText.Show(value);
            }
        }

        return metadata;
    }

    // The members of an entry of ours: texts.
    private static Dictionary<string, string> About(string? json)
    {
        try
        {
            return json is not null && JsonElement.Parse(json) is { ValueKind: JsonValueKind.Object } about
                ? about
                    .EnumerateObject()
                    .Where(member => member.Value.ValueKind is JsonValueKind.String)
                    .ToDictionary(member => member.Name, member => member.Value.GetString()!)
                : [];
        }
        catch (JsonException)
        {
            return []; // it was truncated
        }
    }

    // Calls of another server's tools are logged as server/tool.
    private static string? ServerOf(AuditEntry entry) =>
        entry.Surface is not ("hub" or Store.ServerSurface)
        && entry.Tool.IndexOf('/', StringComparison.Ordinal) is > 0 and var end
            ? entry.Tool[..end]
            : null;
}
