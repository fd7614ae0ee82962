using System.ComponentModel;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MinimalMcp.Engine;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tools.Portainer;

/// <summary>An environment as Portainer describes it, without its keys and certificates.</summary>
internal sealed record PortainerEnvironment(int Id, string Name, int Type, int Status, bool Heartbeat)
{
    // An answer may lack it, and nothing that names an environment may.
    public string Name { get; } = Name ?? "";

    /// <summary>A Docker Engine, an agent or an edge agent. Others are Azure and Kubernetes.</summary>
    public bool IsDocker => Type is 1 or 2 or 4;

    /// <summary>The status of an edge agent is always 1.</summary>
    public bool IsUp => Type is 4 or 7 ? Heartbeat : Status == 1;

    public string Kind =>
        Type switch
        {
            1 => "docker",
            2 => "docker agent",
            3 => "azure",
            4 => "docker edge agent",
            5 or 6 => "kubernetes",
            7 => "kubernetes edge agent",
            _ => $"type {Type}",
        };
}

internal sealed record EnvironmentList(
    [property: Description("Number of matches, also those that are not listed here.")] int Count,
    IReadOnlyList<EnvironmentSummary> Environments,
    string? Note
);

internal sealed record EnvironmentSummary(
    [property: Description("The value for endpoint_id of the other tools.")] int Id,
    string Name,
    [property: Description("For example docker, docker agent, docker edge agent or kubernetes.")] string Type,
    [property: Description("up or down.")] string Status
)
{
    internal static EnvironmentSummary Of(PortainerEnvironment environment) =>
        new(environment.Id, environment.Name, environment.Kind, environment.IsUp ? "up" : "down");
}

/// <summary>
/// A list of containers whose text is a JSON array with the members of Docker's API, for programs that were written
/// for that. The note stands beside the array.
/// </summary>
internal static class ContainerListResult
{
    private const int MaxCharacters = 60_000;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <param name="list">What was found.</param>
    /// <param name="offset">Where the list begins.</param>
    /// <param name="emptyNote">For a list that has nothing.</param>
    public static CallToolResult Of(ContainerList list, int offset, string? emptyNote)
    {
        var items = list.Containers.Select(Text).ToArray();
        var (kept, room) = (0, MaxCharacters);
        while (kept < items.Length && (room -= items[kept].Length + 1) >= 0)
        {
            kept++;
        }

        var shown =
            kept < items.Length
                ? list with
                {
                    Containers = [.. list.Containers.Take(kept)],
                    Note = new Page(kept, offset).Note(list.Count, kept),
                }
            : list.Count == 0 ? list with { Note = emptyNote }
            : list;
        List<ContentBlock> content = [new TextContentBlock { Text = $"[{string.Join(',', items.Take(kept))}]" }];
        if (shown.Note is { } note)
        {
            content.Add(new TextContentBlock { Text = note });
        }

        return new() { Content = content, StructuredContent = JsonSerializer.SerializeToElement(shown, Json) };
    }

    private static string Text(ContainerSummary container) =>
        new JsonObject
        {
            ["Id"] = container.Id,
            ["Names"] = container.Name,
            ["State"] = container.State,
            ["Status"] = container.Status,
            ["Health"] = container.Health,
            ["Image"] = container.Image,
            ["Ports"] = string.Join(", ", container.Ports),
            ["Stack"] = container.Stack,
        }.ToJsonString(Json);
}

internal sealed record ContainerChange(
    string Container,
    [property: Description("What happened, for example \"started\" or \"was running already\".")] string Result
);

[JsonConverter(typeof(JsonStringEnumConverter<LogStreams>))]
internal enum LogStreams
{
    [JsonStringEnumMemberName("both")]
    Both,

    [JsonStringEnumMemberName("stdout")]
    Stdout,

    [JsonStringEnumMemberName("stderr")]
    Stderr,
}

internal sealed record StackList(
    [property: Description("Number of stacks, also those that are not listed here.")] int Count,
    IReadOnlyList<StackSummary> Stacks,
    string? Note
);

internal sealed record StackSummary(
    [property: Description("The value for stack_id. Absent for a stack that Portainer did not deploy.")] int? Id,
    string Name,
    [property: Description("swarm, compose or kubernetes.")] string Type,
    [property: Description("ID of its environment.")] int EndpointId,
    [property: Description("active or inactive.")] string Status
)
{
    internal static StackSummary Of(PortainerStack stack) =>
        new(stack.Id, stack.Name, TypeOf(stack), stack.EndpointId, StatusOf(stack));

    internal static string TypeOf(PortainerStack stack) =>
        stack.Type switch
        {
            PortainerStack.Swarm => "swarm",
            PortainerStack.Compose => "compose",
            PortainerStack.Kubernetes => "kubernetes",
            _ => $"type {stack.Type}",
        };

    internal static string StatusOf(PortainerStack stack) =>
        stack.Status switch
        {
            PortainerStack.Active => "active",
            PortainerStack.Inactive => "inactive",
            _ => $"status {stack.Status}",
        };
}

internal sealed record StackDetails(
    int Id,
    string Name,
    string Type,
    int EndpointId,
    string Status,
    string? EntryPoint,
    [property: Description("Variables as NAME=value. Values are redacted unless the operator shows them.")]
        IReadOnlyList<string> Environment,
    string? CreatedBy,
    DateTimeOffset? Created,
    [property: Description("The Compose file, or the part of it that file_offset begins.")] string? File,
    [property: Description("How to read the next part of the file.")] string? Note
);

internal sealed record StackChange(
    int Id,
    string Name,
    [property: Description("What happened, for example \"stopped\" or \"was inactive already\".")] string Result
);

/// <summary>A stack as Portainer describes it. Its variables hold secrets.</summary>
internal sealed record PortainerStack(
    int Id,
    string Name,
    int Type,
    int EndpointId,
    int Status,
    string? EntryPoint,
    IReadOnlyList<PortainerVariable>? Env,
    string? CreatedBy,
    long CreationDate
)
{
    public const int Swarm = 1,
        Compose = 2,
        Kubernetes = 3;

    public const int Active = 1,
        Inactive = 2;

    // An answer may lack it, and nothing that names a stack may.
    public string Name { get; } = Name ?? "";
}

internal sealed record PortainerVariable(
    [property: JsonPropertyName("name")] string? Name,
    [property: JsonPropertyName("value")] string? Value
);

internal sealed record PortainerStackFile(string? StackFileContent);

/// <summary>A stack for search and fetch.</summary>
internal sealed record StackDocument(
    string Id,
    string Title,
    string Url,
    string Text = "",
    IReadOnlyDictionary<string, string>? Metadata = null
);
