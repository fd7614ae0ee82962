using System.ComponentModel;
using System.Reflection;
using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.AI;
using MinimalMcp.Governance;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Definition = ModelContextProtocol.Protocol.Tool;

namespace MinimalMcp.Tools;

/// <summary>Creates tools from methods with the SDK's own attributes.</summary>
internal sealed partial class ToolMethods(
    IServiceProvider services,
    GovernanceServices gate,
    ToolPolicies policies,
    ILogger<ToolMethods> logger,
    IConfiguration configuration
)
{
    /// <summary>
    /// How arguments are read and results written: camelCase, exact names, enums by name, null omitted.
    /// Case-insensitive names would let two spellings mean different things to two readers.
    /// </summary>
    public static readonly JsonSerializerOptions Json = CreateOptions();

    private static readonly Type[] ConversationTypes =
    [
        typeof(McpServer),
        typeof(RequestContext<CallToolRequestParams>),
    ];

    private readonly int _maxCharacters = Math.Max(
        1000,
        configuration.GetValue("Tools:MaxResultCharacters", ResultLimit.DefaultCharacters)
    );

    /// <summary>The limit of a result.</summary>
    internal int MaxCharacters => _maxCharacters;

    private readonly IServiceProviderIsService _known = services.GetRequiredService<IServiceProviderIsService>();

    /// <summary>The tools of a class: its methods with <see cref="McpServerToolAttribute"/>.</summary>
    public IEnumerable<Tool> Of(Type type) => Methods(type).Select(tool => Create(tool.Method, tool.Attribute));

    /// <summary>The names of these tools, without creating them.</summary>
    internal static IEnumerable<string> NamesOf(Type type) =>
        Methods(type).Select(tool => NameOf(tool.Method, tool.Attribute));

    private static IEnumerable<(MethodInfo Method, McpServerToolAttribute Attribute)> Methods(Type type) =>
        from method in type.GetMethods(
            BindingFlags.Public
                | BindingFlags.NonPublic
                | BindingFlags.Instance
                | BindingFlags.Static
                | BindingFlags.DeclaredOnly
        )
        let attribute = method.GetCustomAttribute<McpServerToolAttribute>()
        where attribute is not null
        select (method, attribute);

    private static string NameOf(MethodInfo method, McpServerToolAttribute attribute) =>
        attribute.Name ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(method.Name);

    private Tool Create(MethodInfo method, McpServerToolAttribute attribute)
    {
        var name = NameOf(method, attribute);
        var policy = Policy(method, attribute, name);
        var parameters = method.GetParameters();
        return new Tool(
            name,
            FamilyOf(method.DeclaringType!),
            policy,
            needsConversation: policy.NeedsConfirmation
                || parameters.Any(parameter => ConversationTypes.Contains(parameter.ParameterType)),
            hasHeaders: parameters.Any(parameter => parameter.IsDefined(typeof(McpHeaderAttribute))),
            gate.Redactor,
            logger,
            () => Callable(name, method, policy),
            callable => Define(callable.Function, method, attribute, policy)
        )
        {
            ReportsProgress = parameters.Any(parameter =>
                parameter.ParameterType == typeof(IProgress<ProgressNotificationValue>)
            ),
            IsInProfile = Declared(method, InProfile) is not null,
            Aliases = AliasesOf(method, name),
        };
    }

    private Tool.Callable Callable(string name, MethodInfo method, ToolPolicy policy)
    {
        var function = AIFunctionFactory.Create(
            method,
            Target(method),
            new AIFunctionFactoryOptions
            {
                Name = name,
                SerializerOptions = Json,
                ConfigureParameterBinding = Bind,
                MarshalResult = static (value, _, _) => new(value),
                ExcludeResultSchema = true, // created with the definition: a call does not need it
            }
        );
        var type = Json.GetTypeInfo(ResultType(method) ?? typeof(object));
        return new(
            new GovernedFunction(
                new FunctionWithSchema(function, ToolSchemas.Input(function.JsonSchema, method)),
                policy,
                gate
            ),
            new ToolResult.Shape(
                type,
                type.Kind is JsonTypeInfoKind.Object or JsonTypeInfoKind.Dictionary,
                _maxCharacters
            )
        );
    }

    /// <summary>The type of a structured result; null for text, content blocks or nothing.</summary>
    private static Type? ResultType(MethodInfo method)
    {
        var type =
            method.ReturnType is { IsGenericType: true } task
            && (
                task.GetGenericTypeDefinition() == typeof(Task<>)
                || task.GetGenericTypeDefinition() == typeof(ValueTask<>)
            )
                ? task.GetGenericArguments()[0]
                : method.ReturnType;
        var isContent =
            typeof(ContentBlock).IsAssignableFrom(type)
            || typeof(IEnumerable<ContentBlock>).IsAssignableFrom(type)
            || type == typeof(CallToolResult);
        return
            isContent
            || type == typeof(string)
            || type == typeof(void)
            || type == typeof(Task)
            || type == typeof(ValueTask)
            ? null
            : type;
    }

    // A tool class is a singleton: per-call data is a parameter of the method.
    private object? Target(MethodInfo method) =>
        method.IsStatic
            ? null
            : services.GetService(method.DeclaringType!)
                ?? ActivatorUtilities.CreateInstance(services, method.DeclaringType!);

    private AIFunctionFactoryOptions.ParameterBindingOptions Bind(ParameterInfo parameter)
    {
        var type = parameter.ParameterType;
        return type == typeof(ClaimsPrincipal) ? Hidden((_, arguments) => ((ToolCall)arguments).User)
            : type == typeof(RequestContext<CallToolRequestParams>) ? Hidden((_, arguments) => Context(arguments))
            : type == typeof(McpServer) ? Hidden((_, arguments) => Context(arguments).Server)
            : type == typeof(IProgress<ProgressNotificationValue>)
                ? Hidden(
                    (_, arguments) =>
                        (((ToolCall)arguments).Conversation as RequestContext<CallToolRequestParams>).Progress()
                )
            : type == typeof(IServiceProvider) ? Hidden((_, arguments) => arguments.Services ?? services)
            : type == typeof(CancellationToken) ? default
            : type == typeof(JsonElement) || type == typeof(object) ? new() { BindParameter = RawJson }
            : type != typeof(string) && _known.IsService(type)
                ? Hidden((_, arguments) => (arguments.Services ?? services).GetRequiredService(type))
            : new() { BindParameter = Reader(parameter) };
    }

    // Binds an argument as AIFunctionFactory does, but names one that cannot be bound: the schema does not express
    // every restriction of a type, such as the range of an int.
    private static Func<ParameterInfo, AIFunctionArguments, object?> Reader(ParameterInfo parameter)
    {
        var (name, type) = (parameter.Name!, parameter.ParameterType);
        var standard = parameter.HasDefaultValue ? parameter.DefaultValue : null;
        var info = Json.GetTypeInfo(type);
        return (_, arguments) =>
        {
            if (!arguments.TryGetValue(name, out var value))
            {
                return standard;
            }

            try
            {
                return value switch
                {
                    null => null,
                    JsonElement json => json.Deserialize(info),
                    _ when type.IsInstanceOfType(value) => value,
                    _ => JsonSerializer.SerializeToElement(value, Json).Deserialize(info),
                };
            }
            catch (Exception wrong) when (wrong is JsonException or FormatException or OverflowException)
            {
                throw new ToolRefusedException(
                    Refusal.Arguments,
                    $"'{name}' cannot be read: it is not a value that this argument takes.",
                    wrong
                );
            }
        };
    }

    // Other types are copied; raw JSON would still refer to the request's buffer.
    private static object? RawJson(ParameterInfo parameter, AIFunctionArguments arguments) =>
        arguments.TryGetValue(parameter.Name!, out var value) ? (value is JsonElement json ? json.Clone() : value)
        : parameter.HasDefaultValue ? parameter.DefaultValue ?? default(JsonElement)
        : null;

    private static AIFunctionFactoryOptions.ParameterBindingOptions Hidden(
        Func<ParameterInfo, AIFunctionArguments, object?> bind
    ) => new() { ExcludeFromSchema = true, BindParameter = bind };

    private static RequestContext<CallToolRequestParams> Context(AIFunctionArguments arguments) =>
        ((ToolCall)arguments).Conversation as RequestContext<CallToolRequestParams>
        ?? throw new McpException(
            "This tool communicates with the client while it works, which requires an MCP connection."
        );

    // Arguments with an address that an upstream will fetch: [McpMeta("addresses", "url")]. Not published.
    private const string Addresses = "addresses";

    // Former argument names that are still accepted: [McpMeta("old_names", "from=start to=end")].
    private const string OldNames = "old_names";

    // Names of the tool in the system that the family follows: [McpMeta("aliases", "list_all_users")], beside its own
    // name without the family's prefix. They are answered to where the family's setting OriginalNames is on.
    private const string Aliases = "aliases";

    // The tool belongs to what the family's profile offers, of a family with more than a host takes.
    private const string InProfile = "profile";

    private ToolPolicy Policy(MethodInfo method, McpServerToolAttribute attribute, string name)
    {
        // The attribute's Destructive defaults to true, which contradicts a read-only tool.
        var effect =
            attribute.ReadOnly ? Effect.Read
            : attribute.Destructive ? Effect.Destroy
            : Effect.Write;
        var declared = Declared(method, "risk");
        RiskLevel? risk =
            declared is null ? null
            : Enum.TryParse<RiskLevel>(declared, ignoreCase: true, out var level) ? level
            : throw new InvalidOperationException(
                $"{name} declares the risk '{declared}'; it must be LOW, MEDIUM, HIGH or CRITICAL."
            );
        return policies.Of(name, FamilyOf(method.DeclaringType!), effect, risk, Declared(method, Addresses)) with
        {
            OldNames = (Declared(method, OldNames) ?? "")
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(pair => pair.Split('='))
                .ToDictionary(pair => pair[0], pair => pair[1]),
        };
    }

    private static string? Declared(MethodInfo method, string name) =>
        method.GetCustomAttributes<McpMetaAttribute>().FirstOrDefault(meta => meta.Name == name)?.JsonValue is { } json
            ? JsonSerializer.Deserialize<string>(json)
            : null;

    private static (Definition, JsonElement?) Define(
        AIFunction function,
        MethodInfo method,
        McpServerToolAttribute attribute,
        ToolPolicy policy
    )
    {
        var meta = new JsonObject();
        foreach (
            var declared in method
                .GetCustomAttributes<McpMetaAttribute>()
                .Where(meta => meta.Name is not (Addresses or OldNames or Aliases or InProfile))
        )
        {
            meta[declared.Name] = JsonNode.Parse(declared.JsonValue);
        }

        meta["risk"] = policy.Level;
        JsonElement? result = (attribute.OutputSchemaType ?? ResultType(method)) is { } type
            ? ToolSchemas.Output(type, Json)
            : null;
        var mayLook = policy.Effect is not Effect.Read || policy.NeedsConfirmation;
        return (
            new()
            {
                Name = function.Name,
                Title = attribute.Title
                    ?? method.GetCustomAttribute<DisplayNameAttribute>()?.DisplayName
                    ?? Humanize(function.Name),
                Description = function.Description,
                InputSchema = function.JsonSchema,
                OutputSchema = mayLook && result is { } own ? ToolSchemas.OneOf(own, Preview.Schema) : result,
                Annotations = new()
                {
                    Title = attribute.Title,
                    ReadOnlyHint = policy.Effect is Effect.Read,
                    DestructiveHint = policy.Effect is Effect.Destroy,
                    IdempotentHint = policy.Effect is Effect.Read || attribute.Idempotent,
                    OpenWorldHint = attribute.OpenWorld,
                },
                Meta = meta,
            },
            result
        );
    }

    private string[] AliasesOf(MethodInfo method, string name)
    {
        var prefix = FamilyOf(method.DeclaringType!) + "_";
        return configuration.GetValue<bool>($"{prefix[..^1]}:OriginalNames")
            ?
            [
                .. name.StartsWith(prefix, StringComparison.Ordinal) ? (string[])[name[prefix.Length..]] : [],
                .. (Declared(method, Aliases) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries),
            ]
            : [];
    }

    private static string FamilyOf(Type type) => ToolsSetup.Family(type).ToLowerInvariant();

    private static string Humanize(string name) =>
        char.ToUpperInvariant(name[0]) + name[1..].Replace('_', ' ').Replace('-', ' ');

    private static JsonSerializerOptions CreateOptions()
    {
        var options = new JsonSerializerOptions(McpJsonUtilities.DefaultOptions)
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            PropertyNameCaseInsensitive = false,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            NumberHandling = JsonNumberHandling.AllowReadingFromString,
            Converters = { new JsonStringEnumConverter() },
        };
        options.MakeReadOnly();
        return options;
    }

    // Arguments are validated against the published schema.
    private sealed class FunctionWithSchema(AIFunction function, JsonElement schema) : DelegatingAIFunction(function)
    {
        public override JsonElement JsonSchema => schema;
    }
}
