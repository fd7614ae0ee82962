using Dapper;

namespace MinimalMcp.Storage;

/// <summary>The audit log as activity: each entry that is no intent is one event.</summary>
internal sealed partial class Store
{
    /// <summary>The surface of entries that no caller caused: sessions, sign-ins, failures of servers.</summary>
    public const string ServerSurface = "server";

    private const string Calls = "surface not in ('hub', 'approvals', 'server') and phase <> 'intent'",
        Operators = "surface = 'hub' and phase <> 'intent'",
        Fine = "outcome in ('ok', 'preview', 'input required', 'cancelled')",
        // By replace and substr, which both databases have and which know no wildcards.
        OfServer =
            "((substr(tool, 1, length(@Server) + 1) = @Server || '/' and surface not in ('hub', 'server')) "
            + "or (surface in ('hub', 'server') and (replace(arguments, '\"server\":\"' || @Server || '\"', '') "
            + "<> arguments or replace(arguments, '\"id\":\"' || @ServerId || '\"', '') <> arguments)))";

    // Every entry but intents is of exactly one kind.
    private static readonly Dictionary<string, string> Kinds = new()
    {
        ["server_created"] = Done("'servers/create', 'servers/import', 'servers/from-github'"),
        ["server_updated"] =
            $"({Operators} and outcome = 'ok' and tool not in ('servers/create', 'servers/import', "
            + "'servers/from-github', 'servers/delete', 'servers/start', 'servers/restart', 'servers/stop', "
            + "'servers/approve', 'keys/create', 'keys/revoke'))",
        ["server_deleted"] = Done("'servers/delete'"),
        ["server_started"] = Done("'servers/start', 'servers/restart'"),
        ["server_stopped"] = Done("'servers/stop'"),
        ["server_error"] =
            $"({Operators} and outcome <> 'ok' and tool in ('servers/start', 'servers/restart') "
            + "or surface = 'server' and tool = 'servers/error')",
        ["session_created"] = "surface = 'server' and tool = 'sessions/create'",
        ["session_ended"] = "surface = 'server' and tool = 'sessions/end'",
        ["tool_called"] = $"{Calls} and {Fine}",
        ["error_occurred"] =
            $"({Calls} and not {Fine} or {Operators} and outcome <> 'ok' "
            + "and tool not in ('servers/start', 'servers/restart'))",
        ["key_created"] = Done("'keys/create'"),
        ["key_revoked"] = Done("'keys/revoke'"),
        ["sign_in"] = "surface = 'server' and tool = 'sign_in'",
        ["approval"] = $"(surface = 'approvals' and phase <> 'intent' or {Done("'servers/approve'")})",
    };

    // As a search finds it, so is an entry shown.
    private static readonly string KindColumn =
        $"case {string.Join(' ', Kinds.Select(kind => $"when {kind.Value} then '{kind.Key}'"))} end as kind";

    /// <summary>What <see cref="AuditFilter.Kind"/> selects, beside any.</summary>
    public static readonly string[] ActivityKinds = [.. Kinds.Keys];

    private static string ActivityOf(string kind) =>
        kind == "any" ? "phase <> 'intent'"
        : Kinds.TryGetValue(kind, out var condition) ? condition
        : throw new ArgumentException($"'{kind}' is no kind of event.", nameof(kind));

    /// <summary>The names of the registered servers, by id.</summary>
    public Task<Dictionary<long, string>> ServerNamesAsync(CancellationToken cancellationToken) =>
        ReadAsync(
            async connection =>
                (await connection.QueryAsync<(long Id, string Name)>("select id, name from hub_servers")).ToDictionary(
                    server => server.Id,
                    server => server.Name
                ),
            cancellationToken
        );

    private static string Done(string tools) => $"({Operators} and outcome = 'ok' and tool in ({tools}))";
}
