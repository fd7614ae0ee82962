using System.Globalization;
using MinimalMcp.Storage;

namespace MinimalMcp.Monitoring;

/// <summary>What happened on all replicas, newest first: the audit log as events.</summary>
internal sealed class ActivityLog(Store store)
{
    public const int MaxLimit = 200;

    public async Task<ActivityPage> ReadAsync(ActivityFilter filter, CancellationToken cancellationToken)
    {
        var ids = await IdsAsync(cancellationToken);
        var limit = Math.Clamp(filter.Limit, 1, MaxLimit);
        var search = new AuditFilter(
            Subject: filter.User,
            From: filter.From?.ToUnixTimeMilliseconds(),
            To: filter.To?.ToUnixTimeMilliseconds(),
            Before: filter.Before,
            Limit: limit
        )
        {
            Kind = filter.Type ?? "any",
        };
        if (filter.ServerId is { } asked)
        {
            var (name, id) = ServerOf(asked, ids);
            search = search with { Server = name, ServerId = id };
        }

        var entries = await store.ReadAuditAsync(search, cancellationToken);
        return new(
            [.. entries.Select(entry => ActivityEvents.Of(entry, ids))],
            entries.Count == limit ? entries[^1].Seq : null
        );
    }

    /// <summary>The events after one, oldest first.</summary>
    public async Task<IReadOnlyList<ActivityEvent>> ReadAfterAsync(long id, CancellationToken cancellationToken)
    {
        var entries = await store.ReadAuditAsync(new(Limit: MaxLimit) { After = id, Kind = "any" }, cancellationToken);
        if (entries.Count == 0)
        {
            return [];
        }

        var ids = await IdsAsync(cancellationToken);
        return [.. entries.Reverse().Select(entry => ActivityEvents.Of(entry, ids))];
    }

    /// <summary>The id of the newest event.</summary>
    public Task<long> NewestAsync(CancellationToken cancellationToken) => store.NewestAuditAsync(cancellationToken);

    /// <summary>
    /// The name and the id of a server of which one is given. A server that is gone has only that one.
    /// </summary>
    public async Task<(string Name, string Id)> ServerOfAsync(string asked, CancellationToken cancellationToken) =>
        ServerOf(asked, await IdsAsync(cancellationToken));

    private static (string Name, string Id) ServerOf(string asked, Dictionary<string, long> ids)
    {
        if (ids.TryGetValue(asked, out var known))
        {
            return (asked, known.ToString(CultureInfo.InvariantCulture));
        }

        return long.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? (ids.FirstOrDefault(server => server.Value == id).Key ?? "", asked)
            : (asked, "");
    }

    private async Task<Dictionary<string, long>> IdsAsync(CancellationToken cancellationToken) =>
        (await store.ServerNamesAsync(cancellationToken)).ToDictionary(
            server => server.Value,
            server => server.Key,
            StringComparer.Ordinal
        );
}
