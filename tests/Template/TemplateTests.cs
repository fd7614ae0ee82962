using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
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

    private static readonly string[] AnyPort = ["--", "--urls", "http://127.0.0.1:0"];

    [Fact]
    public async Task A_project_with_everything_needs_the_SDK_alone_and_its_tests_say_what_else_to_install()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "a PATH with only dotnet is made of a symbolic link");
        var project = await projects.NewAsync("Acme.Ops", clients: false, "--port", Port);
        var dotnet = new Dotnet(project, projects.PathWithOnlyDotnet());
        await PasteFirstToolAsync(project);

        await dotnet.BuildAsync();
        await dotnet.ServeAsync(
            async (http, banner) =>
            {
                Assert.StartsWith("Acme.Ops 0.1.0   listening on http://127.0.0.1:", banner);
                await AssertAnswersEverywhereAsync(http, "get_deals");
                await AssertAnswersEverywhereAsync(http, "clock_now", compare: false);
            },
            arguments: AnyPort
        );

        // Its families' own, and one of each kind: a program of Node.js, one of Python, a script of bash.
        var said = await dotnet.TestAsync("*ShopTests", "*VikunjaTests", "*RealClientTests", "*ScriptTests");
        Assert.Contains("install Node.js, and run npm ci --prefix tests/Clients", said);
        Assert.Contains("bash is missing", said);
        Assert.Contains("install Python 3", said);

        GeneratedProjects.AssertRenamed(project);
        Assert.True(File.Exists(Path.Combine(project, "Acme.Ops.slnx")));
        Assert.StartsWith("# Acme.Ops\n", await File.ReadAllTextAsync(Path.Combine(project, "README.md"), Stop));
        Assert.Contains(Port, await File.ReadAllTextAsync(Path.Combine(project, "README.md"), Stop));
        AssertOnlyOurs(project);
        Assert.True(
            OperatingSystem.IsWindows()
                || File.GetUnixFileMode(Path.Combine(project, "scripts", "run")).HasFlag(UnixFileMode.UserExecute)
        );
    }

    [Fact]
    public async Task Files_that_git_does_not_track_are_in_no_project()
    {
        Needs.Bash();
        Needs.Program("install git", "git");
        var files = GeneratedProjects.Files(await projects.NewAsync("Acme.Ops", "--no-restore"));

        Assert.Contains("Program.cs", files);
        Assert.Empty(files.Intersect(GeneratedProjects.Untracked));
        Assert.DoesNotContain("scripts/install-template", files); // a project is no template
        Assert.DoesNotContain(files, file => file.StartsWith("deploy/secrets", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_project_with_one_family_and_API_keys()
    {
        const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa";
        var project = await projects.NewAsync("acme-ops", "--families", "shop", "--auth", "api-key", "--port", Port);
        var dotnet = new Dotnet(project);

        await dotnet.BuildAsync();
        await dotnet.ServeAsync(
            async (http, banner) =>
            {
                Assert.Contains("auth api-key", banner);
                using var refused = await http.PostAsJsonAsync("/tools/get_deals", new { }, Stop);
                Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
                http.DefaultRequestHeaders.Authorization = new("Bearer", Key);
                await AssertAnswersEverywhereAsync(http, "get_deals");
            },
            [("MCP_API_KEY", Key)],
            AnyPort
        );
        await dotnet.TestAsync("*ShopTests", "*ArchitectureTests");

        GeneratedProjects.AssertRenamed(project);
        Assert.Equal(["Shop"], Families(project));
        Assert.Equal(
            ["Notes", "Shop"],
            Directory.GetDirectories(Path.Combine(project, "tests", "Tools")).Select(Path.GetFileName).Order()
        );
    }

    [Fact]
    public async Task A_project_without_a_family_and_with_the_worst_name_gets_one_of_its_own()
    {
        var project = await projects.NewAsync("1st acme-ops Server", "--families", "none", "--port", Port);
        var dotnet = new Dotnet(project);
        Assert.Empty(Families(project));
        GeneratedProjects.AssertRenamed(project);

        await projects.AddFamilyAsync(project, "Wiki");
        GeneratedProjects.AssertRenamed(project);
        Assert.DoesNotContain(GeneratedProjects.Files(project), file =>
            file.Contains("jira", StringComparison.OrdinalIgnoreCase)
        );

        await dotnet.BuildAsync(analyzers: true);
        await dotnet.ServeAsync(
            async (http, banner) =>
            {
                Assert.Contains("no tools", banner);
                Assert.Contains("  disabled     set these to enable more tool families: Wiki:Url", banner);
                Assert.Empty(
                    (await http.GetFromJsonAsync<JsonElement>("/tools", Stop)).GetProperty("tools").EnumerateArray()
                );
            },
            arguments: AnyPort
        );
        await using var wiki = await Upstream.StartAsync();
        wiki.Answer = """{"total":1,"items":[{"id":"W-1","title":"Home"}]}""";
        await dotnet.ServeAsync(
            async (http, _) =>
                Assert.Contains("W-1", (await CallAsync(http, "wiki_search", new { query = "home" })).GetRawText()),
            [("Wiki__Url", wiki.Url)],
            AnyPort
        );
        await dotnet.TestAsync("*WikiTests", "*ArchitectureTests", "*NoFamilyTests");
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

    // What is about the template and not about the project that it makes.
    private static void AssertOnlyOurs(string project) =>
        Assert.DoesNotContain(GeneratedProjects.Files(project), file =>
            file.StartsWith(".template.config/", StringComparison.Ordinal)
            || file.StartsWith("templates/", StringComparison.Ordinal)
            || file.StartsWith("tests/Template/", StringComparison.Ordinal)
            || file is "docs/template.md" or "README-template.md" or "CHANGELOG.md" or "CONTRIBUTING.md" or "LICENSE"
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

    // A tool that needs no argument, over every surface that a project has.
    private static async Task AssertAnswersEverywhereAsync(HttpClient http, string tool, bool compare = true)
    {
        var structured = (await CallAsync(http, tool)).GetProperty("structuredContent").GetRawText();
        using var rest = await http.PostAsJsonAsync($"/tools/{tool}", new { }, Stop);
        Assert.True(rest.IsSuccessStatusCode);
        if (compare) // the time differs
        {
            Assert.Equal(structured, await rest.Content.ReadAsStringAsync(Stop));
        }

        var function = await PostAsync(http, "/api/mcp/v1/call", tool, new { });
        Assert.Equal(JsonValueKind.Object, function.ValueKind);
        var operations = (await http.GetFromJsonAsync<JsonElement>("/openapi.json", Stop)).GetProperty("paths");
        Assert.True(operations.TryGetProperty($"/tools/{tool}", out _));
        using var page = await http.GetAsync(new Uri("/", UriKind.Relative), Stop);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
    }

    private static Task<JsonElement> CallAsync(HttpClient http, string name, object? arguments = null) =>
        PostAsync(http, "/mcp", name, arguments ?? new { });

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
