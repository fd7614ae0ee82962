using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MinimalMcp.Tests.Clients;
using ServerProcess = MinimalMcp.Tests.Protocol.ServerProcess;

namespace MinimalMcp.Tests.Scripts;

/// <summary>
/// scripts/load-test as a team meets it: what it says of a server, and the exit code that a release waits for.
/// </summary>
[Slow(Minutes = true)]
public sealed partial class LoadTestTests : IDisposable
{
    private static readonly string[] Notes =
    [
        "--seconds",
        "2",
        "--parts",
        "scenarios",
        "--no-defaults",
        "--threshold",
        "*.fail <= 0 %",
        "--tool",
        "find_notes",
        "--arguments",
        """{"query":"milk"}""",
        "--write-tool",
        "pick_note",
        "--write-arguments",
        """{"code":"milk"}""",
    ];

    private readonly DirectoryInfo _out = Directory.CreateTempSubdirectory("load-test");

    public void Dispose() => _out.Delete(recursive: true);

    [Fact]
    public async Task Its_numbers_are_those_of_the_server_and_a_broken_threshold_fails_the_run_by_name()
    {
        await using var server = TestServer.Start(NotesTools.Alone, ("Auth:Mode", "api-key"), ("Auth:ApiKey", Key));

        var (exitCode, output, errors) = await RunAsync([
            .. Notes,
            "--url",
            server.BaseUrl + "/mcp",
            "--key",
            Key,
            "--writes",
        ]);

        Assert.True(exitCode == 0, output + errors);
        Assert.EndsWith("\npassed\n", output.ReplaceLineEndings("\n"));
        var report = Report();
        var scenarios = report
            .GetProperty("scenarios")
            .EnumerateArray()
            .ToDictionary(scenario => scenario.GetProperty("name").GetString()!);
        Assert.Equal(
            ["conversations", "functions", "lists", "mcp-2025-11-25", "mcp-2026-07-28", "rest", "streams", "writes"],
            scenarios.Keys.Order(StringComparer.Ordinal)
        );
        Assert.All(scenarios.Values, scenario => Assert.Equal(0, scenario.GetProperty("failed").GetInt64()));
        // Up to 100 a second in 0.4 s, and 100 a second for 1.6 s: the open model sends neither more nor fewer, however
        // busy the machine is.
        Assert.Equal(180, scenarios["rest"].GetProperty("ok").GetInt64());

        var counted = report.GetProperty("counted");
        var metrics = await MetricsAsync(server);
        Assert.Equal(counted.GetProperty("sent").GetInt64(), counted.GetProperty("server").GetDouble());
        Assert.Equal(counted.GetProperty("sent").GetInt64(), Calls(metrics));

        Assert.Equal(
            ["slow-upstream", "ratios", "tools"],
            report.GetProperty("leftOut").EnumerateArray().Select(left => left.GetProperty("name").GetString())
        );
        var markdown = await File.ReadAllTextAsync(Written("report.md"), TestContext.Current.CancellationToken);
        Assert.Contains("| rest ", markdown);
        Assert.Contains("# Load test: passed", output);
        var html = await File.ReadAllTextAsync(Written("report.html"), TestContext.Current.CancellationToken);
        Assert.Equal(3 * scenarios.Count, Regex.Count(html, "<svg "));
        Assert.DoesNotMatch("(src|href)=|url\\(|@import", html); // nothing from elsewhere

        // The same server, with a limit that nothing can hold; and an earlier run that was ten times as good.
        var earlier = Path.Combine(_out.FullName, "earlier.json");
        await File.WriteAllTextAsync(earlier, TenTimesAsGood(), TestContext.Current.CancellationToken);
        (exitCode, output, errors) = await RunAsync([
            .. Notes,
            "--only",
            "rest,lists",
            "--url",
            server.BaseUrl,
            "--key",
            Key,
            "--threshold",
            "rest.p99 < 1 us",
            "--compare",
            earlier,
            "--regression",
            "50",
        ]);

        Assert.True(exitCode == 1, output + errors);
        Assert.Contains("\nbroken: rest.p99 < 1 us (rest.p99 is ", output);
        Assert.Contains("\nregression: lists.rate -9", output);
        Assert.DoesNotContain("broken: *.fail", output);
        Assert.Contains(
            "failed, 1 of 3 thresholds broken and ",
            await File.ReadAllTextAsync(Written("report.html"), TestContext.Current.CancellationToken)
        );
    }

    [Fact]
    public async Task It_starts_the_server_itself_and_gives_it_a_thousand_tools()
    {
        var (exitCode, output, errors) = await RunAsync([
            "--server",
            ServerProcess.Dll,
            "--seconds",
            "2",
            "--rounds",
            "1",
            "--parts",
            "tools",
            "--no-defaults",
            "--threshold",
            "tools.*.call.rate > 0 /s",
            "--threshold",
            "tools.*.list.rate > 0 /s",
            "--threshold",
            "ratio.tools.call > 0",
            "--threshold",
            "ratio.tools.list.bare.*.cpu > 0",
            "--threshold",
            "ratio.tools.list.bare.*.rate > 0",
        ]);

        Assert.True(exitCode == 0, output + errors);
        Assert.Contains("tools.1000.list.rate: ", output);
        Assert.Contains("ratio.tools.list.bare.10.cpu: ", output);
        Assert.Contains("ratio.tools.list.bare.1000.cpu: ", output);
    }

