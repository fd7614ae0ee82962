using Docker.DotNet.Models;
using MinimalMcp.Engine;

namespace MinimalMcp.Tests.Container;

internal static class Leftovers
{
    /// <summary>Removes everything with the label: containers before what they use.</summary>
    public static async Task RemoveLabelledAsync(this EngineClient engine, string label, string value)
    {
        var ours = EngineClient.Filters(("label", $"{label}={value}"));
        foreach (var container in await engine.Containers.ListContainersAsync(new() { All = true, Filters = ours }))
        {
            await engine.RemoveAsync(container.ID);
        }

        foreach (var network in await engine.Networks.ListNetworksAsync(new() { Filters = ours }))
        {
            await engine.Networks.DeleteNetworkAsync(network.ID);
        }

        VolumesListParameters volumes = new() { Filters = ours };
        foreach (var volume in (await engine.Volumes.ListAsync(volumes)).Volumes ?? [])
        {
            await engine.Volumes.RemoveAsync(volume.Name, force: true);
        }

        foreach (var image in await engine.Images.ListImagesAsync(new() { Filters = ours }))
        {
            await engine.Images.DeleteImageAsync(image.ID, new() { Force = true });
        }
    }

    /// <summary>Removes a container also when it runs, with its anonymous volumes.</summary>
    public static Task RemoveAsync(this EngineClient engine, string container) =>
        engine.Containers.RemoveContainerAsync(container, new() { Force = true, RemoveVolumes = true });
}
