using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Template;

/// <summary>
/// What `dotnet new` makes: it builds without a warning, answers on every surface, passes its own tests, and has
/// nothing of our name. The server's own suite is not run again in it.
/// </summary>
[Collection(nameof(GeneratedProjects)), Slow]
public sealed class TemplateTests(GeneratedProjects projects)
{
    private const string Port = "4711";
    private const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa";

    private static readonly string[] AnyPort = ["--", "--urls", "http://127.0.0.1:0"];

    [Fact]
    public async Task A_project_has_about_ten_files_and_a_tool_with_a_test()
    {
        var project = await projects.NewAsync("Acme.Ops.Server", "--port", Port);
        var dotnet = projects.DotnetOf(project);
        await PasteFirstToolAsync(project);

        var files = GeneratedProjects.Files(project).Where(file => !file.StartsWith("Tools/Clock/")).ToArray();
        Assert.InRange(files.Length, 10, 15);
        Assert.InRange(File.ReadLines(Path.Combine(project, "Program.cs")).Count(), 1, 20);
        Assert.Contains("Acme.Ops.Server.csproj", files);
        Assert.Contains("nuget.config", files);
        GeneratedProjects.AssertRenamed(project);

        await dotnet.TestSmallAsync(atLeast: 2);
        await dotnet.ServeAsync(
            async (http, banner) =>
            {
                Assert.StartsWith("Acme.Ops.Server 0.1.0   listening on http://127.0.0.1:", banner);
                await AssertAnswersEverywhereAsync(http, "find_orders", new { customer = "Bob" });
                await AssertAnswersEverywhereAsync(http, "clock_now", new { }, compare: false);
                var page = await http.GetStringAsync(new Uri("/scalar/", UriKind.Relative), Stop);
                var script = Regex.Match(page, "src=\"([^\"]*scalar.js[^\"]*)\"").Groups[1].Value;
                Assert.NotEmpty(await http.GetByteArrayAsync(new Uri("/scalar/" + script, UriKind.Relative), Stop));
                var start = await http.GetStringAsync(new Uri("/", UriKind.Relative), Stop);
                Assert.Contains("/path/to/Acme.Ops.Server.csproj --no-launch-profile -- --stdio", start);
            },
            [("Storage__Path", Path.Combine(project, "obj", "store.db"))],
            AnyPort
        );

        // As that page tells desktop clients to start it.
        var answers = await Dotnet.TalkAsync(
            "dotnet",
            [
                "run",
                "--no-build",
                "--no-launch-profile",
                "--project",
                Path.Combine(project, "Acme.Ops.Server.csproj"),
                "--",
                $"--Storage:Path={Path.Combine(project, "obj", "stdio.db")}",
                "--stdio",
            ],
            """{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","""
                + """ "capabilities":{},"clientInfo":{"name":"test","version":"1"}}}""",
            """{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"find_orders","""
                + """ "arguments":{"customer":"Bob"}}}"""
        );
        Assert.Contains("Acme.Ops.Server", answers[0].GetRawText());
        Assert.Contains("B-1", answers[1].GetRawText());

        // What the image runs to see whether the server lives: nothing listens there now.
        var publish = Path.Combine(project, "obj", "published");
        await dotnet.RunAsync("publish", "Acme.Ops.Server.csproj", "-o", publish, "-p:RunAnalyzers=false");
        Assert.DoesNotContain(Directory.GetFiles(publish).Select(Path.GetFileName), file =>
            file is "global.json" or "catalog.json" or "examples.json" or "schema.sql"
        );
        var settings = await File.ReadAllTextAsync(Path.Combine(publish, "appsettings.json"), Stop);
        Assert.Equal(await File.ReadAllTextAsync(Path.Combine(project, "appsettings.json"), Stop), settings); // its own
    }

    [Fact]
    public async Task A_project_with_the_worst_name_and_API_keys_gets_a_family()
    {
        var project = await projects.NewAsync("1st acme-ops Server", "--auth", "api-key", "--port", Port);
        var dotnet = projects.DotnetOf(project);
        await projects.AddFamilyAsync(project, "Wiki");
        GeneratedProjects.AssertRenamed(project);
        Assert.DoesNotContain(GeneratedProjects.Files(project), file =>
            file.Contains("jira", StringComparison.OrdinalIgnoreCase)
        );
        await using var wiki = await Upstream.StartAsync();
        wiki.Answer = """{"total":1,"items":[{"id":"W-1","title":"Home"}]}""";
        (string, string)[] environment =
        [
            ("MCP_API_KEY", Key),
            ("Wiki__Url", wiki.Url),
            ("Storage__Path", Path.Combine(project, "obj", "store.db")),
        ];

        await dotnet.TestSmallAsync(atLeast: 3);
        await dotnet.ServeAsync(
            async (http, banner) =>
            {
                Assert.Contains("auth api-key", banner);
                using var refused = await http.PostAsJsonAsync("/tools/find_orders", new { customer = "Bob" }, Stop);
                Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
                http.DefaultRequestHeaders.Authorization = new("Bearer", Key);
                await AssertAnswersEverywhereAsync(http, "find_orders", new { customer = "Bob" });
                Assert.Contains("W-1", (await CallAsync(http, "wiki_search", new { query = "home" })).GetRawText());
            },
            environment,
            AnyPort
        );
    }

