using System.Diagnostics;
using System.Text.RegularExpressions;
using MinimalMcp.Load;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Template;

/// <summary>
/// Packs what is published once, in a copy of the project, installs the templates of the package, and makes projects
/// with them. Our packages have a folder of their own, which is empty before; the others are the machine's.
/// </summary>
public sealed partial class GeneratedProjects : IAsyncLifetime
{
    /// <summary>One that nobody has in a folder of packages.</summary>
    internal const string Version = "0.1.0-test";

    private readonly string _folder = Directory.CreateTempSubdirectory("template").FullName;

    private string Source => Path.Combine(_folder, "source");

    /// <summary>The folder of the packages.</summary>
    internal string Packages => Path.Combine(Source, "artifacts", "packages");

    /// <summary>Files of the clone that git does not track.</summary>
    internal static string[] Untracked { get; } =
    ["notes.txt", "Tools/Draft/draft.txt", "deploy/secrets/portainer-token", "docs/plan.md"];

    private string[] Hive => ["--debug:custom-hive", Path.Combine(_folder, "hive")];

    public async ValueTask InitializeAsync()
    {
        var (bash, git) = (Needs.Bash(), Needs.Program("install git", "git"));
        Sources.CopyTo(Source);
        await SucceedAsync(git, "init", "--quiet");
        await SucceedAsync(git, "add", "--all");
        await SucceedAsync(git, [.. Nobody, "commit", "--quiet", "--message", "All"]);
        await SucceedAsync(git, "remote", "add", "origin", "https://github.com/example/minimal-mcp.git");
        foreach (var file in Untracked)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(Source, file))!);
            await File.WriteAllTextAsync(Path.Combine(Source, file), "not tracked");
        }

        var watch = Stopwatch.StartNew();
        TestContext.Current.SendDiagnosticMessage(await SucceedAsync(bash, "scripts/pack", Version));
        TestContext.Current.SendDiagnosticMessage($"packed in {watch.Elapsed.TotalSeconds:0} s");
        var package = Path.Combine(Packages, $"MinimalMcp.Templates.{Version}.nupkg");
        var installed = await new Dotnet(_folder).RunAsync(["new", "install", package, .. Hive]);
        Assert.Contains("minimal-mcp-family", installed);
        Assert.Matches(@"\bminimal-mcp ", installed);

        async Task<string> SucceedAsync(string program, params string[] arguments)
        {
            var start = Dotnet.Clean(new ProcessStartInfo(program, arguments) { WorkingDirectory = Source });
            var (exitCode, output, errors) = await ClientProcess.RunAsync(start);
            Assert.True(exitCode == 0, $"{program} {string.Join(' ', arguments)}: {output}\n{errors}");
            return output;
        }
    }

    private static readonly string[] Nobody = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.com"];

    /// <summary>The command dotnet in a project that uses our packages.</summary>
    internal Dotnet DotnetOf(string project, string? path = null) =>
        new(project, path) { Packages = Path.Combine(_folder, "cache") };

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return default;
    }

    /// <summary>Makes a small project, which uses the packages that were packed here, and gives its folder.</summary>
    internal Task<string> NewAsync(string name, params string[] options) =>
        MakeAsync(name, ["--package-source", Packages, .. options]);

    /// <summary>Makes a small project that takes our packages from the machine's sources.</summary>
    internal Task<string> NewFromGalleryAsync(string name) => MakeAsync(name, ["--no-restore"]);

    /// <summary>Makes a project with the whole source.</summary>
    internal Task<string> NewWholeAsync(string name, params string[] options) =>
        MakeAsync(name, ["--source", "true", .. options]);

    private async Task<string> MakeAsync(string name, string[] options)
    {
        var folder = Path.Combine(_folder, Guid.NewGuid().ToString("N")[..8]);
        await DotnetOf(_folder)
            .RunAsync(["new", "minimal-mcp", "--name", name, "--output", folder, .. options, .. Hive]);
        return folder;
    }

    /// <summary>A PATH with dotnet, sh and chmod, and nothing else: no Node.js, no Docker, no bash.</summary>
    internal string PathWithOnlyDotnet()
    {
        var dotnet = Needs.Program("this is the .NET SDK", "dotnet");
        var path = Directory.CreateDirectory(Path.Combine(_folder, "path")).FullName;
        File.CreateSymbolicLink(
            Path.Combine(path, "dotnet"),
            new FileInfo(dotnet).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? dotnet
        );
        // which every Unix has, and which the build runs commands with
        foreach (var program in (string[])["sh", "chmod"])
        {
            File.CreateSymbolicLink(Path.Combine(path, program), "/bin/" + program);
        }

        return path;
    }

    /// <summary>Adds a family, with the command that a person types in the project's folder.</summary>
    internal async Task AddFamilyAsync(string project, string name) =>
        await DotnetOf(project).RunAsync(["new", "minimal-mcp-family", "--name", name, .. Hive]);

    /// <summary>The files of a project, without what was built.</summary>
    internal static string[] Files(string project) =>
        [
            .. Directory
                .EnumerateFiles(
                    project,
                    "*",
                    new EnumerationOptions
                    {
                        RecurseSubdirectories = true,
                        AttributesToSkip = FileAttributes.ReparsePoint,
                    }
                )
                .Select(file => Path.GetRelativePath(project, file).Replace('\\', '/'))
                .Where(file => !file.Split('/').Any(part => part is "bin" or "obj")),
        ];

    /// <summary>
    /// Nothing of our name and port is left, in no file and in no file's name. A small project names the package.
    /// </summary>
    internal static void AssertRenamed(string project)
    {
        var isSmall = !Directory.Exists(Path.Combine(project, "Surfaces"));
        var old = isSmall ? OldNames() : OldName();
        foreach (var file in Files(project))
        {
            Assert.DoesNotMatch(old, file);
            var text = File.ReadAllText(Path.Combine(project, file));
            text = isSmall ? Package().Replace(text, "") : text;
            Assert.True(!old.IsMatch(text), $"{file} has {old.Match(text).Value}");
            Assert.True(
                !text.Contains("3001", StringComparison.Ordinal)
                    || file.EndsWith("package-lock.json", StringComparison.Ordinal),
                $"{file} has our port"
            );
        }
    }

    [GeneratedRegex("minimal.?mcp", RegexOptions.IgnoreCase)]
    private static partial Regex OldName();

    // Also the name that the small template has for the project.
    [GeneratedRegex("minimal.?mcp|acme.?ops(?!.Server)", RegexOptions.IgnoreCase)]
    private static partial Regex OldNames();

    [GeneratedRegex(
        @"(Add|Map|Run)MinimalMcp(Async)?\b|using MinimalMcp;|""MinimalMcp""|`MinimalMcp`"
            + @"|minimal-mcp-family|""minimal-mcp""|artifacts/packages"
    )]
    private static partial Regex Package();
}

[CollectionDefinition(nameof(GeneratedProjects))]
public sealed class GeneratedProjectsDefinition : ICollectionFixture<GeneratedProjects>;