    [Fact]
    public async Task Growth_goes_through_nginx_to_replicas_with_one_database()
    {
        Needs.Nginx();
        Needs.Postgres();

        var (exitCode, output, errors) = await RunAsync([
            "--server",
            ServerProcess.Dll,
            "--growth",
            "--parts",
            "replicas",
            "--replicas",
            "2",
            "--seconds",
            "1",
            "--rounds",
            "1",
            "--docs",
            _out.FullName,
        ]);

        Assert.True(exitCode == 0, output + errors);
        var rows = ReplicaRow()
            .Matches(await File.ReadAllTextAsync(Written("performance.md"), TestContext.Current.CancellationToken));
        Assert.Equal(["1", "2"], rows.Select(row => row.Groups[1].Value));
        // A rate, a p99 and a processor time through nginx, and the same of one that is asked directly.
        Assert.All(rows, row =>
            Assert.All(row.Groups[2].Captures, cell =>
                Assert.True(double.Parse(cell.Value, CultureInfo.InvariantCulture) > 0, row.Value)
            )
        );
        Assert.StartsWith(
            "<svg ",
            await File.ReadAllTextAsync(
                Written("performance/calls-by-replicas.svg"),
                TestContext.Current.CancellationToken
            )
        );
    }

    [Fact]
    public async Task A_project_without_the_sample_shop_is_lent_a_tool()
    {
        var (exitCode, output, errors) = await RunAsync(
            [
                "--server",
                ServerProcess.Dll,
                "--seconds",
                "1",
                "--parts",
                "scenarios",
                "--only",
                "rest,lists",
                "--no-defaults",
                "--threshold",
                "*.fail <= 0 %",
                "--threshold",
                "rest.ok > 0",
            ],
            ("Governance__Deny", "search_products")
        );

        Assert.True(exitCode == 0, output + errors);
        Assert.Contains("| rest ", output);
    }

    [Theory]
    [InlineData("--threshold rest.p99", "'rest.p99' is no threshold: write")]
    [InlineData("--parts scenarios,dreams", "the parts are scenarios, ratios and tools")]
    [InlineData("--growth --parts scenarios", "the parts of --growth are connections, tools, streams and replicas")]
    [InlineData("--growth --parts replicas --replicas 5", "--replicas 5: give a number from 1 to 4")]
    [InlineData("--tool no_such_tool", "--tool no_such_tool: the server has no such tool")]
    [InlineData("--only walks --url {0}", "--only walks: the scenarios are ")]
    [InlineData("--url ftp://example.com", "give an http or https address")]
    [InlineData("--url {0} --compare nothing.json", "is no report.json of an earlier run")]
    [InlineData("--seconds", "--seconds wants a value")]
    [InlineData("--wheels 4", "wheels")]
    [InlineData("rest", "'rest' is no option; --help shows them")]
    public async Task What_it_cannot_do_is_said_and_is_no_verdict(string arguments, string expected)
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        var (exitCode, _, errors) = await RunAsync([
            "--server",
            ServerProcess.Dll,
            .. Notes[..4],
            .. string.Format(CultureInfo.InvariantCulture, arguments, server.BaseUrl).Split(' '),
        ]);

        Assert.Equal(2, exitCode);
        Assert.Contains(expected, errors);
    }

    private const string Key = "load-tests-0123456789abcdefghijklmnop";

    private async Task<(int ExitCode, string Output, string Errors)> RunAsync(
        IEnumerable<string> arguments,
        params (string Name, string Value)[] environment
    )
    {
        var start = new ProcessStartInfo(
            "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "Load.dll"), "--out", _out.FullName, .. arguments]
        )
        {
            WorkingDirectory = ClientProcess.Root,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return await ClientProcess.RunAsync(start);
    }

    private string Written(string name) => Path.Combine(_out.FullName, name);

    private JsonElement Report() => JsonElement.Parse(File.ReadAllBytes(Written("report.json")));

    private string TenTimesAsGood()
    {
        var report = JsonNode.Parse(File.ReadAllBytes(Written("report.json")))!;
        foreach (var scenario in report["scenarios"]!.AsArray())
        {
            scenario!["rate"] = scenario["rate"]!.GetValue<double>() * 10;
            // Seconds that were all alike: the noise that is left is the second run's own.
            scenario["series"] = new JsonArray([
                .. Enumerable
                    .Range(1, 30)
                    .Select(at => JsonNode.Parse($$"""{"at":{{at}},"rate":50,"failed":0,"p50":1,"p99":1}""")),
            ]);
        }

        return report.ToJsonString();
    }

    private static async Task<string> MetricsAsync(TestServer server)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.Authorization = new("Bearer", Key);
        using var answer = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);
        return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    private static long Calls(string metrics) =>
        CallCounter().Matches(metrics).Sum(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));

    [GeneratedRegex(@"^\| (\d+) +(?:\| ([\d.,]+) +){6}\|$", RegexOptions.Multiline)]
    private static partial Regex ReplicaRow();

    [GeneratedRegex(@"^mcp_tool_calls_total\{.*\} (\d+)$", RegexOptions.Multiline)]
    private static partial Regex CallCounter();
}
