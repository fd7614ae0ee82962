using System.ComponentModel;
using System.Text.Json.Serialization;
using Docker.DotNet.Models;

namespace MinimalMcp.Engine;

// Short forms of what the API answers: enough to choose by, since a model pays for every character.

/// <summary>The state of a container, in the API's words.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ContainerStatus>))]
internal enum ContainerStatus
{
    [JsonStringEnumMemberName("created")]
    Created,

    [JsonStringEnumMemberName("running")]
    Running,

    [JsonStringEnumMemberName("paused")]
    Paused,

    [JsonStringEnumMemberName("restarting")]
    Restarting,

    [JsonStringEnumMemberName("exited")]
    Exited,

    [JsonStringEnumMemberName("dead")]
    Dead,
}

/// <summary>The result of a container's health check.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ContainerHealthStatus>))]
internal enum ContainerHealthStatus
{
    [JsonStringEnumMemberName("healthy")]
    Healthy,

    [JsonStringEnumMemberName("unhealthy")]
    Unhealthy,

    [JsonStringEnumMemberName("starting")]
    Starting,

    [JsonStringEnumMemberName("none")]
    None,
}

/// <summary>Which part of a list: so many entries after the first <paramref name="Offset"/>.</summary>
internal readonly record struct Page(int Limit, int Offset = 0)
{
    public T[] Of<T>(IReadOnlyCollection<T> all) => [.. all.Skip(Offset).Take(Limit)];

    /// <summary>How to get the next part; null when there is none.</summary>
    /// <param name="count">How many entries there are.</param>
    /// <param name="shown">How many of them this part has.</param>
    public string? Note(int count, int shown) =>
        Offset + shown < count
            ? $"Entries {Offset + 1} to {Offset + shown} of {count}. For the next ones set offset to {Offset + shown}."
        : Offset > 0 && shown == 0 ? $"There are {count} entries; offset {Offset} is behind the last one."
        : null;
}

internal sealed record ContainerSummary(
    [property: Description("Container ID. Other tools accept the ID or the name.")] string Id,
    string Name,
    string Image,
    [property: Description("created, running, paused, restarting, exited or dead.")] string State,
    [property: Description("State with times, for example \"Up 2 hours\" or \"Exited (1) 5 minutes ago\".")]
        string Status,
    [property: Description("healthy, unhealthy or starting; absent without a health check.")] string? Health,
    [property: Description("Ports, for example \"127.0.0.1:8080->80/tcp\".")] IReadOnlyList<string> Ports,
    [property: Description("Name of its Compose project or Swarm stack.")] string? Stack
)
{
    public static ContainerSummary Of(ContainerListResponse container) =>
        new(
            ShortId(container.ID),
            container.Names is [{ } first, ..] ? first.TrimStart('/') : "",
            container.Image ?? "",
            container.State ?? "",
            container.Status ?? "",
            HealthIn(container.Status ?? ""),
            [.. (container.Ports ?? []).OfType<PortSummary>().Select(PortText).Distinct()],
            StackOf(container.Labels)
        );

    /// <summary>The Compose project or Swarm stack that labels name.</summary>
    public static string? StackOf(IDictionary<string, string>? labels) =>
        labels is null ? null
        : labels.TryGetValue("com.docker.compose.project", out var project) ? project
        : labels.TryGetValue("com.docker.stack.namespace", out var stack) ? stack
        : null;

    /// <summary>Whether labels name a stack. Compose writes its projects in lower case.</summary>
    public static bool IsOfStack(IDictionary<string, string>? labels, string stack) =>
        string.Equals(StackOf(labels), stack, StringComparison.OrdinalIgnoreCase);

    /// <summary>The 12 digits that docker ps shows.</summary>
    public static string ShortId(string? id)
    {
        if (id is null)
        {
            return "";
        }

        var digits = id[(id.IndexOf(':') + 1)..];
        return digits.Length > 12 ? digits[..12] : digits;
    }

    private static string PortText(PortSummary port) =>
        port.PublicPort is { } published
            ? $"{port.IP}:{published}->{port.PrivatePort}/{port.Type}"
            : $"{port.PrivatePort}/{port.Type}";

    // Before API 1.52 only the status text of the list has it.
    private static string? HealthIn(string status) =>
        status.EndsWith("(healthy)", StringComparison.Ordinal) ? "healthy"
        : status.EndsWith("(unhealthy)", StringComparison.Ordinal) ? "unhealthy"
        : status.EndsWith("(health: starting)", StringComparison.Ordinal) ? "starting"
        : null;
}

/// <summary>Conditions for containers; all of them must hold.</summary>
/// <param name="All">Stopped ones too.</param>
/// <param name="Name">A part of the name or of the image.</param>
/// <param name="Stack">The name of a Compose project or Swarm stack.</param>
internal sealed record ContainerFilter(
    bool All = true,
    ContainerStatus? Status = null,
    ContainerHealthStatus? Health = null,
    string? Name = null,
    string? Stack = null
);

