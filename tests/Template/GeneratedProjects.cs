using System.Diagnostics;
using System.Text.RegularExpressions;
using MinimalMcp.Load;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Template;

/// <summary>Installs both templates once, in a place of their own, and makes projects with them.</summary>
public sealed partial class GeneratedProjects : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("template").FullName;

    private string Source => Path.Combine(_folder, "source");

    /// <summary>Files of the clone that git does not track.</summary>
    internal static string[] Untracked { get; } =
    ["notes.txt", "Tools/Draft/DraftTools.cs", "deploy/secrets/portainer-token", "docs/plan.md"];

    private string[] Hive => ["--debug:custom-hive", Path.Combine(_folder, "hive")];

    public async ValueTask InitializeAsync()
    {
        Sources.CopyTo(Source);
        var installed = await InstallAsync();
        Assert.Contains("minimal-mcp-family", installed);
        Assert.Matches(@"\bminimal-mcp ", installed);
    }

    // From a clone in which other files lie around, as the page says. Without bash or git, from the folder.
    private async Task<string> InstallAsync()
    {
        if (Installed.Program("bash") is not { } bash || Installed.Program("git") is not { } git)
        {
            return await new Dotnet(_folder).RunAsync(["new", "install", Source, .. Hive]);
        }

        await SucceedAsync(git, "init", "--quiet");
        await SucceedAsync(git, "add", "--all");
        foreach (var file in Untracked)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(Source, file))!);
            await File.WriteAllTextAsync(Path.Combine(Source, file), "not tracked");
        }

        return await SucceedAsync(bash, ["scripts/install-template", .. Hive]);

        async Task<string> SucceedAsync(string program, params string[] arguments)
        {
            var (exitCode, output, errors) = await ClientProcess.RunAsync(
                new ProcessStartInfo(program, arguments) { WorkingDirectory = Source }
            );
            Assert.True(exitCode == 0, $"{program} {string.Join(' ', arguments)}: {output}\n{errors}");
            return output;
        }
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return default;
    }

    /// <summary>Makes a project, and gives its folder.</summary>
    internal Task<string> NewAsync(string name, params string[] options) => NewAsync(name, clients: true, options);

    internal async Task<string> NewAsync(string name, bool clients, params string[] options)
    {
        var folder = Path.Combine(_folder, Guid.NewGuid().ToString("N")[..8]);
        await new Dotnet(_folder).RunAsync([
            "new",
            "minimal-mcp",
            "--name",
            name,
            "--output",
            folder,
            .. options,
            .. Hive,
        ]);

        // The packages of npm are the same, and fetching them again would take a minute.
        var packages = Path.Combine(ClientProcess.Folder, "node_modules");
        if (clients && Directory.Exists(packages))
        {
            Directory.CreateSymbolicLink(Path.Combine(folder, "tests", "Clients", "node_modules"), packages);
        }

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
        await new Dotnet(project).RunAsync(["new", "mcp-family", "--name", name, .. Hive]);

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

    /// <summary>Nothing of our name and port is left, in no file and in no file's name.</summary>
    internal static void AssertRenamed(string project)
    {
        foreach (var file in Files(project))
        {
            Assert.DoesNotMatch(OldName(), file);
            var text = File.ReadAllText(Path.Combine(project, file));
            Assert.True(!OldName().IsMatch(text), $"{file} has {OldName().Match(text).Value}");
            Assert.True(
                !text.Contains("3001", StringComparison.Ordinal)
                    || file.EndsWith("package-lock.json", StringComparison.Ordinal),
                $"{file} has our port"
            );
        }
    }

    [GeneratedRegex("minimal.?mcp", RegexOptions.IgnoreCase)]
    private static partial Regex OldName();
}

[CollectionDefinition(nameof(GeneratedProjects))]
public sealed class GeneratedProjectsDefinition : ICollectionFixture<GeneratedProjects>;
