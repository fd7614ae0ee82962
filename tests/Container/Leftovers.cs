using MinimalMcp.Engine;

namespace MinimalMcp.Tests.Container;

internal static class Leftovers
{
    /// <summary>Removes everything with the label: containers before what they use.</summary>
    public static async Task RemoveLabelledAsync(this EngineClient engine, string label, string value)
    {
        var ours = ("label", $"{label}={value}");
        foreach (var container in await engine.ContainersAsync(all: true, CancellationToken.None, ours))
        {
            await engine.RemoveAsync(container.Id, force: true, volumes: true, CancellationToken.None);
        }

        foreach (var network in await engine.NetworksAsync(CancellationToken.None, ours))
        {
            await engine.DeleteAsync($"networks/{network.Id}");
        }

        foreach (var volume in await engine.VolumesAsync(CancellationToken.None, ours))
        {
            await engine.DeleteAsync($"volumes/{volume.Name}?force=1");
        }

        foreach (var image in await engine.ImagesAsync(CancellationToken.None, ours))
        {
            await engine.RemoveImageAsync(image.Id, CancellationToken.None);
        }
    }
}
