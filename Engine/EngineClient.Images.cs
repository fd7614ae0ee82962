using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace MinimalMcp.Engine;

public sealed partial class EngineClient
{
    public async Task<IReadOnlyList<ImageSummary>> ImagesAsync(CancellationToken cancellation, params IEnumerable<(string Name, string Value)> filters) =>
        await GetAsync<List<ImageSummary>>("images/json" + (filters.Any() ? "?" + Filters(filters) : ""), cancellation);

    public async Task<bool> HasImageAsync(string image, CancellationToken cancellation)
    {
        try
        {
            await GetAsync($"images/{Uri.EscapeDataString(Image(image))}/json", cancellation);
            return true;
        }
        catch (EngineException missing) when (missing.Status is System.Net.HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    /// <summary>Fetches an image, and says how far it is. Without tag or digest it is <c>latest</c>: otherwise the engine would fetch all there are.</summary>
    public IAsyncEnumerable<JsonElement> PullAsync(string image, CancellationToken cancellation)
    {
        var (name, tag) = Parts(Image(image));
        return LinesAsync(HttpMethod.Post, $"images/create?fromImage={Uri.EscapeDataString(name)}&tag={Uri.EscapeDataString(tag)}", null, cancellation);
    }

    /// <summary>Makes an image of files alone. A change is a line of a Dockerfile.</summary>
    public async Task ImportAsync(string image, TarContent files, IEnumerable<string> changes, CancellationToken cancellation)
    {
        var (name, tag) = Parts(Image(image));
        var query = $"fromSrc=-&repo={Uri.EscapeDataString(name)}&tag={tag}{string.Concat(changes.Select(change => "&changes=" + Uri.EscapeDataString(change)))}";
        await foreach (var _ in LinesAsync(HttpMethod.Post, "images/create?" + query, files, cancellation))
        {
        }
    }

    /// <summary>Builds an image, and gives what was printed.</summary>
    public async Task<string> BuildAsync(string query, TarContent context, CancellationToken cancellation)
    {
        var printed = new StringBuilder();
        try
        {
            await foreach (var line in LinesAsync(HttpMethod.Post, "build?" + query, context, cancellation))
            {
                printed.Append(line.TryGetProperty("stream", out var text) ? text.GetString() : "");
            }
        }
        catch (EngineException failed)
        {
            throw new EngineException(failed.Status, $"{failed.Said}\n{printed}");
        }

        return printed.ToString();
    }

    public Task RemoveImageAsync(string image, CancellationToken cancellation) => DeleteAsync($"images/{Uri.EscapeDataString(Image(image))}?force=1", cancellation);

    public async Task<IReadOnlyList<VolumeSummary>> VolumesAsync(CancellationToken cancellation, params IEnumerable<(string Name, string Value)> filters) =>
        (await GetAsync<VolumeList>("volumes" + (filters.Any() ? "?" + Filters(filters) : ""), cancellation)).Volumes ?? [];

    public async Task<IReadOnlyList<NetworkSummary>> NetworksAsync(CancellationToken cancellation, params IEnumerable<(string Name, string Value)> filters) =>
        await GetAsync<List<NetworkSummary>>("networks" + (filters.Any() ? "?" + Filters(filters) : ""), cancellation);

    /// <summary>Removes what is unused of one kind: containers, images, networks or volumes.</summary>
    public async Task<PruneResult> PruneAsync(string kind, CancellationToken cancellation, params IEnumerable<(string Name, string Value)> filters) =>
        (await PostAsync($"{Name(kind)}/prune" + (filters.Any() ? "?" + Filters(filters) : ""), null, cancellation)).Deserialize<PruneResult>(Json) ?? new();

    /// <summary>A registry's port stands before a slash, a tag after the last one.</summary>
    private static (string Name, string Tag) Parts(string image)
    {
        var (slash, colon, at) = (image.LastIndexOf('/'), image.LastIndexOf(':'), image.IndexOf('@'));
        return at > 0 ? (image[..at], image[(at + 1)..]) : colon > slash ? (image[..colon], image[(colon + 1)..]) : (image, "latest");
    }

    private static string Image(string image) => IsImage().IsMatch(image) && image.Length <= 255 ? image : throw new ArgumentException($"'{image}' is no image.", nameof(image));

    /// <summary>A reference: registry, path, tag and digest (distribution/reference), or an id.</summary>
    [GeneratedRegex(@"\A[a-zA-Z0-9]+([._-]+[a-zA-Z0-9]+)*(:[0-9]+(?=/))?(/[a-zA-Z0-9]+([._-]+[a-zA-Z0-9]+)*)*(:[\w][\w.-]{0,127})?(@[a-z0-9]+:[a-fA-F0-9]{32,128})?\z")]
    public static partial Regex IsImage();

    private sealed record VolumeList(List<VolumeSummary>? Volumes);
}
