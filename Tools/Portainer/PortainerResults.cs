using System.ComponentModel;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using MinimalMcp.Engine;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tools.Portainer;

public sealed record EnvironmentList(IReadOnlyList<EnvironmentView> Environments);

public sealed record EnvironmentView(
    [property: Description("What endpoint_id takes.")] int Id,
    string Name,
    string Type,
    [property: Description("up or down.")] string Status
);

/// <summary>
/// A list of containers for programs that read the text of a result: a JSON list with the members that Docker's API
/// has, so that what was written for that reads it. What was left out is said beside it.
/// </summary>
internal static class ContainerText
{
    private const int MaxCharacters = 60_000;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static CallToolResult Of(ContainerList list)
    {
        var items = list.Containers.Select(Written).ToArray();
        var (kept, room) = (0, MaxCharacters);
        while (kept < items.Length && (room -= items[kept].Length + 1) >= 0)
        {
            kept++;
        }

        var shown =
            kept == items.Length
                ? list
                : list with
                {
                    Containers = [.. list.Containers.Take(kept)],
                    Note = $"These are {kept} of {list.Count}. Narrow with name, stack or status, or lower limit.",
                };
        List<ContentBlock> content = [new TextContentBlock { Text = $"[{string.Join(',', items.Take(kept))}]" }];
        if (shown.Note is { } note)
        {
            content.Add(new TextContentBlock { Text = note });
        }

        return new() { Content = content, StructuredContent = JsonSerializer.SerializeToElement(shown, Json) };
    }

    private static string Written(ContainerView container) =>
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

public sealed record ContainerChange(
    string Container,
    [property: Description("What became of it, for example \"started\" or \"was running already\".")] string Result
);

[JsonConverter(typeof(JsonStringEnumConverter<LogStreams>))]
public enum LogStreams
{
    [JsonStringEnumMemberName("both")]
    Both,

    [JsonStringEnumMemberName("stdout")]
    Stdout,

    [JsonStringEnumMemberName("stderr")]
    Stderr,
}

public sealed record StackList(IReadOnlyList<StackView> Stacks, string? Note);

public sealed record StackView(
    [property: Description("What stack_id takes. Absent when Portainer did not start it.")] int? Id,
    string Name,
    [property: Description("swarm, compose or kubernetes.")] string Type,
    int EndpointId,
    [property: Description("active or inactive.")] string Status
)
{
    internal static StackView Of(PortainerStack stack) =>
        new(stack.Id, stack.Name, TypeOf(stack), stack.EndpointId, StatusOf(stack));

    internal static string TypeOf(PortainerStack stack) =>
        stack.Type switch
        {
            1 => "swarm",
            2 => "compose",
            3 => "kubernetes",
            _ => $"type {stack.Type}",
        };

    internal static string StatusOf(PortainerStack stack) =>
        stack.Status switch
        {
            1 => "active",
            2 => "inactive",
            _ => $"status {stack.Status}",
        };
}

public sealed record StackReport(
    int Id,
    string Name,
    string Type,
    int EndpointId,
    string Status,
    string? EntryPoint,
    [property: Description("Values are left out unless the operator shows them.")] IReadOnlyList<string> Environment,
    string? CreatedBy,
    DateTimeOffset? Created,
    [property: Description("The Compose file.")] string? File
);

public sealed record StackChange(
    int Id,
    string Name,
    [property: Description("What became of it, for example \"stopped\".")] string Result
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
    // An answer may lack it, and nothing that names a stack may.
    public string Name { get; } = Name ?? "";
}

internal sealed record PortainerVariable(
    [property: JsonPropertyName("name")] string? Name,
    [property: JsonPropertyName("value")] string? Value
);

internal sealed record PortainerStackFile(string? StackFileContent);

/// <summary>Containers that a call had better not stop, since it goes through them.</summary>
internal static partial class PortainerGuard
{
    /// <summary>What of ours a container is; null for any other.</summary>
    public static async Task<string?> WhatAsync(EngineClient engine, string container, CancellationToken ct)
    {
        var found = await engine.Containers.InspectContainerAsync(EngineClient.Name(container), ct);
        return await WhatAsync(engine, found.ID, found.Config?.Image, found.Image, found.Config?.Labels, ct);
    }

    /// <summary>The same for any container of a stack.</summary>
    public static async Task<string?> WhatOfStackAsync(EngineClient engine, string stack, CancellationToken ct)
    {
        foreach (var one in await engine.Containers.ListContainersAsync(new(), ct))
        {
            if (
                ContainerView.StackOf(one.Labels) == stack
                && await WhatAsync(engine, one.ID, one.Image, one.ImageID, one.Labels, ct) is { } what
            )
            {
                return what;
            }
        }

        return null;
    }

    // Looks at what the image really is, not only at the name by which somebody started it.
    private static async Task<string?> WhatAsync(
        EngineClient engine,
        string id,
        string? image,
        string? imageId,
        IDictionary<string, string>? labels,
        CancellationToken ct
    ) =>
        IsThisServer(id) ? "this server itself"
        : IsPortainer(image) || IsPortainer(labels) ? "Portainer itself"
        : image is not null
        && imageId is not null
        && ImageId().IsMatch(image)
        && await HasPortainersNameAsync(engine, imageId, ct)
            ? "Portainer itself"
        : null;

    private static bool IsPortainer(string? image) => image is not null && PortainerImage().IsMatch(image);

    // Portainer's images carry it, under whatever name somebody keeps them.
    private static bool IsPortainer(IDictionary<string, string>? labels) =>
        labels is not null
        && labels.TryGetValue("org.opencontainers.image.title", out var title)
        && title.StartsWith("Portainer", StringComparison.OrdinalIgnoreCase);

    /// <summary>A container's host name is the beginning of its id, unless somebody chose another.</summary>
    private static bool IsThisServer(string id) =>
        Environment.MachineName.Length == 12
        && id.StartsWith(Environment.MachineName, StringComparison.OrdinalIgnoreCase);

    private static async Task<bool> HasPortainersNameAsync(EngineClient engine, string image, CancellationToken ct)
    {
        try
        {
            var found = await engine.Images.InspectImageAsync(EngineClient.Image(image), ct);
            return (found.RepoTags ?? []).Concat(found.RepoDigests ?? []).Any(IsPortainer);
        }
        catch (EngineException e) when (e.CallerCanMend)
        {
            return false; // the image is gone
        }
    }

    [GeneratedRegex(@"(^|/)portainer/(portainer|agent)(-[a-z]+)?([:@]|$)")]
    private static partial Regex PortainerImage();

    [GeneratedRegex("^(sha256:)?[0-9a-f]{12,64}$")]
    private static partial Regex ImageId();
}
