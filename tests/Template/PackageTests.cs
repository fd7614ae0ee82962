using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;

namespace MinimalMcp.Tests.Template;

/// <summary>What scripts/pack makes, and nothing else in it.</summary>
[Collection(nameof(GeneratedProjects)), Slow]
public sealed class PackageTests(GeneratedProjects projects)
{
    [Fact]
    public void The_library_is_an_assembly_with_its_documentation()
    {
        using var package = Open("MinimalMcp");
        var files = Files(package);

        Assert.Equal(
            ["README.md", "lib/net10.0/MinimalMcp.dll", "lib/net10.0/MinimalMcp.xml"],
            files.Order(StringComparer.Ordinal)
        );
        var specification = Specification(package);
        Assert.Equal("MIT", Value(specification, "license"));
        Assert.Contains("https://github.com/example/minimal-mcp", specification.ToString());
        Assert.Contains("ModelContextProtocol.AspNetCore", specification.ToString());
        Assert.Contains("Microsoft.AspNetCore.App", specification.ToString());

        using var assembly = new PEReader(Copy(package.GetEntry("lib/net10.0/MinimalMcp.dll")!));
        var metadata = assembly.GetMetadataReader();
        var types = metadata.TypeDefinitions.Select(metadata.GetTypeDefinition).ToArray();
        // A test that references the application and this assembly would find two of them.
        Assert.DoesNotContain(types, type => metadata.GetString(type.Name) == "Program");
        Assert.DoesNotContain(metadata.CustomAttributes.Select(metadata.GetCustomAttribute), attribute =>
            Encoding.UTF8.GetString(metadata.GetBlobBytes(attribute.Value)).Contains("MinimalMcp.Tests")
        );
    }

    [Fact]
    public void The_symbols_lead_to_the_sources_of_the_commit()
    {
        using var package = Open("MinimalMcp", "snupkg");
        using var symbols = Copy(package.GetEntry("lib/net10.0/MinimalMcp.pdb")!);

        Assert.Contains(
            "https://raw.githubusercontent.com/example/minimal-mcp/",
            Encoding.UTF8.GetString(symbols.ToArray())
        );
        // Paths of the machine would make two builds of one commit differ.
        Assert.DoesNotContain(Path.GetTempPath(), Encoding.UTF8.GetString(symbols.ToArray()));
    }

    [Fact]
    public void The_server_is_a_portable_tool_and_an_MCP_server()
    {
        using var package = Open("MinimalMcp.Server");
        var files = Files(package);

        var specification = Specification(package);
        var types = specification.Descendants().Where(node => node.Name.LocalName == "packageType");
        Assert.Equal(["DotnetTool", "McpServer"], types.Select(type => type.Attribute("name")!.Value).Order());
        var server = Json(package, ".mcp/server.json");
        Assert.Equal(GeneratedProjects.Version, server.GetProperty("version").GetString());
        var entry = server.GetProperty("packages")[0];
        Assert.Equal(GeneratedProjects.Version, entry.GetProperty("version").GetString());
        Assert.Equal("MinimalMcp.Server", entry.GetProperty("identifier").GetString());
        Assert.InRange(server.GetProperty("description").GetString()!.Length, 1, 100); // the registry's limit
        Assert.All(entry.GetProperty("environmentVariables").EnumerateArray(), variable =>
            Assert.Contains(Configuration.EnvironmentNames.Table, row =>
                row.Name == variable.GetProperty("name").GetString()
            )
        );
        // The registry asks for it, as proof that the package is of the same owner.
        Assert.Contains(
            $"mcp-name: {server.GetProperty("name").GetString()}",
            Encoding.UTF8.GetString(Copy(package.GetEntry("README.md")!).ToArray())
        );

        const string Tool = "tools/net10.0/any/";
        Assert.Equal(
            [
                $"{Tool}DotnetToolSettings.xml",
                $"{Tool}MinimalMcp.deps.json",
                $"{Tool}MinimalMcp.runtimeconfig.json",
                $"{Tool}appsettings.json",
            ],
            files
                .Where(file =>
                    file.StartsWith(Tool, StringComparison.Ordinal)
                    && !file.EndsWith(".dll")
                    && !file.Contains("/runtimes/")
                )
                .Where(file => !file.EndsWith(".pdb"))
                .Where(file => !file.EndsWith(".staticwebassets.endpoints.json")) // the SDK's, not in every build
                .Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            [
                "linux-arm64",
                "linux-musl-arm64",
                "linux-musl-x64",
                "linux-x64",
                "osx-arm64",
                "osx-x64",
                "win-arm64",
                "win-x64",
            ],
            files
                .Where(file => file.Contains("/runtimes/") && file.Contains("e_sqlite3"))
                .Select(file => file.Split('/')[4])
                .Order(StringComparer.Ordinal)
        );
        using var assembly = new PEReader(Copy(package.GetEntry($"{Tool}MinimalMcp.dll")!));
        Assert.Equal(0, assembly.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size); // not compiled ahead of time
    }

