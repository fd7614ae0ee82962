using MinimalMcp.Auth;

namespace MinimalMcp.Governance;

/// <summary>The MCP sessions that are open on this replica, for those who show them and end them.</summary>
internal interface ISessionSource
{
    IEnumerable<OpenSession> Sessions { get; }

    /// <summary>Ends a session here and on every other replica. False when there is none of that id here.</summary>
    Task<bool> EndSessionAsync(string id, Caller by);
}

/// <summary>An open session.</summary>
/// <param name="Id">Identifies the session and opens nothing.</param>
/// <param name="Client">The name and the version that the client sent; not verified.</param>
internal sealed record OpenSession(
    string Id,
    string Surface,
    Caller Caller,
    (string Name, string Version) Client,
    string? Revision,
    DateTimeOffset Created,
    DateTimeOffset Used,
    long Calls
);
