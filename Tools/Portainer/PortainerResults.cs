using System.ComponentModel;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace MinimalMcp.Tools.Portainer;

public sealed record EnvironmentList(IReadOnlyList<EnvironmentView> Environments);

public sealed record EnvironmentView([property: Description("What endpoint_id takes.")] int Id, string Name, string Type, [property: Description("up or down.")] string Status);

public sealed record ContainerChange(string Container, [property: Description("What became of it, for example \"started\" or \"was running already\".")] string Result);

[JsonConverter(typeof(JsonStringEnumConverter<LogStreams>))]
public enum LogStreams
{
    [JsonStringEnumMemberName("both")] Both,
    [JsonStringEnumMemberName("stdout")] Stdout,
    [JsonStringEnumMemberName("stderr")] Stderr,
}

public sealed record StackList(IReadOnlyList<StackView> Stacks, string? Note);

public sealed record StackView(
    [property: Description("What stack_id takes. Absent when Portainer did not start it.")] int? Id, string Name,
    [property: Description("swarm, compose or kubernetes.")] string Type, int EndpointId,
    [property: Description("active or inactive.")] string Status)
{
    internal static StackView Of(PortainerStack stack) => new(stack.Id, stack.Name, TypeOf(stack), stack.EndpointId, StatusOf(stack));

    internal static string TypeOf(PortainerStack stack) => stack.Type switch { 1 => "swarm", 2 => "compose", 3 => "kubernetes", _ => $"type {stack.Type}" };

    internal static string StatusOf(PortainerStack stack) => stack.Status switch { 1 => "active", 2 => "inactive", _ => $"status {stack.Status}" };
}

public sealed record StackReport(
    int Id, string Name, string Type, int EndpointId, string Status, string? EntryPoint,
    [property: Description("Values are left out unless the operator shows them.")] IReadOnlyList<string> Environment,
    string? CreatedBy, DateTimeOffset? Created,
    [property: Description("The Compose file.")] string? File);

public sealed record StackChange(int Id, string Name, [property: Description("What became of it, for example \"stopped\".")] string Result);

/// <summary>A stack as Portainer describes it. Its variables hold secrets.</summary>
internal sealed record PortainerStack(int Id, string Name, int Type, int EndpointId, int Status, string? EntryPoint, IReadOnlyList<PortainerVariable>? Env, string? CreatedBy, long CreationDate);

internal sealed record PortainerVariable([property: JsonPropertyName("name")] string? Name, [property: JsonPropertyName("value")] string? Value);

internal sealed record PortainerStackFile(string? StackFileContent);

internal static partial class PortainerNames
{
    public static bool IsPortainer(string? image) => image is not null && Image().IsMatch(image);

    /// <summary>A container's host name is the beginning of its id, unless somebody chose another.</summary>
    public static bool IsThisServer(string id) => Environment.MachineName.Length == 12 && id.StartsWith(Environment.MachineName, StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex(@"(^|/)portainer/(portainer|agent)(-[a-z]+)?([:@]|$)")]
    private static partial Regex Image();
}
