using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using MinimalMcp.Storage;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Hub;

/// <summary>The registered servers, shared by all replicas. Reads come from memory.</summary>
internal sealed partial class ServerRegistry(
    Store store,
    ServerRecords records,
    IOptions<HubOptions> options,
    TimeProvider time,
    ILogger<ServerRegistry> log
) : BackgroundService
{
    internal const int MaxServers = 500;

    private const int MaxLists = 4 << 20;

    // Names that a server ever listed, so that one cannot fill the store with new ones.
    private const int MaxApproved = 5_000;

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _reading = new(1);
    private volatile Known? _known;

    /// <summary>A server was added, changed or removed, here or on another replica.</summary>
    public event Action<long>? Changed;

    /// <summary>What was read last; nothing before that.</summary>
    public IReadOnlyList<ServerDefinition> Current => _known?.Servers ?? [];

    public async Task<IReadOnlyList<ServerDefinition>> ListAsync(CancellationToken cancellationToken) =>
        (_known ?? await RefreshAsync(cancellationToken)).Servers;

    public async Task<ServerDefinition?> FindAsync(long id, CancellationToken cancellationToken) =>
        (await ListAsync(cancellationToken)).FirstOrDefault(server => server.Id == id);

    /// <summary>Adds a server. Throws <see cref="ServerRefusedException"/> when it cannot be.</summary>
    public async Task<ServerDefinition> CreateAsync(ServerDefinition server, CancellationToken cancellationToken)
    {
        var now = Now;
        var (outcome, id) = await store.InsertServerAsync(
            records.Write(server with { Id = 0, CreatedAt = now, UpdatedAt = now }, 0),
            MaxServers,
            options.Value.MaxConcurrentServers,
            cancellationToken
        );
        Refuse(outcome);
        Warn(server);
        await RefreshAsync(cancellationToken);
        return await FindAsync(id, cancellationToken) ?? throw ServerRefusedException.NotFound();
    }

    /// <summary>Changes a server; again when somebody else changed it at the same time.</summary>
    public async Task<ServerDefinition> UpdateAsync(
        long id,
        Func<ServerDefinition, ServerDefinition> change,
        CancellationToken cancellationToken
    )
    {
        for (var attempt = 0; ; attempt++)
        {
            var known = await RefreshAsync(cancellationToken);
            var before = known.Servers.FirstOrDefault(server => server.Id == id)
                ?? throw ServerRefusedException.NotFound();
            var after = change(before);
            if (ReferenceEquals(before, after))
            {
                return before;
            }

            if (!after.RunsTheSame(before))
            {
                after = after with { Generation = before.Generation + 1 };
            }

            var outcome = await store.UpdateServerAsync(
                records.Write(after with { UpdatedAt = Now }, known.Versions[id]),
                options.Value.MaxConcurrentServers,
                cancellationToken
            );
            if (outcome is ServerWrite.Changed && attempt < 5)
            {
                continue;
            }

            Refuse(outcome);
            if (!after.Args.SequenceEqual(before.Args))
            {
                Warn(after);
            }

            await RefreshAsync(cancellationToken);
            return await FindAsync(id, cancellationToken) ?? throw ServerRefusedException.NotFound();
        }
    }

    public async Task DeleteAsync(long id, CancellationToken cancellationToken)
    {
        var found = await store.DeleteServerAsync(id, cancellationToken);
        await RefreshAsync(cancellationToken);
        if (!found)
        {
            throw ServerRefusedException.NotFound();
        }
    }

    /// <summary>Whether the server should run. The same as before is no change.</summary>
    public Task SetWantedAsync(long id, bool wanted, CancellationToken cancellationToken) =>
        UpdateAsync(
            id,
            server =>
                server.Wanted == wanted ? server
                : wanted && server.Unreadable ? throw ServerRefusedException.Unreadable()
                : server with { Wanted = wanted },
            cancellationToken
        );

    /// <summary>What the server listed last, on whichever replica; null when it never did.</summary>
    public async Task<ServerLists?> ListsAsync(long id, CancellationToken cancellationToken) =>
        await store.ServerListsAsync(id, cancellationToken) is { } stored && records.ReadLists(id, stored) is { } json
            ? ServerLists.Read(json)
            : null;

    /// <summary>Keeps what the server listed. Lists that are too long are not kept.</summary>
    public async Task SaveListsAsync(long id, ServerLists lists, CancellationToken cancellationToken)
    {
        var json = Encoding.UTF8.GetBytes(lists.ToJson());
        if (json.Length > MaxLists)
        {
            LogTooLong(id, json.Length, MaxLists);
            return;
        }

        await store.SaveServerListsAsync(id, records.WriteLists(id, json), cancellationToken);
    }

    /// <summary>The approved definitions of the server's tools, by their own names.</summary>
    public async Task<IReadOnlyDictionary<string, ApprovedTool>> ApprovedAsync(
        ServerDefinition server,
        CancellationToken cancellationToken
    ) => ByName(await store.ApprovedToolsAsync(server.Id, server.Generation, cancellationToken));

    /// <summary>Approves the tools that nobody has seen before, and gives all that are approved.</summary>
    public async Task<IReadOnlyDictionary<string, ApprovedTool>> ApproveNewAsync(
        ServerDefinition server,
        IEnumerable<Tool> tools,
        CancellationToken cancellationToken
    )
    {
        var known = await ApprovedAsync(server, cancellationToken);
        ApprovedTool[] unseen =
        [
            .. tools
                .Where(tool => !known.ContainsKey(tool.Name))
                .DistinctBy(tool => tool.Name)
                .Take(MaxApproved - known.Count)
                .Select(JoinedTools.Approvable),
        ];
        return unseen.Length == 0
            ? known
            : ByName(await store.ApproveNewToolsAsync(server.Id, server.Generation, unseen, cancellationToken));
    }

    /// <summary>Approves another definition of a tool.</summary>
    public async Task ApproveAsync(ServerDefinition server, Tool tool, CancellationToken cancellationToken)
    {
        if (
            !await store.ApproveToolAsync(server.Id, server.Generation, JoinedTools.Approvable(tool), cancellationToken)
        )
        {
            throw new ServerRefusedException(409, "The server was changed at the same time. Look at its tools again.");
        }

        await RefreshAsync(cancellationToken);
    }

    private static Dictionary<string, ApprovedTool> ByName(IEnumerable<ApprovedTool> tools) =>
        tools.ToDictionary(tool => tool.Tool, StringComparer.Ordinal);

    /// <summary>Looks for changes of other replicas.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Poll, time);
        do
        {
            try
            {
                if (_known is null || await store.ServerVersionAsync(stoppingToken) != _known.Version)
                {
                    await RefreshAsync(stoppingToken);
                }
            }
            catch (Exception failure) when (failure is StorageException or JsonException)
            {
                // At the start the store itself reports why it cannot be opened.
                if (_known is not null)
                {
                    LogUnread(failure.Message);
                }
            }
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private async Task<Known> RefreshAsync(CancellationToken cancellationToken)
    {
        List<long> changed = [];
        Known after;
        await _reading.WaitAsync(cancellationToken);
        try
        {
            var before = _known;
            var (version, rows) = await store.ServersAsync(cancellationToken);
            if (before is not null && before.Version == version)
            {
                return before;
            }

            var servers = rows.Select(row =>
                    before is not null && before.Versions.GetValueOrDefault(row.Id) == row.Version
                        ? before.Servers.First(server => server.Id == row.Id)
                        : records.Read(row)
                )
                .ToArray();
            after = new(version, servers, rows.ToDictionary(row => row.Id, row => row.Version));
            foreach (var server in servers.Where(server => server.Unreadable))
            {
                LogUnreadable(server.Name);
            }

            if (before is not null)
            {
                changed =
                [
                    .. after
                        .Versions.Keys.Union(before.Versions.Keys)
                        .Where(id => after.Versions.GetValueOrDefault(id) != before.Versions.GetValueOrDefault(id)),
                ];
            }
            else
            {
                changed = [.. after.Versions.Keys];
            }

            _known = after;
        }
        finally
        {
            _reading.Release();
        }

        changed.ForEach(id => Changed?.Invoke(id));
        return after;
    }

    private void Warn(ServerDefinition server)
    {
        foreach (var warning in PackageVersions.Warnings(server))
        {
            LogWarning(server.Name, warning);
        }
    }

    private void Refuse(ServerWrite outcome)
    {
        if (outcome is not ServerWrite.Done)
        {
            throw outcome switch
            {
                ServerWrite.NameTaken => new ServerRefusedException(400, "Server name already exists"),
                ServerWrite.TooMany => new(
                    409,
                    $"{MaxServers} servers are registered, which is the limit. Delete one."
                ),
                ServerWrite.TooManyWanted => new(
                    409,
                    $"{options.Value.MaxConcurrentServers} servers are started, which is the limit "
                        + "(Hub:MaxConcurrentServers, MAX_CONCURRENT_SERVERS). Stop one, or raise the limit."
                ),
                _ => new(409, "The server was changed by somebody else at the same time. Try again."),
            };
        }
    }

    [LoggerMessage(LogLevel.Warning, "Registered servers could not be read {Reason}")]
    private partial void LogUnread(string reason);

    [LoggerMessage(
        LogLevel.Error,
        "Secrets of a server could not be decrypted, because SECRET_KEY changed {Server}. Set SECRET_KEY_PREVIOUS to "
            + "the secret before, or register the server again"
    )]
    private partial void LogUnreadable(string server);

    [LoggerMessage(LogLevel.Warning, "Server was registered with a warning {Server} {Warning}")]
    private partial void LogWarning(string server, string warning);

    [LoggerMessage(LogLevel.Warning, "Lists of a server were too long to be kept {ServerId} {Length} {MaxLength}")]
    private partial void LogTooLong(long serverId, int length, int maxLength);

    private sealed record Known(
        long Version,
        IReadOnlyList<ServerDefinition> Servers,
        IReadOnlyDictionary<long, long> Versions
    );
}

/// <summary>A request about a server that is refused, with the HTTP status and a sentence for the caller.</summary>
internal sealed class ServerRefusedException(int status, string message, object? candidates = null) : Exception(message)
{
    public int Status { get; } = status;

    /// <summary>What the caller may choose from.</summary>
    public object? Candidates { get; } = candidates;

    public static ServerRefusedException NotFound() => new(404, "Server not found");

    public static ServerRefusedException Unreadable() =>
        new(
            409,
            "The secrets of this server cannot be decrypted, because SECRET_KEY changed. Set SECRET_KEY_PREVIOUS to "
                + "the secret before, or send args, env, url and auth_config again."
        );
}