internal sealed record ContainerList(
    [property: Description("Number of matching containers, also those that are not listed here.")] int Count,
    IReadOnlyList<ContainerSummary> Containers,
    string? Note
)
{
    public static async Task<ContainerList> ReadAsync(
        EngineClient engine,
        ContainerFilter filter,
        Page page,
        CancellationToken ct
    )
    {
        (string, string)?[] filters = [Condition("status", filter.Status), Condition("health", filter.Health)];
        var parameters = new ContainersListParameters { All = filter.All || filter.Status is not null };
        if (filters.Any(condition => condition is not null))
        {
            parameters.Filters = EngineClient.Filters(filters.OfType<(string, string)>());
        }

        // A stack has one of two labels, and Docker combines label filters with "and".
        var found = (await engine.Containers.ListContainersAsync(parameters, ct))
            .OfType<ContainerListResponse>()
            .Where(container => filter.Stack is null || ContainerSummary.IsOfStack(container.Labels, filter.Stack))
            .Select(ContainerSummary.Of)
            .Where(container => Has(container.Name, filter.Name) || Has(container.Image, filter.Name))
            .OrderBy(container => container.Name, StringComparer.Ordinal)
            .ToArray();
        var shown = page.Of(found);
        return new(found.Length, shown, page.Note(found.Length, shown.Length));
    }

    internal static bool Has(string text, string? part) =>
        part is null || text.Contains(part, StringComparison.OrdinalIgnoreCase);

    private static (string, string)? Condition<T>(string name, T? value)
        where T : struct, Enum => value is { } known ? (name, known.ToString().ToLowerInvariant()) : null;
}

internal sealed record ImageSummary(
    string Id,
    [property: Description("Names with tag, for example redis:7; empty for an untagged image.")]
        IReadOnlyList<string> Tags,
    long SizeBytes,
    DateTimeOffset? Created
);

internal sealed record ImageList(
    [property: Description("Number of matches, also those that are not listed here.")] int Count,
    IReadOnlyList<ImageSummary> Images,
    string? Note
)
{
    public static async Task<ImageList> ReadAsync(EngineClient engine, string? name, Page page, CancellationToken ct)
    {
        var found = (await engine.Images.ListImagesAsync(new(), ct))
            .OfType<ImagesListResponse>()
            .Select(image => new ImageSummary(
                ContainerSummary.ShortId(image.ID),
                [.. Tags(image)],
                image.Size,
                image.Created.Year > 1 ? new(DateTime.SpecifyKind(image.Created, DateTimeKind.Utc)) : null
            ))
            .Where(image => name is null || image.Tags.Any(tag => ContainerList.Has(tag, name)))
            .OrderBy(image => image.Tags.Count > 0 ? image.Tags[0] : "~", StringComparer.Ordinal)
            .ThenBy(image => image.Id, StringComparer.Ordinal)
            .ToArray();
        var shown = page.Of(found);
        return new(found.Length, shown, page.Note(found.Length, shown.Length));
    }

    // Older engines write the absence of a tag as a tag.
    private static IEnumerable<string> Tags(ImagesListResponse image) =>
        (image.RepoTags ?? []).OfType<string>().Where(tag => tag != "<none>:<none>");
}

internal sealed record VolumeSummary(string Name, string Driver, string? Created, string? Stack);

internal sealed record VolumeList(
    [property: Description("Number of matches, also those that are not listed here.")] int Count,
    IReadOnlyList<VolumeSummary> Volumes,
    string? Note
)
{
    public static async Task<VolumeList> ReadAsync(EngineClient engine, string? name, Page page, CancellationToken ct)
    {
        var found = ((await engine.Volumes.ListAsync(ct)).Volumes ?? [])
            .OfType<VolumeResponse>()
            .Select(volume => new VolumeSummary(
                volume.Name ?? "",
                volume.Driver ?? "",
                volume.CreatedAt,
                ContainerSummary.StackOf(volume.Labels)
            ))
            .Where(volume => ContainerList.Has(volume.Name, name))
            .OrderBy(volume => volume.Name, StringComparer.Ordinal)
            .ToArray();
        var shown = page.Of(found);
        return new(found.Length, shown, page.Note(found.Length, shown.Length));
    }
}

internal sealed record NetworkSummary(
    string Id,
    string Name,
    string Driver,
    string Scope,
    [property: Description("true: containers in it cannot reach other networks.")] bool IsInternal,
    IReadOnlyList<string> Subnets
);

internal sealed record NetworkList(
    [property: Description("Number of matches, also those that are not listed here.")] int Count,
    IReadOnlyList<NetworkSummary> Networks,
    string? Note
)
{
    public static async Task<NetworkList> ReadAsync(EngineClient engine, string? name, Page page, CancellationToken ct)
    {
        var found = (await engine.Networks.ListNetworksAsync(cancellationToken: ct))
            .OfType<NetworkResponse>()
            .Select(network => new NetworkSummary(
                ContainerSummary.ShortId(network.ID),
                network.Name ?? "",
                network.Driver ?? "",
                network.Scope ?? "",
                network.Internal,
                [.. Subnets(network)]
            ))
            .Where(network => ContainerList.Has(network.Name, name))
            .OrderBy(network => network.Name, StringComparer.Ordinal)
            .ToArray();
        var shown = page.Of(found);
        return new(found.Length, shown, page.Note(found.Length, shown.Length));
    }

    private static IEnumerable<string> Subnets(NetworkResponse network) =>
        (network.IPAM?.Config ?? []).Select(range => range?.Subnet).OfType<string>().Where(subnet => subnet.Length > 0);
}
