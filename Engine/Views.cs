using System.ComponentModel;

namespace MinimalMcp.Engine;

// The small forms of what the API answers: enough to choose by, and short, since a model reads (and pays for) every letter.

public sealed record ContainerView(
    [property: Description("What other tools take; so is the name.")] string Id,
    string Name,
    string Image,
    [property: Description("created, running, paused, restarting, exited or dead.")] string State,
    [property: Description("In words, for example \"Up 2 hours\" or \"Exited (1) 5 minutes ago\".")] string Status,
    [property: Description("healthy, unhealthy or starting; absent where nothing checks.")] string? Health,
    IReadOnlyList<string> Ports,
    [property: Description("The Compose project that it belongs to.")] string? Stack)
{
    private const string Project = "com.docker.compose.project";

    public static ContainerView Of(ContainerSummary container) => new(
        ShortId(container.Id),
        container.Names is [var first, ..] ? first.TrimStart('/') : "",
        container.Image ?? "",
        container.State ?? "",
        container.Status ?? "",
        HealthIn(container.Status ?? ""),
        [.. (container.Ports ?? []).Select(port => port.PublicPort is { } published ? $"{port.IP}:{published}->{port.PrivatePort}/{port.Type}" : $"{port.PrivatePort}/{port.Type}").Distinct()],
        container.Labels?.GetValueOrDefault(Project));

    public static (string Name, string Value) OfStack(string stack) => ("label", $"{Project}={stack}");

    /// <summary>As people know them.</summary>
    public static string ShortId(string id)
    {
        var digits = id[(id.IndexOf(':') + 1)..];
        return digits.Length > 12 ? digits[..12] : digits;
    }

    // The list says it in its words only.
    private static string? HealthIn(string status) =>
        status.EndsWith("(healthy)", StringComparison.Ordinal) ? "healthy"
        : status.EndsWith("(unhealthy)", StringComparison.Ordinal) ? "unhealthy"
        : status.EndsWith("(health: starting)", StringComparison.Ordinal) ? "starting"
        : null;
}

public sealed record ContainerList([property: Description("How many there are, whether listed or not.")] int Count, IReadOnlyList<ContainerView> Containers, string? Note)
{
    /// <summary>Those whose name or image has the words, as many as wished.</summary>
    public static ContainerList Of(IEnumerable<ContainerSummary> containers, string? name, int limit)
    {
        var found = containers.Select(ContainerView.Of)
            .Where(container => name is null || container.Name.Contains(name, StringComparison.OrdinalIgnoreCase) || container.Image.Contains(name, StringComparison.OrdinalIgnoreCase))
            .OrderBy(container => container.Name, StringComparer.Ordinal).ToArray();
        return new(found.Length, [.. found.Take(limit)], More.Than(limit, found.Length));
    }
}

public sealed record ImageView(string Id, IReadOnlyList<string> Tags, long SizeBytes, DateTimeOffset Created);

public sealed record ImageList([property: Description("How many there are, whether listed or not.")] int Count, IReadOnlyList<ImageView> Images, string? Note)
{
    public static ImageList Of(IEnumerable<ImageSummary> images, int limit)
    {
        var found = images.Select(image => new ImageView(ContainerView.ShortId(image.Id), image.RepoTags ?? [], image.Size, DateTimeOffset.FromUnixTimeSeconds(image.Created)))
            .OrderBy(image => image.Tags.Count > 0 ? image.Tags[0] : "~", StringComparer.Ordinal).ToArray();
        return new(found.Length, [.. found.Take(limit)], More.Than(limit, found.Length));
    }
}

public sealed record VolumeView(string Name, string Driver, string? Created, string? Stack);

public sealed record VolumeList([property: Description("How many there are, whether listed or not.")] int Count, IReadOnlyList<VolumeView> Volumes, string? Note)
{
    public static VolumeList Of(IEnumerable<VolumeSummary> volumes, int limit)
    {
        var found = volumes.Select(volume => new VolumeView(volume.Name, volume.Driver ?? "", volume.CreatedAt, volume.Labels?.GetValueOrDefault("com.docker.compose.project")))
            .OrderBy(volume => volume.Name, StringComparer.Ordinal).ToArray();
        return new(found.Length, [.. found.Take(limit)], More.Than(limit, found.Length));
    }
}

public sealed record NetworkView(string Id, string Name, string Driver, string Scope, bool Internal, IReadOnlyList<string> Subnets);

public sealed record NetworkList([property: Description("How many there are, whether listed or not.")] int Count, IReadOnlyList<NetworkView> Networks, string? Note)
{
    public static NetworkList Of(IEnumerable<NetworkSummary> networks, int limit)
    {
        var found = networks.Select(network => new NetworkView(ContainerView.ShortId(network.Id), network.Name, network.Driver ?? "", network.Scope ?? "", network.Internal,
                [.. (network.IPAM?.Config ?? []).Select(range => range.Subnet).OfType<string>()]))
            .OrderBy(network => network.Name, StringComparer.Ordinal).ToArray();
        return new(found.Length, [.. found.Take(limit)], More.Than(limit, found.Length));
    }
}

internal static class More
{
    public static string? Than(int limit, int count) => count > limit ? $"These are the first {limit} of {count}: narrow the question, or raise limit." : null;
}
