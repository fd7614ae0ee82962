using Microsoft.Extensions.DependencyInjection;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>One server for each lane, and every way to reach their tools that tells callers apart.</summary>
public abstract class SurfaceServers : IAsyncDisposable
{
    private static readonly (string, string)[] Deadlines =
    [
        ("Tools:Deadlines:slow", "00:00:00.05"),
        ("Tools:Deadlines:deaf", "00:00:00.05"),
    ];

    private readonly TestServer _fast;
    private readonly TestServer _full;

    protected SurfaceServers(Action<IServiceCollection> services, params (string Key, string Value)[] settings)
    {
        _fast = TestServer.Start(services, [.. Deadlines, .. settings]);
        _full = TestServer.Start(services, [.. Deadlines, .. settings, ("Mcp:DirectPath", "false")]);
        Ways =
        [
            Way.Rest(_fast),
            Way.Functions(_fast),
            Way.Functions(_full),
            .. from version in (string[])["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"]
            from lane in ((TestServer Server, string Name)[])[(_fast, "fast"), (_full, "full")]
            select Way.Mcp(lane.Server, $"{version}, {lane.Name} lane", version),
            Way.Mcp(_fast, "direct path with a session", "2025-11-25", session: true),
            Way.Mcp(_full, "SDK path with a session", "2025-11-25", session: true),
            Way.Sse(_fast),
        ];
    }

    internal IReadOnlyList<Way> Ways { get; }

    public async ValueTask DisposeAsync()
    {
        await _fast.DisposeAsync();
        await _full.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