    [Fact]
    public void The_templates_are_the_files_that_git_tracks()
    {
        using var package = Open("MinimalMcp.Templates");
        var files = Files(package);

        Assert.Contains("content/project/Program.cs", files);
        Assert.Contains("content/project/.vscode/mcp.json", files);
        Assert.Contains("content/family/Tools/Jira/JiraTools.cs", files);
        Assert.Contains("content/source/Program.cs", files);
        Assert.DoesNotContain(files, file => GeneratedProjects.Untracked.Any(path => file.EndsWith(path)));
        Assert.DoesNotContain(files, file => file.EndsWith(".dll"));
    }

    [Fact]
    public async Task The_tool_serves_standard_input_and_output()
    {
        var folder = Directory.CreateTempSubdirectory("tool").FullName;
        var dotnet = projects.DotnetOf(folder);
        await dotnet.RunAsync(
            "tool",
            "install",
            "MinimalMcp.Server",
            "--tool-path",
            folder,
            "--version",
            GeneratedProjects.Version,
            "--add-source",
            projects.Packages
        );

        var answers = await Dotnet.TalkAsync(
            Path.Combine(folder, OperatingSystem.IsWindows() ? "minimal-mcp.exe" : "minimal-mcp"),
            ["--stdio", "--Storage:Path", Path.Combine(folder, "store.db")],
            """{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","""
                + """ "capabilities":{},"clientInfo":{"name":"test","version":"1"}}}""",
            """{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"get_deals","arguments":{}}}"""
        );

        Assert.Equal(
            "MinimalMcp",
            answers[0].GetProperty("result").GetProperty("serverInfo").GetProperty("name").GetString()
        );
        Assert.True(answers[1].GetProperty("result").TryGetProperty("structuredContent", out _));
        Directory.Delete(folder, recursive: true);
    }

    private ZipArchive Open(string package, string extension = "nupkg") =>
        ZipFile.OpenRead(Path.Combine(projects.Packages, $"{package}.{GeneratedProjects.Version}.{extension}"));

    // Without the parts of the container format.
    private static string[] Files(ZipArchive package) =>
        [
            .. package
                .Entries.Select(entry => entry.FullName)
                .Where(file => !file.StartsWith("_rels/") && !file.StartsWith("package/") && !file.EndsWith(".nuspec"))
                .Where(file => file != "[Content_Types].xml"),
        ];

    private static XDocument Specification(ZipArchive package) =>
        XDocument.Load(Copy(package.Entries.Single(entry => entry.FullName.EndsWith(".nuspec"))));

    private static string? Value(XDocument specification, string name) =>
        specification.Descendants().Single(node => node.Name.LocalName == name).Value;

    private static JsonElement Json(ZipArchive package, string file) =>
        JsonElement.Parse(Copy(package.GetEntry(file)!).ToArray());

    private static MemoryStream Copy(ZipArchiveEntry entry)
    {
        var copy = new MemoryStream();
        using (var content = entry.Open())
        {
            content.CopyTo(copy);
        }

        copy.Position = 0;
        return copy;
    }
}
