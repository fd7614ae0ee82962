using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Scripts;

[Slow(Minutes = true)]
public sealed class ScriptTests
{
    private const string Check = "scripts/test-chatgpt-endpoints.sh";

    // The words of the fifth guide, and our own below them.
    private static readonly string[] AllGood =
    [
        "✅ Health Check",
        "✅ OpenID Connect Discovery (off: no authentication)",
        "✅ OAuth Protected Resource Metadata (off: no authentication)",
        "✅ OpenAPI Schema (6 tools discovered)",
        "✅ Actions Manifest",
        "✅ MCP Initialize (revision 2025-11-25)",
        "✅ MCP Tool List (6 tools)",
        "✅ MCP Tool Call (get_topics)",
        "✅ REST Tool Call (POST /tools/get_topics)",
        "✅ Function Calling (6 functions)",
    ];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_check_finds_nothing_wrong_with_a_fresh_server(bool withJq)
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        var (exitCode, output, errors) = await CheckAsync(server.BaseUrl, withJq);

        Assert.Equal(AllGood, output.Split('\n').Where(line => line.StartsWith('✅')));
        Assert.DoesNotContain("❌", output);
        Assert.DoesNotContain("⚠️", output);
        Assert.Equal("", errors);
        Assert.Equal(0, exitCode);
    }

    [Fact]
    public async Task The_check_takes_the_url_from_the_environment()
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        var (exitCode, output, _) = await Shell.RunAsync(Check, ("MCP_SERVER_URL", server.BaseUrl + "/"));

        Assert.Equal(0, exitCode);
        Assert.StartsWith($"Checking {server.BaseUrl}\n", output);
    }

    [Theory]
    [InlineData(
        "mode",
        "sse",
        "❌ OpenAPI Schema: HTTP 404",
        "start it with --mode all",
        "❌ REST Tool Call",
        "❌ Function Calling",
        "✅ MCP Tool Call"
    )]
    [InlineData(
        "mode",
        "rest",
        "❌ MCP Initialize",
        "start it with --mode all",
        "❌ MCP Tool List",
        "❌ MCP Tool Call",
        "✅ REST Tool Call"
    )]
    [InlineData(
        "Server:PublicUrl",
        "http://0.0.0.0:3001",
        "❌ OpenAPI Schema: it names the server http://0.0.0.0:3001",
        "→ set PUBLIC_URL",
        "❌ Actions Manifest"
    )]
    [InlineData(
        "Server:PublicUrl",
        "http://mcp.example.com",
        "❌ OpenAPI Schema: it names the server http://mcp.example.com, and ChatGPT calls only https",
        "→ set PUBLIC_URL"
    )]
    public async Task The_check_fails_and_names_the_cure(string setting, string value, params string[] expected)
    {
        await using var server = TestServer.Start(NotesTools.Alone, (setting, value));

        foreach (var withJq in (bool[])[true, false])
        {
            var (exitCode, output, _) = await CheckAsync(server.BaseUrl, withJq);

            Assert.Equal(1, exitCode);
            Assert.All(expected, text => Assert.Contains(text, output));
        }
    }

    [Fact]
    public async Task The_check_says_so_when_documents_name_another_address()
    {
        await using var server = TestServer.Start(NotesTools.Alone, ("Server:PublicUrl", "https://mcp.example.com"));

        var (exitCode, output, _) = await CheckAsync(server.BaseUrl, withJq: true);

        Assert.Equal(0, exitCode);
        Assert.Contains("⚠️  Public URL: ChatGPT will call https://mcp.example.com", output);
    }

    [Fact]
    public async Task The_check_says_how_to_start_a_server_that_does_not_run()
    {
        var (exitCode, output, _) = await CheckAsync($"http://127.0.0.1:{FreePort.Find()}", withJq: true);

        Assert.Equal(1, exitCode);
        Assert.Contains("❌ Health Check: ", output);
        Assert.Contains("→ start the server with scripts/run", output);
    }

    [Theory]
    [InlineData("3.1", "?v=3.1")]
    [InlineData("3.0", "?v=3.0")]
    public async Task Export_writes_the_document_that_the_server_serves(string version, string query)
    {
        await using var server = TestServer.Start();
        var served = JsonNode
            .Parse(
                await server.Http.GetStringAsync(
                    new Uri("/openapi.json" + query, UriKind.Relative),
                    TestContext.Current.CancellationToken
                )
            )!
            .AsObject();

        var (exitCode, output, errors) = await Shell.RunAsync($"scripts/export-openapi {version}");

        Assert.True(exitCode == 0, errors);
        var exported = JsonNode.Parse(output)!.AsObject(); // nothing but the document is on standard output
        served.Remove("servers");
        exported.Remove("servers");
        Assert.Equal(served.ToJsonString(), exported.ToJsonString());
    }

    [Fact]
    public async Task Export_writes_a_file_and_names_the_public_url()
    {
        var file = Path.Combine(Path.GetTempPath(), $"openapi-{Guid.NewGuid():N}.json");
        try
        {
            var (exitCode, output, errors) = await Shell.RunAsync(
                $"scripts/export-openapi '{file}' 3.0",
                ("PUBLIC_URL", "https://mcp.example.com/")
            );

            Assert.True(exitCode == 0, errors);
            Assert.Equal("", output);
            var document = JsonNode.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken))!;
            Assert.StartsWith("3.0.", document["openapi"]!.GetValue<string>(), StringComparison.Ordinal);
            Assert.Equal("https://mcp.example.com", document["servers"]![0]!["url"]!.GetValue<string>());
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("/no/such/folder/openapi.json", 1, "There is no folder /no/such/folder")]
    [InlineData("openapi.json 2.0", 2, "usage: scripts/export-openapi")]
    public async Task Export_refuses_what_it_cannot_do(string arguments, int expected, string message)
    {
        var (exitCode, _, errors) = await Shell.RunAsync($"scripts/export-openapi {arguments}");

        Assert.Equal(expected, exitCode);
        Assert.Contains(message, errors);
    }

    [Fact]
    public async Task Run_starts_the_server_and_passes_its_arguments_on()
    {
        Needs.Bash();
        var port = FreePort.Find();
        using var process = Process.Start(
            new ProcessStartInfo(
                Path.Combine(ClientProcess.Root, "scripts", "run"),
                ["--urls", $"http://127.0.0.1:{port}"]
            )
            {
                WorkingDirectory = "/",
                Environment = { ["Storage__Path"] = TestStores.New(), ["MCP_AUTH_MODE"] = "none" },
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        try
        {
            var said = new List<string>();
            while (
                await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken) is { } line
                && !line.Contains("listening on")
            )
            {
                said.Add(line);
            }

            using var http = new HttpClient();
            var health = await http.GetStringAsync(
                new Uri($"http://127.0.0.1:{port}/health"),
                TestContext.Current.CancellationToken
            );
            Assert.Contains("\"healthy\"", health);
            Assert.Contains("Starting it. Ctrl+C stops it.", said);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    [Fact]
    public async Task A_missing_or_old_sdk_is_told_in_words()
    {
        var (exitCode, _, errors) = await Shell.RunAsync(
            "scripts/run",
            ("PATH", Tools("bash", "env", "sed", "dirname"))
        );

        Assert.Equal(1, exitCode);
        Assert.Contains("The .NET SDK is missing", errors);
        Assert.Contains("dotnet-sdk-10.0", errors);
    }

    private static Task<(int ExitCode, string Output, string Errors)> CheckAsync(string url, bool withJq) =>
        withJq
            ? Shell.RunAsync($"{Check} {url}")
            : Shell.RunAsync(
                $"{Check} {url}",
                (
                    "PATH",
                    Tools(
                        "bash",
                        "env",
                        "curl",
                        "grep",
                        "sed",
                        "sort",
                        "uniq",
                        "head",
                        "tail",
                        "tr",
                        "mktemp",
                        "rm",
                        "mv",
                        "touch",
                        "cat"
                    )
                )
            );

    /// <summary>A folder for PATH that holds these programs and no others.</summary>
    private static string Tools(params string[] programs)
    {
        var folder = Directory
            .CreateDirectory(Path.Combine(AppContext.BaseDirectory, $"path-of-{programs.Length}"))
            .FullName;
        foreach (var program in programs.Where(program => !File.Exists(Path.Combine(folder, program))))
        {
            var place = new[] { "/usr/bin", "/bin", "/usr/local/bin" }
                .Select(path => Path.Combine(path, program))
                .FirstOrDefault(File.Exists);
            File.CreateSymbolicLink(Path.Combine(folder, program), place ?? throw new FileNotFoundException(program));
        }

        return folder;
    }
}
