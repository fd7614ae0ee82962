namespace MinimalMcp.Monitoring;

/// <summary>The sessions and recent callers of this replica.</summary>
internal sealed class SessionList
{
    /// <summary>The last used one first.</summary>
    public Task<IReadOnlyList<SessionView>> ReadAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<SessionView>>([]);

    /// <summary>Ends a session on every replica. False when there is none of that id here.</summary>
    public Task<bool> EndAsync(string id, CancellationToken cancellationToken) => Task.FromResult(false);
}
