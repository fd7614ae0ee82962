using System.Net.Http.Json;
using System.Text.Json;

namespace MinimalMcp.Tests.Template;

/// <summary>A fresh clone on a machine that has the .NET SDK on its PATH, sh and chmod, and nothing else: no Node.js, no Docker, no bash.</summary>
[Collection(nameof(GeneratedProjects))]
public sealed class CleanCloneTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("clone").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Builds_runs_and_passes_its_tests_and_says_what_to_install_for_the_others()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "a PATH with only dotnet is made of a symbolic link, which Windows does not let everybody make");
        var clone = Path.Combine(_folder, "clone");
        Sources.CopyTo(clone);
        var dotnet = new Dotnet(clone, PathWithOnlyDotnet());

        await dotnet.BuildAsync();
        await dotnet.ServeAsync(async (http, _) =>
        {
            var tools = (await http.GetFromJsonAsync<JsonElement>("/tools", TestContext.Current.CancellationToken)).GetProperty("tools").EnumerateArray();
            var tool = tools.First(tool => tool.GetProperty("readOnly").GetBoolean() && tool.GetProperty("inputSchema").GetProperty("required").GetArrayLength() == 0).GetProperty("name");
            using var answer = await http.PostAsJsonAsync($"/tools/{tool}", new { }, TestContext.Current.CancellationToken);
            Assert.True(answer.IsSuccessStatusCode, $"{tool}");
        }, arguments: ["--", "--urls", "http://127.0.0.1:0"]);

        // One of each kind: the protocol, a program of Node.js, a script of bash.
        var said = await dotnet.RunAsync("test", "--no-build", "--no-progress", "--filter-class", "*RevisionTests", "--filter-class", "*RealClientTests", "--filter-class", "*ScriptTests");
        Assert.Contains("failed: 0", said);
        Assert.Contains("install Node.js, and run npm ci --prefix tests/Clients", said);
        Assert.Contains("bash is missing", said);
        Assert.Contains("install Python 3", said);
    }

    private string PathWithOnlyDotnet()
    {
        var dotnet = Needs.Program("this is the .NET SDK", "dotnet");
        var path = Directory.CreateDirectory(Path.Combine(_folder, "path")).FullName;
        File.CreateSymbolicLink(Path.Combine(path, "dotnet"), new FileInfo(dotnet).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? dotnet);
        foreach (var program in (string[])["sh", "chmod"]) // which every Unix has, and which the build runs commands with
        {
            File.CreateSymbolicLink(Path.Combine(path, program), "/bin/" + program);
        }

        return path;
    }
}
