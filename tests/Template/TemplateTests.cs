using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Template;

/// <summary>What `dotnet new` makes: it builds without a warning, runs, passes its own tests, and has nothing of our name.</summary>
[Collection(nameof(GeneratedProjects))]
public sealed class TemplateTests(GeneratedProjects projects)
{
    // What no family has a part in and takes most of the time: programs of others, containers, faults, long tables. The project with everything runs it.
    private static readonly string[] WithoutTheLong = [.. new[]
        {
            "ImageTests", "RealClientTests", "ConformanceTests", "OpenApiCheckTests", "EndToEndTests", "RealPrometheusTests", "LabTests", "DemoTests", "CorpusTests", "BadRequestTests",
            "StorageFaultTests", "PostgresFaultTests", "EndTests", "ReplicaTests", "StormTests", "BrokenAnswerTests",
        }.SelectMany(name => new[] { "--filter-not-class", "*" + name })];

    [Fact]
    public async Task A_project_with_everything()
    {
        var port = FreePort.Find().ToString(System.Globalization.CultureInfo.InvariantCulture);
        var project = await projects.NewAsync("Acme.Ops", "--port", port);
        var dotnet = new Dotnet(project);

        await dotnet.BuildAsync();
        await dotnet.ServeAsync(async (http, banner) =>
        {
            Assert.StartsWith($"Acme.Ops 0.1.0   listening on http://127.0.0.1:{port}   auth none", banner);
            Assert.Equal(6, (await CallAsync(http, "get_deals")).GetProperty("structuredContent").GetProperty("deals").GetArrayLength());
        });
        await dotnet.RunAsync("test", "--no-build", "--no-progress");

        GeneratedProjects.AssertRenamed(project);
        Assert.True(File.Exists(Path.Combine(project, "Acme.Ops.slnx")));
        Assert.StartsWith("# Acme.Ops\n", await File.ReadAllTextAsync(Path.Combine(project, "README.md"), TestContext.Current.CancellationToken));
        AssertOnlyOurs(project);
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(Path.Combine(project, "scripts", "run")).HasFlag(UnixFileMode.UserExecute));
    }

    [Fact]
    public async Task A_project_with_one_family_and_API_keys()
    {
        const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa";
        var project = await projects.NewAsync("acme-ops", "--families", "shop", "--auth", "api-key", "--port", FreePort.Find().ToString(System.Globalization.CultureInfo.InvariantCulture));
        var dotnet = new Dotnet(project);

        await dotnet.BuildAsync();
        await dotnet.ServeAsync(async (http, banner) =>
        {
            Assert.Contains("auth api-key", banner);
            using var refused = await http.PostAsJsonAsync("/tools/get_deals", new { }, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
            http.DefaultRequestHeaders.Authorization = new("Bearer", Key);
            Assert.True((await CallAsync(http, "get_deals")).TryGetProperty("structuredContent", out _));
        }, [("MCP_API_KEY", Key)]);
        await dotnet.RunAsync(["test", "--no-build", "--no-progress", .. WithoutTheLong]);

        GeneratedProjects.AssertRenamed(project);
        Assert.Equal(["Shop"], Families(project));
        Assert.Equal(["Notes", "Shop"], Directory.GetDirectories(Path.Combine(project, "tests", "Tools")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task A_project_without_a_family_and_with_the_worst_name_gets_one_of_its_own()
    {
        var project = await projects.NewAsync("1st acme-ops Server", "--families", "none", "--port", FreePort.Find().ToString(System.Globalization.CultureInfo.InvariantCulture));
        var dotnet = new Dotnet(project);
        Assert.Empty(Families(project));
        GeneratedProjects.AssertRenamed(project);

        await projects.AddFamilyAsync(project, "Wiki");
        GeneratedProjects.AssertRenamed(project);
        Assert.DoesNotContain(GeneratedProjects.Files(project), file => file.Contains("jira", StringComparison.OrdinalIgnoreCase));

        await dotnet.BuildAsync();
        await dotnet.ServeAsync(async (http, banner) =>
        {
            Assert.Contains("no tools", banner);
            Assert.Contains("  off          Wiki: nothing is configured in a section of that name", banner);
            Assert.Empty((await http.GetFromJsonAsync<JsonElement>("/tools", TestContext.Current.CancellationToken)).GetProperty("tools").EnumerateArray());
        });
        await using var wiki = await Upstream.StartAsync();
        wiki.Answer = """{"total":1,"items":[{"id":"W-1","title":"Home"}]}""";
        await dotnet.ServeAsync(async (http, _) => Assert.Contains("W-1", (await CallAsync(http, "wiki_search", new { query = "home" })).GetRawText()), [("Wiki__Url", wiki.Url)]);
        await dotnet.RunAsync(["test", "--no-build", "--no-progress", .. WithoutTheLong]);
    }

    [Fact]
    public void Every_family_is_a_choice_of_the_template()
    {
        var template = JsonElement.Parse(File.ReadAllText(Path.Combine(ClientProcess.Root, ".template.config", "template.json")));
        var choices = template.GetProperty("symbols").GetProperty("families").GetProperty("choices").EnumerateArray().Select(choice => choice.GetProperty("choice").GetString());
        var excluded = template.GetProperty("sources")[0].GetProperty("modifiers").EnumerateArray()
            .Select(modifier => (modifier.GetProperty("condition").GetString(), Paths: modifier.GetProperty("exclude").EnumerateArray().Select(path => path.GetString()).ToArray())).ToArray();

        var families = Families(ClientProcess.Root);
        Assert.Equal(families.Select(family => family.ToLowerInvariant()).Concat(["all", "none"]).Order(), choices.Order());
        Assert.All(families, family => Assert.Contains(excluded, modifier =>
            modifier.Item1 == $"!(families == 'all' || families == '{family.ToLowerInvariant()}')" && modifier.Paths.Contains($"Tools/{family}/**") && modifier.Paths.Contains($"tests/Tools/{family}/**")));
    }

    // What is about the template and not about the project that it makes.
    private static void AssertOnlyOurs(string project) => Assert.DoesNotContain(GeneratedProjects.Files(project), file =>
        file.StartsWith(".template.config/", StringComparison.Ordinal) || file.StartsWith("templates/", StringComparison.Ordinal) || file.StartsWith("tests/Template/", StringComparison.Ordinal)
        || file is "docs/template.md" or "README-template.md" or "CHANGELOG.md" or "CONTRIBUTING.md" or "LICENSE");

    private static string[] Families(string project) => [.. Directory.GetDirectories(Path.Combine(project, "Tools")).Select(folder => Path.GetFileName(folder)!).Order()];

    private static async Task<JsonElement> CallAsync(HttpClient http, string name, object? arguments = null)
    {
        using var response = await http.PostAsJsonAsync("/mcp", new { jsonrpc = "2.0", id = 1, method = "tools/call", @params = new { name, arguments = arguments ?? new { } } }, TestContext.Current.CancellationToken);
        return (await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("result");
    }
}
