using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using MinimalMcp.Governance;
using MinimalMcp.Tools;
using ModelContextProtocol;
using Definition = ModelContextProtocol.Protocol.Tool;
using Tool = MinimalMcp.Tools.Tool;

namespace MinimalMcp.Hub;

/// <summary>
/// The tools of other servers among ours: named <c>{server}_{tool}</c>, governed like ours, with the server as their
/// family, so that each server is a profile.
/// </summary>
internal sealed partial class JoinedTools(
    ToolRegistry registry,
    ToolMethods methods,
    ToolPolicies policies,
    GovernanceServices governance,
    ILogger<JoinedTools> logger
)
{
    // The limit of OpenAI's and Anthropic's function calling.
    private const int MaxName = 64;
    private const int MaxTools = 1_000;
    private const int MaxDescription = 4_000;
    private const int MaxNotices = 100;

    private static readonly JsonTypeInfo<Definition> DefinitionInfo =
        (JsonTypeInfo<Definition>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(Definition));

    private readonly Lock _changing = new();
    private readonly Dictionary<long, Joined> _servers = [];

    /// <summary>Lists the tools of a server, in one step, in place of those that it had.</summary>
    public void Join(ServerDefinition server, IReadOnlyList<Definition> tools, UpstreamCall call)
    {
        lock (_changing)
        {
            var joined = _servers.GetValueOrDefault(server.Id);
            if (joined is null || joined.Server.Name != server.Name || joined.Server.Risk != server.Risk)
            {
                // The names and policies of its tools are others.
                joined = new(server, call) { Listed = joined?.Listed ?? [] };
            }

            _servers[server.Id] = joined;
            joined.Tools = tools;
            Apply(joined);
        }
    }

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
        Dictionary<string, Made> made = new(StringComparer.Ordinal);
        HashSet<string> own = [.. joined.Listed.Select(tool => tool.Name)];
        var current = registry.Current;
        joined.HasCollision = false;
        foreach (var definition in joined.Tools.Take(MaxTools))
        {
            var name = NameOf(joined.Server.Name, definition.Name);
            if (name.Length > MaxName)
            {
                notices.Add(
                    $"{Shown(definition.Name)} is not listed: its name here would be {Shown(name)}, which has "
                        + $"{name.Length} characters; clients take {MaxName}. Give the server a shorter name."
                );
            }
            else if (made.TryGetValue(name, out var same))
            {
                notices.Add(
                    $"{Shown(definition.Name)} is not listed: {Shown(same.Original)} of the same server is named "
                        + $"{name} here too."
                );
            }
            else if (!own.Contains(name) && current.Find(name) is { } other)
            {
                joined.HasCollision = true;
                notices.Add(
                    $"{Shown(definition.Name)} is not listed: its name here would be {name}, which {other.Family} has "
                        + "already. Give the server another name."
                );
            }
            else if (Make(joined, definition, name, notices) is { } tool)
            {
                made[name] = tool;
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
        joined.Listed = [.. made.Values.Select(one => one.Tool)];
        registry.Replace(before, joined.Listed);
    }

    // The same definition is the same tool, so that clients hear of real differences only.
    private Made? Make(Joined joined, Definition definition, string name, List<string> notices)
    {
        try
        {
            var hash = Hash(definition);
            var tool =
                joined.Made.TryGetValue(name, out var known) && known.Hash == hash
                    ? known
                    : new Made(definition.Name, hash, Create(joined, definition, name, out var odd), odd);
            if (tool.OddNames.Count > 0)
            {
                notices.Add(
                    $"{name} has arguments whose names some clients refuse: "
                        + $"{string.Join(", ", tool.OddNames.Take(5).Select(Shown))}."
                );
            }

            return tool;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or ArgumentException)
        {
            LogBroken(failure, name);
            notices.Add($"{Shown(definition.Name)} is not listed: its definition cannot be read.");
            return null;
        }
    }

    private Tool Create(Joined joined, Definition definition, string name, out IReadOnlyCollection<string> oddNames)
    {
        var server = joined.Server;
        // Nobody has verified what a server says of its tools, so a hint never lowers what a call needs.
        var effect = definition.Annotations?.DestructiveHint is true ? Effect.Destroy : Effect.Write;
        var risk = Enum.TryParse<RiskLevel>(server.Risk, ignoreCase: true, out var level) ? level : RiskLevel.High;
        var policy = policies.Of(name, server.Name, effect, risk, path: $"{server.Name}/{definition.Name}") with
        {
            IsOfOtherServer = true,
        };
        var input = SchemaForHosts.Input(definition.InputSchema, out oddNames);
        var output = SchemaForHosts.Output(definition.OutputSchema);
        var function = new UpstreamTool(
            server.Name,
            definition.Name,
            name,
            TextLimit.Cut(definition.Description ?? "", MaxDescription),
            input,
            output,
            joined.Call
        );
        var tool = new Tool(
            name,
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
        };
        tool.Prepare();
        _ = tool.Definition; // a broken definition is found here, and not by somebody's list
        return tool;
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

    private static string NameOf(string server, string tool) =>
        string.Concat(
            $"{server}_{tool}".Select(letter =>
                char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' ? letter : '_'
            )
        );

    private static string Hash(Definition definition) =>
        Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(definition, DefinitionInfo)));

    private static string Shown(string name) => $"'{SanitizedText.Show(TextLimit.Cut(name, TextLimit.Name), out _)}'";

    [LoggerMessage(LogLevel.Warning, "Server {Server}: {Notice}")]
    private partial void LogNotice(string server, string notice);

    [LoggerMessage(LogLevel.Warning, "The definition of a server's tool cannot be read {Tool}")]
    private partial void LogBroken(Exception exception, string tool);

    private sealed record Made(string Original, string Hash, Tool Tool, IReadOnlyCollection<string> OddNames);

    private sealed class Joined(ServerDefinition server, UpstreamCall call)
    {
        public ServerDefinition Server => server;

        public UpstreamCall Call => call;

        public IReadOnlyList<Definition> Tools { get; set; } = [];

        public Dictionary<string, Made> Made { get; set; } = [];

        public Tool[] Listed { get; set; } = [];

        public IReadOnlyList<string> Notices { get; set; } = [];

        public bool HasCollision { get; set; }
    }
}
