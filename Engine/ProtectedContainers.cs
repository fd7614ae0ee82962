using System.Text.RegularExpressions;

namespace MinimalMcp.Engine;

/// <summary>Finds containers that a call depends on: the one of this server, and those of Portainer.</summary>
internal static partial class ProtectedContainers
{
    private static readonly Lazy<string?> OfThisServer = new(ReadOwnId);

    /// <summary>What a container is, for one that should not be stopped; null for any other.</summary>
    public static async Task<string?> FindAsync(EngineClient engine, string container, CancellationToken ct)
    {
        var found = await engine.Containers.InspectContainerAsync(EngineClient.ValidName(container), ct);
        return await FindAsync(engine, found.ID, found.Config?.Image, found.Image, found.Config?.Labels, ct);
    }

    /// <summary>The same for any container of a stack.</summary>
    public static async Task<string?> FindInStackAsync(EngineClient engine, string stack, CancellationToken ct)
    {
        foreach (var one in await engine.Containers.ListContainersAsync(new(), ct))
        {
            if (
                one is not null // whatever else answers in Docker's place
                && ContainerSummary.IsOfStack(one.Labels, stack)
                && await FindAsync(engine, one.ID, one.Image, one.ImageID, one.Labels, ct) is { } what
            )
            {
                return what;
            }
        }

        return null;
    }

    /// <summary>Whether this server runs in the container.</summary>
    /// <param name="id">The container's full ID, as the API answers it.</param>
    public static bool IsThisServer(string? id) =>
        id is { Length: >= 12 }
        && (
            OfThisServer.Value is { } own
                ? id.StartsWith(own, StringComparison.Ordinal) || own.StartsWith(id, StringComparison.Ordinal)
                // The host name is the beginning of the ID, unless somebody chose another.
                : Environment.MachineName.Length == 12
                    && id.StartsWith(Environment.MachineName, StringComparison.OrdinalIgnoreCase)
        );

    // Compares what the image really is, not only the name that somebody started it by.
    private static async Task<string?> FindAsync(
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

    // Portainer's images have this label, whatever name somebody keeps them under.
    private static bool IsPortainer(IDictionary<string, string>? labels) =>
        labels is not null
        && labels.TryGetValue("org.opencontainers.image.title", out var title)
        && title.StartsWith("Portainer", StringComparison.OrdinalIgnoreCase);

    private static async Task<bool> HasPortainersNameAsync(EngineClient engine, string image, CancellationToken ct)
    {
        try
        {
            var found = await engine.Images.InspectImageAsync(EngineClient.ValidImage(image), ct);
            return (found.RepoTags ?? []).Concat(found.RepoDigests ?? []).Any(IsPortainer);
        }
        catch (EngineException e) when (e.IsCallerError)
        {
            return false; // the image is gone
        }
    }

    // Docker and Podman mount /etc/hostname from a folder that is named after the container.
    private static string? ReadOwnId()
    {
        try
        {
            return OwnFolder().Match(File.ReadAllText("/proc/self/mountinfo")) is { Success: true } own
                ? own.Groups[1].Value
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // not Linux
        }
    }

    [GeneratedRegex("containers/([0-9a-f]{64})/(?:userdata/)?hostname ")]
    private static partial Regex OwnFolder();

    [GeneratedRegex(@"(^|/)portainer/(portainer|agent)(-[a-z]+)?([:@]|$)")]
    private static partial Regex PortainerImage();

    [GeneratedRegex("^(sha256:)?[0-9a-f]{12,64}$")]
    private static partial Regex ImageId();
}
