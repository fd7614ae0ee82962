namespace MinimalMcp.Load;

/// <summary>
/// Governed replicas behind nginx that share a PostgreSQL, and by turns with them one that is asked without nginx.
/// </summary>
internal static class Replicas
{
    /// <summary>What is missing here to measure it, and where it comes from; empty when nothing is.</summary>
    public static IEnumerable<string> Missing() =>
        [
            .. Installed.Nginx() is null ? [Installed.WantedNginx] : Array.Empty<string>(),
            .. Installed.Postgres() is null ? [Installed.WantedPostgres] : Array.Empty<string>(),
        ];

    public static async Task<List<(double At, List<CallRound> Rounds)>> MeasureAsync(
        Options options,
        Progress progress,
        Call call
    )
    {
        await using var own = new OwnServers(options);
        var replicas = await own.ReplicasAsync(options.Replicas);
        var rounds = new Rounds(options, progress);
        await rounds.WarmUpAsync(replicas, call);
        var rows = new List<(double At, List<CallRound> Rounds)>();
        for (var count = 1; count <= replicas.Count; count++)
        {
            progress.Line($"{count} replicas");
            var nginx = own.Nginx(replicas[..count]);
            await nginx.FirstAnswer(call);
            rows.Add((count, await rounds.MeasureAsync([nginx, replicas[0]], [call])));
        }

        return rows;
    }
}