    // For those who want the list in sight: our own Program.cs, against the public API of the package.
    [Fact]
    public async Task The_Program_of_the_server_compiles_with_the_package()
    {
        var project = await projects.NewAsync("Acme.List", "--no-restore");
        File.Copy(Path.Combine(ClientProcess.Root, "Program.cs"), Path.Combine(project, "Program.cs"), overwrite: true);

        await projects.DotnetOf(project).BuildAsync("Acme.List.csproj");
    }

    [Fact]
    public async Task Without_a_folder_of_packages_no_source_is_written()
    {
        var project = await projects.NewFromGalleryAsync("Acme.Ops");

        Assert.DoesNotContain("nuget.config", GeneratedProjects.Files(project));
        Assert.Contains(
            $"\"MinimalMcp\" Version=\"{GeneratedProjects.Version}\"",
            await File.ReadAllTextAsync(Path.Combine(project, "Acme.Ops.csproj"), Stop)
        );
    }

    [Fact]
    public async Task The_whole_source_needs_the_SDK_alone_and_its_tests_say_what_else_to_install()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "a PATH with only dotnet is made of a symbolic link");
        var project = await projects.NewWholeAsync(
            "Acme.Source",
            "--families",
            "shop",
            "--families",
            "vikunja",
            "--families",
            "status",
            "--port",
            Port
        );
        var dotnet = projects.DotnetOf(project, projects.PathWithOnlyDotnet());
        await PasteFirstToolAsync(project);
        await projects.AddFamilyAsync(project, "Wiki");
        Assert.Equal(["Clock", "Shop", "Status", "Vikunja", "Wiki"], Families(project));
        GeneratedProjects.AssertRenamed(project);

        await dotnet.BuildAsync();
        await dotnet.ServeAsync(
            async (http, banner) =>
            {
                Assert.StartsWith("Acme.Source 0.1.0   listening on http://127.0.0.1:", banner);
                Assert.Contains("set these to enable more tool families: ", banner);
                await AssertAnswersEverywhereAsync(http, "get_deals", new { });
                await AssertAnswersEverywhereAsync(http, "clock_now", new { }, compare: false);
            },
            arguments: AnyPort
        );

        // Its families' own, and one of each kind: a program of Node.js, one of Python, a script of bash.
        var said = await dotnet.TestAsync(
            "*ShopTests",
            "*VikunjaTests",
            "*WikiTests",
            "*ArchitectureTests",
            "*NoFamilyTests",
            "*RealClientTests",
            "*ScriptTests"
        );
        Assert.Contains("install Node.js, and run npm ci --prefix tests/Clients", said);
        Assert.Contains("bash is missing", said);
        Assert.Contains("install Python 3", said);

        Assert.True(File.Exists(Path.Combine(project, "Acme.Source.slnx")));
        Assert.StartsWith("# Acme.Source\n", await File.ReadAllTextAsync(Path.Combine(project, "README.md"), Stop));
        Assert.Contains(Port, await File.ReadAllTextAsync(Path.Combine(project, "README.md"), Stop));
        AssertOnlyOurs(project);
        Assert.True(
            OperatingSystem.IsWindows()
                || File.GetUnixFileMode(Path.Combine(project, "scripts", "run")).HasFlag(UnixFileMode.UserExecute)
        );
    }

    [Theory]
    [InlineData("all")]
    [InlineData("none")]
    [InlineData("shop")]
    public async Task The_source_has_the_families_that_were_asked_for(string families)
    {
        var project = await projects.NewWholeAsync(
            "1st acme-ops Server",
            "--families",
            families,
            "--port",
            Port,
            "--no-restore"
        );

        var expected = families switch
        {
            "all" => Families(ClientProcess.Root),
            "none" => [],
            _ => ["Shop"],
        };
        Assert.Equal(expected, Families(project));
        Assert.Empty(GeneratedProjects.Files(project).Intersect(GeneratedProjects.Untracked));
        GeneratedProjects.AssertRenamed(project);
        AssertOnlyOurs(project);
    }

    [Fact]
    public void Every_family_is_a_choice_of_the_template()
    {
        var template = JsonElement.Parse(
            File.ReadAllText(Path.Combine(ClientProcess.Root, ".template.config", "template.json"))
        );
        var choices = template
            .GetProperty("symbols")
            .GetProperty("families")
            .GetProperty("choices")
            .EnumerateArray()
            .Select(choice => choice.GetProperty("choice").GetString());
        var excluded = template
            .GetProperty("sources")[0]
            .GetProperty("modifiers")
            .EnumerateArray()
            .Select(modifier =>
                (
                    modifier.GetProperty("condition").GetString(),
                    Paths: modifier.GetProperty("exclude").EnumerateArray().Select(path => path.GetString()).ToArray()
                )
            )
            .ToArray();

        var families = Families(ClientProcess.Root);
        Assert.Equal(
            families.Select(family => family.ToLowerInvariant()).Concat(["all", "none"]).Order(),
            choices.Order()
        );
        Assert.All(families, family =>
            Assert.Contains(excluded, modifier =>
                modifier.Item1 == $"!(families == 'all' || families == '{family.ToLowerInvariant()}')"
                && modifier.Paths.Contains($"Tools/{family}/**")
                && modifier.Paths.Contains($"tests/Tools/{family}/**")
            )
        );
    }

    // What is about the packages and not about the project that is made.
    private static void AssertOnlyOurs(string project) =>
        Assert.DoesNotContain(GeneratedProjects.Files(project), file =>
            file.StartsWith(".template.config/", StringComparison.Ordinal)
            || file.StartsWith("templates/", StringComparison.Ordinal)
            || file.StartsWith("tests/Template/", StringComparison.Ordinal)
            || file.StartsWith("deploy/packages/", StringComparison.Ordinal)
            || file.StartsWith("deploy/secrets", StringComparison.Ordinal)
            || file
                is "Library.cs"
                    or "scripts/pack"
                    or "tests/LibraryTests.cs"
                    or "docs/template.md"
                    or "README-template.md"
                    or "CHANGELOG.md"
                    or "CONTRIBUTING.md"
                    or "LICENSE"
        );

    private static string[] Families(string project) =>
        [
            .. Directory
                .GetDirectories(Path.Combine(project, "Tools"))
                .Select(folder => Path.GetFileName(folder)!)
                .Order(),
        ];

    // Where the README says that the first tool goes; the tests have a copy of it, too.
    private static async Task PasteFirstToolAsync(string project)
    {
        var readme = await File.ReadAllTextAsync(Path.Combine(project, "README.md"), Stop);
        var folder = Directory.CreateDirectory(Path.Combine(project, "Tools", "Clock")).FullName;
        await File.WriteAllTextAsync(
            Path.Combine(folder, "ClockTools.cs"),
            readme.Split("```csharp\n")[1].Split("\n```")[0] + "\n",
            Stop
        );
    }

    // A tool over every surface that a project has.
    private static async Task AssertAnswersEverywhereAsync(
        HttpClient http,
        string tool,
        object arguments,
        bool compare = true
    )
    {
        var structured = (await CallAsync(http, tool, arguments)).GetProperty("structuredContent").GetRawText();
        using var rest = await http.PostAsJsonAsync($"/tools/{tool}", arguments, Stop);
        Assert.True(rest.IsSuccessStatusCode);
        if (compare) // the time differs
        {
            Assert.Equal(structured, await rest.Content.ReadAsStringAsync(Stop));
        }

        var function = await PostAsync(http, "/api/mcp/v1/call", tool, arguments);
        Assert.Equal(JsonValueKind.Object, function.ValueKind);
        var operations = (await http.GetFromJsonAsync<JsonElement>("/openapi.json", Stop)).GetProperty("paths");
        Assert.True(operations.TryGetProperty($"/tools/{tool}", out _));
        using var page = await http.GetAsync(new Uri("/", UriKind.Relative), Stop);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
    }

    private static Task<JsonElement> CallAsync(HttpClient http, string name, object arguments) =>
        PostAsync(http, "/mcp", name, arguments);

    private static async Task<JsonElement> PostAsync(HttpClient http, string path, string name, object arguments)
    {
        var call = new
        {
            jsonrpc = "2.0",
            id = 1,
            method = "tools/call",
            @params = new { name, arguments },
        };
        using var response = await http.PostAsJsonAsync(path, call, Stop);
        return (await response.Content.ReadFromJsonAsync<JsonElement>(Stop)).GetProperty("result");
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
