using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using MinimalMcp.Governance;
using MinimalMcp.Storage;
using MinimalMcp.Tools;
using Definition = ModelContextProtocol.Protocol.Tool;
using Tool = MinimalMcp.Tools.Tool;

namespace MinimalMcp.Hub;

/// <summary>
/// The tools of other servers among ours: named <c>{server}_{tool}</c> unless the server keeps its own names, governed
/// like ours, with the server as their family, so that each server is a profile.
/// </summary>
internal sealed partial class JoinedTools(
    ToolRegistry registry,
    JoinedServers servers,
    LogMessages logs,
    ToolMethods methods,
    ToolPolicies policies,
    GovernanceServices governance,
    ILogger<JoinedTools> logger
)
{
    private const int MaxTools = 1_000;
    private const int MaxDescription = 4_000;
    private const int MaxNotices = 100;

    private static readonly JsonTypeInfo<Definition> DefinitionInfo = McpTypeInfo.Of<Definition>();

    private readonly Lock _changing = new();
    private readonly Dictionary<long, Joined> _servers = [];

    /// <summary>Lists the tools of a server, in one step, in place of those that it had.</summary>
    /// <param name="approved">By their own names; a tool that differs from it is withheld. Null approves all.</param>
    public void Join(
        ServerDefinition server,
        IReadOnlyList<Definition> tools,
        UpstreamCall call,
        IReadOnlyDictionary<string, ApprovedTool>? approved = null
    )
    {
        lock (_changing)
        {
            var joined = _servers.GetValueOrDefault(server.Id);
            if (
                joined is null
                || (joined.Server.Name, joined.Server.Risk, joined.Server.OwnNames)
                    != (server.Name, server.Risk, server.OwnNames)
            )
            {
                // The names and policies of its tools are others.
                joined = new(server, call) { Listed = joined?.Listed ?? [], Approved = joined?.Approved };
            }

            _servers[server.Id] = joined;
            joined.Tools = tools;
            joined.Approved = approved ?? joined.Approved;
            Apply(joined);
        }
    }

    /// <summary>Somebody approved tools of the server, here or on another replica.</summary>
    public void Approve(long id, IReadOnlyDictionary<string, ApprovedTool> approved)
    {
        lock (_changing)
        {
            if (_servers.TryGetValue(id, out var joined) && joined.Withholds(approved))
            {
                joined.Approved = approved;
                Apply(joined);
            }
        }
    }

    /// <summary>What is approved as far as it is known here.</summary>
    public IReadOnlyDictionary<string, ApprovedTool>? Approved(long id)
    {
        lock (_changing)
        {
            return _servers.GetValueOrDefault(id)?.Approved;
        }
    }

    /// <summary>All tools of a server, listed or not; null when it has not joined.</summary>
    public IReadOnlyList<ServerTool>? Tools(long id)
    {
        lock (_changing)
        {
            return _servers.GetValueOrDefault(id)?.States;
        }
    }

    /// <summary>The tools of a server that does not run.</summary>
    public static IReadOnlyList<ServerTool> Unlisted(
        IReadOnlyList<Definition> tools,
        IReadOnlyDictionary<string, ApprovedTool> approved
    ) =>
        [
            .. tools.Select(definition =>
            {
                var hash = Hash(definition);
                return new ServerTool(definition, hash)
                {
                    Replaces = approved.GetValueOrDefault(definition.Name) is { } one && one.Hash != hash ? one : null,
                    Notice = "The server is not started.",
                };
            }),
        ];

    /// <summary>The tools of a server are no longer listed.</summary>
    public void Leave(long id)
    {
        lock (_changing)
        {
            if (!_servers.Remove(id, out var left))
            {
                return;
            }

            registry.Replace(left.Listed, []);
            // The names that it had are free.
            foreach (var waiting in _servers.Values.Where(other => other.HasCollision))
            {
                Apply(waiting);
            }
        }
    }

    /// <summary>What an operator should know about the tools of a server.</summary>
    public IReadOnlyList<string> Notices(long id)
    {
        lock (_changing)
        {
            return _servers.GetValueOrDefault(id)?.Notices ?? [];
        }
    }

    private void Apply(Joined joined)
    {
        List<string> notices = [];
        List<ServerTool> states = [];
        Dictionary<string, Made> made = new(StringComparer.Ordinal);
        HashSet<string> own = [.. joined.Listed.Select(tool => tool.Name)];
        var current = registry.Current;
        joined.HasCollision = false;
        Dictionary<string, (string Who, bool IsSame)> taken = new(StringComparer.Ordinal);
        foreach (var definition in joined.Tools.Take(MaxTools))
        {
            var name = JoinedNames.Of(joined.Server, definition.Name);
            if (!own.Contains(name) && current.Find(name) is { } other)
            {
                taken.TryAdd(name, (other.Family, false));
                joined.HasCollision = true;
            }

            if (JoinedNames.Problem(joined.Server, "tool", definition.Name, name, taken) is { } problem)
            {
                notices.Add(problem);
                states.Add(new(definition, Hash(definition)) { Notice = problem });
            }
            else if (Make(joined, definition, name, notices) is { } tool)
            {
                made[name] = tool;
                taken[name] = (definition.Name, true);
                states.Add(
                    new(definition, tool.Hash)
                    {
                        Name = name,
                        Risk = tool.Tool.Risk,
                        Replaces = tool.Replaces,
                        Notice = tool.Replaces is null ? null : Withheld(joined.Server, definition.Name, name),
                    }
                );
            }
            else
            {
                states.Add(new(definition, "") { Notice = notices[^1] });
            }
        }

        if (joined.Tools.Count > MaxTools)
        {
            notices.Add($"The server lists {joined.Tools.Count} tools; only the first {MaxTools} are listed here.");
        }

        foreach (var notice in notices.Take(MaxNotices).Except(joined.Notices).ToArray())
        {
            LogNotice(joined.Server.Name, notice);
        }

        var before = joined.Listed;
        joined.Notices = [.. notices.Take(MaxNotices)];
        joined.Made = made;
        joined.States = states;
        joined.Listed = [.. made.Values.Select(one => one.Tool)];
        registry.Replace(before, joined.Listed);
    }

    // The same definition is the same tool, so that clients hear of real differences only.
    private Made? Make(Joined joined, Definition definition, string name, List<string> notices)
    {
        try
        {
            var hash = Hash(definition);
            var replaces =
                joined.Approved?.GetValueOrDefault(definition.Name) is { } approved && approved.Hash != hash
                    ? approved
                    : null;
            var tool =
                joined.Made.TryGetValue(name, out var known) && (known.Hash, known.Replaces) == (hash, replaces)
                    ? known
                    : new Made(
                        hash,
                        replaces,
                        Create(joined, definition, name, replaces is not null, out var odd),
                        odd
                    );
            if (replaces is not null)
            {
                notices.Add(Withheld(joined.Server, definition.Name, name));
            }

            if (tool.OddNames.Count > 0)
            {
                notices.Add(
                    $"{name} has arguments whose names some clients refuse: "
                        + $"{string.Join(", ", tool.OddNames.Take(5).Select(JoinedNames.Shown))}."
                );
            }

            return tool;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or ArgumentException)
        {
            LogBroken(failure, name);
            notices.Add($"The tool {JoinedNames.Shown(definition.Name)} is not listed: its definition cannot be read.");
            return null;
        }
    }

    private Tool Create(
        Joined joined,
        Definition definition,
        string name,
        bool isWithheld,
        out IReadOnlyCollection<string> oddNames
    )
    {
        var server = joined.Server;
        // Nobody has verified what a server says of its tools, so a hint never lowers what a call needs.
        var effect = definition.Annotations?.DestructiveHint is true ? Effect.Destroy : Effect.Write;
        var risk = Enum.TryParse<RiskLevel>(server.Risk, ignoreCase: true, out var level) ? level : RiskLevel.High;
        var policy = policies.Of(name, server.Name, effect, risk, path: $"{server.Name}/{definition.Name}") with
        {
            IsOfOtherServer = true,
        };
        if (isWithheld)
        {
            policy = policy with { Denied = Withheld(server, definition.Name, name) };
        }

        var input = SchemaForHosts.Input(definition.InputSchema, out oddNames);
        var output = SchemaForHosts.Output(definition.OutputSchema);
        var own = JoinedNames.Valid(definition.Name);
        var tool = Create(name, UriHere, () => Create(own.Length is 0 or > 128 ? name : own, uri => uri, null));
        tool.Prepare();
        _ = tool.Definition; // a broken definition is found here, and not by somebody's list
        return tool;

        string UriHere(string uri) => servers.Find(server.Name)?.UriHere(uri) ?? ServerUri.Join(server.Name, uri);

        Tool Create(string shown, Func<string, string> uriHere, Func<Tool>? makeOwn)
        {
            var function = new UpstreamTool(
                server.Name,
                definition.Name,
                shown,
                TextLimit.Cut(definition.Description ?? "", MaxDescription),
                input,
                output,
                uriHere,
                logs,
                joined.Call
            );
            return new(
                shown,
                server.Name,
                policy,
                needsConversation: policy.NeedsConfirmation,
                hasHeaders: false,
                governance.Redactor,
                logger,
                () =>
                    new(
                        new GovernedFunction(function, policy, governance),
                        new ToolResult.Shape(ToolMethods.Json.GetTypeInfo(typeof(object)), false, methods.MaxCharacters)
                    ),
                callable => (Describe(definition, callable.Function, output), output)
            )
            {
                ReportsProgress = true,
                MayAsk = true,
                MakeOwn = makeOwn,
            };
        }
    }

    private static Definition Describe(Definition definition, GovernedFunction function, JsonElement? output) =>
        new()
        {
            Name = function.Name,
            Title = TextLimit.Cut(definition.Title ?? definition.Annotations?.Title ?? definition.Name, TextLimit.Name),
            Description = function.Description,
            InputSchema = function.JsonSchema,
            OutputSchema = output is { } schema
                ? ToolSchemas.OneOf(schema, Preview.Schema, UpstreamTool.TextSchema)
                : null,
            Annotations = new()
            {
                ReadOnlyHint = false,
                DestructiveHint = function.Policy.Effect is Effect.Destroy,
                IdempotentHint = definition.Annotations?.IdempotentHint is true,
                OpenWorldHint = true,
            },
            Meta = new JsonObject { ["risk"] = function.Policy.Level },
        };

    private static string Withheld(ServerDefinition server, string tool, string name) =>
        $"{name} is withheld: its definition changed since it was approved. GET "
        + $"/api/v1/servers/{server.Id}/tools shows the difference, and POST "
        + $"/api/v1/servers/{server.Id}/tools/{Uri.EscapeDataString(tool)}/approve approves it (mcp:admin).";

    /// <summary>The definition as the store keeps it: what a model reads of it, or a client acts by.</summary>
    public static ApprovedTool Approvable(Definition definition)
    {
        var json = JsonSerializer.Serialize(
            new()
            {
                Name = definition.Name,
                Title = definition.Title,
                Description = definition.Description,
                InputSchema = definition.InputSchema,
                OutputSchema = definition.OutputSchema,
                Annotations = definition.Annotations,
            },
            DefinitionInfo
        );
        return new(
            definition.Name,
            Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(json))),
            json
        );
    }

    private static string Hash(Definition definition) => Approvable(definition).Hash;

    [LoggerMessage(LogLevel.Warning, "Server {Server}: {Notice}")]
    private partial void LogNotice(string server, string notice);

    [LoggerMessage(LogLevel.Warning, "The definition of a server's tool cannot be read {Tool}")]
    private partial void LogBroken(Exception exception, string tool);

    /// <param name="Replaces">The approved definition that it differs from.</param>
    private sealed record Made(string Hash, ApprovedTool? Replaces, Tool Tool, IReadOnlyCollection<string> OddNames);

    private sealed class Joined(ServerDefinition server, UpstreamCall call)
    {
        public ServerDefinition Server => server;

        public UpstreamCall Call => call;

        public IReadOnlyList<Definition> Tools { get; set; } = [];

        public IReadOnlyDictionary<string, ApprovedTool>? Approved { get; set; }

        public IReadOnlyList<ServerTool> States { get; set; } = [];

        public Dictionary<string, Made> Made { get; set; } = [];

        public Tool[] Listed { get; set; } = [];

        public IReadOnlyList<string> Notices { get; set; } = [];

        public bool HasCollision { get; set; }

        /// <summary>Whether what is approved now lists something else.</summary>
        public bool Withholds(IReadOnlyDictionary<string, ApprovedTool> approved) =>
            States.Any(tool =>
                (tool.Replaces is not null)
                != (approved.GetValueOrDefault(tool.Definition.Name) is { } one && one.Hash != tool.Hash)
            );
    }
}

/// <summary>A tool of another server, as operators see it.</summary>
internal sealed record ServerTool(Definition Definition, string Hash)
{
    /// <summary>Its name here; null when it cannot be listed.</summary>
    public string? Name { get; init; }

    public string? Risk { get; init; }

    /// <summary>The approved definition, when this one differs and is withheld.</summary>
    public ApprovedTool? Replaces { get; init; }

    /// <summary>Why it is not listed.</summary>
    public string? Notice { get; init; }
}
