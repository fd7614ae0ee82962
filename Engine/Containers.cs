using System.ComponentModel;
using System.Text.Json.Serialization;
using Docker.DotNet.Models;

namespace MinimalMcp.Engine;

// The small forms of what the API answers: enough to choose by, and short, since a model pays for every letter.

/// <summary>What a container is doing, in the API's words.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ContainerStatus>))]
public enum ContainerStatus
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

/// <summary>What its health check says.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ContainerHealthStatus>))]
public enum ContainerHealthStatus
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

public sealed record ContainerView(
    [property: Description("What other tools take; so is the name.")] string Id,
    string Name,
    string Image,
    [property: Description("created, running, paused, restarting, exited or dead.")] string State,
    [property: Description("In words, for example \"Up 2 hours\" or \"Exited (1) 5 minutes ago\".")] string Status,
    [property: Description("healthy, unhealthy or starting; absent where nothing checks.")] string? Health,
    IReadOnlyList<string> Ports,
    [property: Description("The Compose project or Swarm stack that it belongs to.")] string? Stack
)
{
    public static ContainerView Of(ContainerListResponse container) =>
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

    /// <summary>Whose labels these are: a Compose project's or a Swarm stack's.</summary>
    public static string? StackOf(IDictionary<string, string>? labels) =>
        labels is null ? null
        : labels.TryGetValue("com.docker.compose.project", out var project) ? project
        : labels.TryGetValue("com.docker.stack.namespace", out var stack) ? stack
        : null;

    /// <summary>As people know them.</summary>
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

    // Before API 1.52 the list says it in its words only.
    private static string? HealthIn(string status) =>
        status.EndsWith("(healthy)", StringComparison.Ordinal) ? "healthy"
        : status.EndsWith("(unhealthy)", StringComparison.Ordinal) ? "unhealthy"
        : status.EndsWith("(health: starting)", StringComparison.Ordinal) ? "starting"
        : null;
}

public sealed record ContainerList(
    [property: Description("How many there are, whether listed or not.")] int Count,
    IReadOnlyList<ContainerView> Containers,
    string? Note
)
{
    /// <summary>Lists those that fit every condition, as many as wished.</summary>
    public static async Task<ContainerList> ReadAsync(
        EngineClient engine,
        bool all,
        ContainerStatus? status,
        ContainerHealthStatus? health,
        string? name,
        string? stack,
        int limit,
        CancellationToken ct
    )
    {
        (string, string)?[] filters = [Filter("status", status), Filter("health", health)];
        var parameters = new ContainersListParameters { All = all || status is not null };
        if (filters.Any(filter => filter is not null))
        {
            parameters.Filters = EngineClient.Filters(filters.OfType<(string, string)>());
        }

        // A stack has one of two labels, and Docker combines label filters with "and".
        var found = (await engine.Containers.ListContainersAsync(parameters, ct))
            .OfType<ContainerListResponse>()
            .Select(ContainerView.Of)
            .Where(container => Has(container.Name, name) || Has(container.Image, name))
            .Where(container => stack is null || container.Stack == stack)
            .OrderBy(container => container.Name, StringComparer.Ordinal)
            .ToArray();
        return new(found.Length, [.. found.Take(limit)], More.Than(limit, found.Length));
    }

    private static bool Has(string text, string? part) =>
        part is null || text.Contains(part, StringComparison.OrdinalIgnoreCase);

    private static (string, string)? Filter<T>(string name, T? value)
        where T : struct, Enum => value is { } known ? (name, known.ToString().ToLowerInvariant()) : null;
}

public sealed record ImageView(string Id, IReadOnlyList<string> Tags, long SizeBytes, DateTimeOffset Created);

public sealed record ImageList(
    [property: Description("How many there are, whether listed or not.")] int Count,
    IReadOnlyList<ImageView> Images,
    string? Note
)
{
    public static async Task<ImageList> ReadAsync(EngineClient engine, int limit, CancellationToken ct)
    {
        var found = (await engine.Images.ListImagesAsync(new(), ct))
            .OfType<ImagesListResponse>()
            .Select(image => new ImageView(
                ContainerView.ShortId(image.ID),
                [.. Tags(image)],
                image.Size,
                new(DateTime.SpecifyKind(image.Created, DateTimeKind.Utc))
            ))
            .OrderBy(image => image.Tags.Count > 0 ? image.Tags[0] : "~", StringComparer.Ordinal)
            .ToArray();
        return new(found.Length, [.. found.Take(limit)], More.Than(limit, found.Length));
    }

    // Older engines write the absence of a tag as a tag.
    private static IEnumerable<string> Tags(ImagesListResponse image) =>
        (image.RepoTags ?? []).OfType<string>().Where(tag => tag != "<none>:<none>");
}

public sealed record VolumeView(string Name, string Driver, string? Created, string? Stack);

public sealed record VolumeList(
    [property: Description("How many there are, whether listed or not.")] int Count,
    IReadOnlyList<VolumeView> Volumes,
    string? Note
)
{
    public static async Task<VolumeList> ReadAsync(EngineClient engine, int limit, CancellationToken ct)
    {
        var found = ((await engine.Volumes.ListAsync(ct)).Volumes ?? [])
            .OfType<VolumeResponse>()
            .Select(volume => new VolumeView(
                volume.Name ?? "",
                volume.Driver ?? "",
                volume.CreatedAt,
                ContainerView.StackOf(volume.Labels)
            ))
            .OrderBy(volume => volume.Name, StringComparer.Ordinal)
            .ToArray();
        return new(found.Length, [.. found.Take(limit)], More.Than(limit, found.Length));
    }
}

public sealed record NetworkView(
    string Id,
    string Name,
    string Driver,
    string Scope,
    [property: Description("It leads nowhere outside.")] bool IsInternal,
    IReadOnlyList<string> Subnets
);

public sealed record NetworkList(
    [property: Description("How many there are, whether listed or not.")] int Count,
    IReadOnlyList<NetworkView> Networks,
    string? Note
)
{
    public static async Task<NetworkList> ReadAsync(EngineClient engine, int limit, CancellationToken ct)
    {
        var found = (await engine.Networks.ListNetworksAsync(cancellationToken: ct))
            .OfType<NetworkResponse>()
            .Select(network => new NetworkView(
                ContainerView.ShortId(network.ID),
                network.Name ?? "",
                network.Driver ?? "",
                network.Scope ?? "",
                network.Internal,
                [.. Subnets(network)]
            ))
            .OrderBy(network => network.Name, StringComparer.Ordinal)
            .ToArray();
        return new(found.Length, [.. found.Take(limit)], More.Than(limit, found.Length));
    }

    private static IEnumerable<string> Subnets(NetworkResponse network) =>
        (network.IPAM?.Config ?? []).Select(range => range?.Subnet).OfType<string>().Where(subnet => subnet.Length > 0);
}

internal static class More
{
    public static string? Than(int limit, int count) =>
        count > limit ? $"These are the first {limit} of {count}: narrow the question, or raise limit." : null;
}
