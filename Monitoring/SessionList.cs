using MinimalMcp.Auth;
using MinimalMcp.Governance;
using MinimalMcp.Tools;

namespace MinimalMcp.Monitoring;

/// <summary>The sessions and recent callers of this replica.</summary>
internal sealed class SessionList(
    ISessionSource sessions,
    RecentCallers callers,
    ChatGptClients chatGpt,
    JoinedServers servers,
    TimeProvider time
)
{
    // How long after its last call a caller without a session counts as active.
    private static readonly TimeSpan Active = TimeSpan.FromMinutes(5);

    /// <summary>The last used one first.</summary>
    public async Task<IReadOnlyList<SessionView>> ReadAsync(CancellationToken cancellationToken)
    {
        var views = new List<SessionView>();
        string[] connected = [.. servers.Current.Select(server => server.Name)];
        foreach (var session in sessions.Sessions)
        {
            var type = await TypeOfAsync(session.Caller, session.Client.Name, false, cancellationToken);
            views.Add(Of(session, type, connected));
        }

        foreach (var caller in callers.Read())
        {
            var type = await TypeOfAsync(caller.Caller, caller.ClientInfo?.Name, caller.IsChatGpt, cancellationToken);
            views.Add(Of(caller, type, connected));
        }

        return [.. views.OrderByDescending(view => view.LastActivity)];
    }

    /// <summary>Ends a session on every replica. False when there is none of that id here.</summary>
    public Task<bool> EndAsync(string id, Caller by) => sessions.EndSessionAsync(id, by);

    private static SessionView Of(OpenSession session, string type, string[] connected) =>
        new(
            session.Id,
            ClientOf(session.Client),
            type,
            SanitizedText.Show(session.Caller.Subject),
            SanitizedText.Show(session.Caller.Client),
            session.Revision,
            session.Surface,
            connected,
            session.Created,
            session.Used,
            true,
            session.Calls,
            true
        );

    private SessionView Of(RecentCaller caller, string type, string[] connected)
    {
        var last = DateTimeOffset.FromUnixTimeMilliseconds(caller.Last);
        return new(
            caller.Id,
            caller.ClientInfo is { } client ? ClientOf(client) : null,
            type,
            SanitizedText.Show(caller.Caller.Subject),
            SanitizedText.Show(caller.Caller.Client),
            caller.Revision,
            caller.Surface,
            connected,
            DateTimeOffset.FromUnixTimeMilliseconds(caller.First),
            last,
            time.GetUtcNow() - last < Active,
            caller.Calls,
            false
        );
    }

    private async ValueTask<string> TypeOfAsync(
        Caller caller,
        string? client,
        bool isChatGpt,
        CancellationToken cancellationToken
    ) =>
        isChatGpt || await chatGpt.IsAsync(client, caller.Client, cancellationToken) ? "chatgpt"
        : caller == Caller.Local || caller.IsGuest ? "none"
        : caller.HasKey ? "api_key"
        : "oauth";

    private static SessionClient? ClientOf((string Name, string Version) client) =>
        client.Name.Length == 0 ? null : new(SanitizedText.Show(client.Name), SanitizedText.Show(client.Version));
}
