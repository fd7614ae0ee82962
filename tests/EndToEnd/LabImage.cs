using System.Diagnostics;
using System.Formats.Tar;
using MinimalMcp.Engine;
using MinimalMcp.Tests.Container;

namespace MinimalMcp.Tests.EndToEnd;

/// <summary>
/// An image that the lab runs: the one that the environment names, else the official one where it is present or can be
/// pulled, else one made of Debian's packages, with the official one's paths and user. Nothing is installed on this
/// machine for that.
/// </summary>
/// <param name="Official">The name and version that is tried first.</param>
/// <param name="Package">Debian's package of the same program.</param>
/// <param name="Files">Where files of the package go; null leaves a file out.</param>
/// <param name="Folders">Folders that the program writes to, or that files are copied into.</param>
/// <param name="Changes">Lines of a Dockerfile.</param>
internal sealed record LabImage(
    string Official,
    string Package,
    Func<string, string?> Files,
    string[] Folders,
    string[] Changes
)
{
    public static readonly LabImage Prometheus = new(
        "prom/prometheus:v3.5.0",
        "prometheus",
        file =>
            file is "usr/bin/prometheus" or "usr/bin/promtool" ? file["usr/".Length..]
            : file.StartsWith("usr/share/prometheus/", StringComparison.Ordinal) ? file
            : null,
        ["prometheus", "etc/prometheus"],
        ["USER 65534", "EXPOSE 9090", "VOLUME /prometheus", "WORKDIR /prometheus", """ENTRYPOINT ["/bin/prometheus"]"""]
    );

    public static readonly LabImage NodeExporter = new(
        "prom/node-exporter:v1.9.1",
        "prometheus-node-exporter",
        file => file is "usr/bin/prometheus-node-exporter" ? "bin/node_exporter" : null,
        [],
        ["USER 65534", "EXPOSE 9100", """ENTRYPOINT ["/bin/node_exporter"]"""]
    );

    public static readonly LabImage Alertmanager = new(
        "prom/alertmanager:v0.28.1",
        "prometheus-alertmanager",
        file =>
            file is "usr/bin/prometheus-alertmanager" ? "bin/alertmanager"
            : file.StartsWith("usr/share/prometheus/alertmanager/", StringComparison.Ordinal) ? file
            : null,
        ["alertmanager", "etc/alertmanager"],
        ["USER 65534", "EXPOSE 9093", "WORKDIR /alertmanager", """ENTRYPOINT ["/bin/alertmanager"]"""]
    );

    /// <summary>Has a shell, for containers that print what a test says.</summary>
    public static readonly LabImage Busybox = new(
        "busybox:1.36",
        "busybox-static",
        file => file is "bin/busybox" or "usr/bin/busybox" ? "bin/busybox" : null,
        [],
        ["""CMD ["sh"]"""]
    );

    private static string Setting(string official) =>
        $"E2E_{official.Split('/')[^1].Split(':')[0].Replace('-', '_').ToUpperInvariant()}_IMAGE";

    /// <summary>The image's name, and where it came from.</summary>
    public async Task<(string Name, string Origin)> FindAsync(
        EngineClient engine,
        string label,
        string run,
        CancellationToken cancellation
    )
    {
        if (Environment.GetEnvironmentVariable(Setting(Official)) is { Length: > 0 } named)
        {
            return (named, $"{named}, as {Setting(Official)} says");
        }

        if (await FindOfficialAsync(engine, Official, cancellation) is { } origin)
        {
            return (Official, origin);
        }

        var name = $"{label.Split('.')[0]}-lab/{Package}:{run}";
        var version = await BuildAsync(engine, name, [.. Changes, $"LABEL {label}={run}"], cancellation);
        return (name, $"Debian's {Package} {version}, as a stand-in for {Official}");
    }

    /// <summary>Where an image came from that is present or can be pulled; null for any other.</summary>
    public static async Task<string?> FindOfficialAsync(
        EngineClient engine,
        string image,
        CancellationToken cancellation
    )
    {
        try
        {
            await engine.Images.InspectImageAsync(image, cancellation);
            return $"{image}, which was there";
        }
        catch (EngineException missing) when (missing.Status is System.Net.HttpStatusCode.NotFound) { }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Wait.Limit);
        try
        {
            await engine.PullAsync(image, _ => { }, limit.Token);
            return $"{image}, pulled";
        }
        catch (Exception refused)
            when (refused is EngineException
                || (refused is OperationCanceledException && !cancellation.IsCancellationRequested)
            )
        {
            return null; // no registry can be reached, which Docker says at once
        }
    }

    private async Task<string> BuildAsync(
        EngineClient engine,
        string name,
        string[] changes,
        CancellationToken cancellation
    )
    {
        var folder = Directory.CreateTempSubdirectory("lab-image");
        try
        {
            // Its C library, too: the image must not depend on what this machine is.
            await RunAsync(
                folder.FullName,
                "apt-get",
                ["-q", "-o", "APT::Sandbox::User=root", "download", Package, "libc6"],
                cancellation
            );
            var (package, libc) = (
                folder.GetFiles(Package + "_*.deb").Single(),
                folder.GetFiles("libc6_*.deb").Single()
            );
            await RunAsync(folder.FullName, "dpkg-deb", ["-x", package.FullName, "program"], cancellation);
            await RunAsync(folder.FullName, "dpkg-deb", ["-x", libc.FullName, "libc"], cancellation);
            await using var files = await Tar.PackAsync(
                (tar, stop) => WriteAsync(tar, folder.FullName, stop),
                cancellation
            );
            var (repo, tag) = EngineClient.SplitImage(name);
            await engine.CreateImageAsync(
                new()
                {
                    Repo = repo,
                    Tag = tag,
                    Changes = changes,
                },
                files,
                _ => { },
                cancellation
            );
            return Uri.UnescapeDataString(package.Name.Split('_')[1]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private async Task WriteAsync(TarWriter tar, string folder, CancellationToken cancellation)
    {
        foreach (var writable in Folders.Prepend("tmp"))
        {
            await tar.WriteEntryAsync(
                new PaxTarEntry(TarEntryType.Directory, writable + "/")
                {
                    Mode = (UnixFileMode)0b111_111_111,
                    Uid = 65534,
                    Gid = 65534,
                },
                cancellation
            );
        }

        foreach (
            var (path, target) in Found(Path.Combine(folder, "program"), Files)
                .Concat(Found(Path.Combine(folder, "libc"), Library))
        )
        {
            // links stay links: they lead to files of the same package
            await tar.WriteEntryAsync(path, target, cancellation);
        }

        if (Package == "busybox-static")
        {
            foreach (var applet in (string[])["sh", "sleep", "cat", "env", "head", "id", "ls", "tr", "true"])
            {
                await tar.WriteEntryAsync(
                    new PaxTarEntry(TarEntryType.SymbolicLink, "bin/" + applet) { LinkName = "/bin/busybox" },
                    cancellation
                );
            }
        }

        await tar.WriteTextAsync(
            "etc/passwd",
            "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
            cancellation
        );
        await tar.WriteTextAsync("etc/group", "root:x:0:\nnogroup:x:65534:\n", cancellation);
    }

    // Without its converters of character sets, which are most of it.
    private static string? Library(string file) =>
        file.Contains(".so", StringComparison.Ordinal)
        && !file.Contains("gconv", StringComparison.Ordinal)
        && !file.Contains("audit", StringComparison.Ordinal)
            ? file.StartsWith("usr/lib", StringComparison.Ordinal)
                ? file["usr/".Length..]
                : file.StartsWith("lib", StringComparison.Ordinal)
                    ? file
                    : null
            : null;

    private static IEnumerable<(string Path, string Target)> Found(string root, Func<string, string?> map) =>
        from path in Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
        let target = map(Path.GetRelativePath(root, path))
        where target is not null
        select (path, target);

    private static async Task RunAsync(
        string folder,
        string program,
        string[] arguments,
        CancellationToken cancellation
    )
    {
        var file = Needs.Program(
            "the lab makes images of Debian's packages where no registry can be reached; name images in "
                + "E2E_..._IMAGE instead",
            program
        );
        using var process = Process.Start(
            new ProcessStartInfo(file, arguments)
            {
                WorkingDirectory = folder,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var printed = await Task.WhenAll(
            process.StandardOutput.ReadToEndAsync(cancellation),
            process.StandardError.ReadToEndAsync(cancellation)
        );
        await process.WaitForExitAsync(cancellation);
        Assert.SkipWhen(
            process.ExitCode != 0,
            $"{program} {string.Join(' ', arguments)} failed, so that the lab has no images (try apt-get update): "
                + $"{string.Concat(printed)}"
        );
    }
}
