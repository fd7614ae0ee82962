using System.ComponentModel;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using MinimalMcp.Engine;

namespace MinimalMcp.Tools.Portainer;

public sealed record EnvironmentList(IReadOnlyList<EnvironmentView> Environments);

public sealed record EnvironmentView(
    [property: Description("What endpoint_id takes.")] int Id, string Name, string Type,
    [property: Description("up or down.")] string Status);

public sealed record ContainerChange(
    string Container,
    [property: Description("What became of it, for example \"started\" or \"was running already\".")] string Result);

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
    internal static StackView Of(PortainerStack stack) =>
        new(stack.Id, stack.Name, TypeOf(stack), stack.EndpointId, StatusOf(stack));

    internal static string TypeOf(PortainerStack stack) =>
        stack.Type switch { 1 => "swarm", 2 => "compose", 3 => "kubernetes", _ => $"type {stack.Type}" };

    internal static string StatusOf(PortainerStack stack) =>
        stack.Status switch { 1 => "active", 2 => "inactive", _ => $"status {stack.Status}" };
}

public sealed record StackReport(
    int Id, string Name, string Type, int EndpointId, string Status, string? EntryPoint,
    [property: Description("Values are left out unless the operator shows them.")] IReadOnlyList<string> Environment,
    string? CreatedBy, DateTimeOffset? Created,
    [property: Description("The Compose file.")] string? File);

public sealed record StackChange(int Id, string Name, [property: Description("What became of it, for example \"stopped\".")] string Result);

/// <summary>A stack as Portainer describes it. Its variables hold secrets.</summary>
internal sealed record PortainerStack(
    int Id, string Name, int Type, int EndpointId, int Status, string? EntryPoint, IReadOnlyList<PortainerVariable>? Env,
    string? CreatedBy, long CreationDate);

internal sealed record PortainerVariable(
    [property: JsonPropertyName("name")] string? Name, [property: JsonPropertyName("value")] string? Value);

internal sealed record PortainerStackFile(string? StackFileContent);

/// <summary>Containers that a call had better not stop, since it goes through them.</summary>
internal static partial class PortainerGuard
{
    /// <summary>What of ours a container is; null for any other. Looks at what its image really is, not only at its name.</summary>
    public static async Task<string?> WhatAsync(EngineClient engine, string container, CancellationToken ct)
    {
        var found = await engine.Containers.InspectContainerAsync(EngineClient.Name(container), ct);
        if (IsThisServer(found.ID))
        {
            return "this server itself";
        }

        if (IsPortainer(found.Config?.Image) || (found.Config?.Labels is { } labels && IsPortainer(labels)))
        {
            return "Portainer itself";
        }

        // Started by the id of an image: its name is asked for.
        var isNameless = found.Config?.Image is { } image && ImageId().IsMatch(image);
        return isNameless && await HasPortainersNameAsync(engine, found.Image, ct) ? "Portainer itself" : null;
    }

    /// <summary>The same for any container of a stack.</summary>
    public static async Task<string?> WhatOfStackAsync(EngineClient engine, string stack, CancellationToken ct)
    {
        foreach (var container in await engine.Containers.ListContainersAsync(new(), ct))
        {
            if (ContainerView.StackOf(container.Labels) == stack && await WhatAsync(engine, container.ID, ct) is { } what)
            {
                return what;
            }
        }

        return null;
    }

    private static bool IsPortainer(string? image) => image is not null && PortainerImage().IsMatch(image);

    // Portainer's images carry it, under whatever name somebody keeps them.
    private static bool IsPortainer(IDictionary<string, string> labels) =>
        labels.TryGetValue("org.opencontainers.image.title", out var title) && title.StartsWith("Portainer", StringComparison.OrdinalIgnoreCase);

    /// <summary>A container's host name is the beginning of its id, unless somebody chose another.</summary>
    private static bool IsThisServer(string id) =>
        Environment.MachineName.Length == 12 && id.StartsWith(Environment.MachineName, StringComparison.OrdinalIgnoreCase);

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
