using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Guides;

/// <summary>
/// What an operator who looks for a reason finds in the log, and in the file that the log is written to.
/// </summary>
[Slow]
public sealed class LogTests
{
    private const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task LOG_LEVEL_DEBUG_shows_requests_calls_and_upstream_requests()
    {
        var log = await LogOfAsync(
            async http =>
            {
                using var answer = await http.PostAsync(
                    new Uri("/tools/search_products", UriKind.Relative),
                    TestServer.Json(new { query = "milk" }),
                    Stop
                );
            },
            ("LOG_LEVEL", "DEBUG"),
            ("NEXTJS_URL", $"http://127.0.0.1:{FreePort.Find()}")
        );

        Assert.Contains("Request ended POST /tools/search_products", log);
        Assert.Contains("Tool call ended search_products rest local", log);
        Assert.Contains("Upstream request failed Shop POST", log); // the connection was refused: a line
        Assert.DoesNotContain("   at ", log); // and no stack
    }

    [Fact]
    public async Task Without_it_a_good_call_leaves_no_line()
    {
        var log = await LogOfAsync(async http =>
        {
            using var answer = await http.PostAsync(
                new Uri("/tools/search_products", UriKind.Relative),
                TestServer.Json(new { query = "milk" }),
                Stop
            );
            Assert.True(answer.IsSuccessStatusCode);
        });

        Assert.DoesNotContain("search_products rest", log);
        Assert.DoesNotContain("Request ended", log);
    }

    [Fact]
    public async Task A_refused_credential_leaves_one_line_with_the_reason_and_without_the_credential()
    {
        const string Token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";
        var log = await LogOfAsync(
            async http =>
            {
                foreach (var credential in (string[])[Token, "wrong-key-wrong-key-wrong-key-wrong"])
                {
                    var request = new HttpRequestMessage(HttpMethod.Get, "/tools");
                    request.Headers.Authorization = new("Bearer", credential);
                    using var answer = await http.SendAsync(request, Stop);
                    Assert.Equal(401, (int)answer.StatusCode);
                }
            },
            ("MCP_AUTH_MODE", "hybrid"),
            ("MCP_API_KEY", Key)
        );

        Assert.Single(log.Split('\n'), line =>
            line.Contains("Credential refused ", StringComparison.Ordinal)
            && line.Contains("GET /tools", StringComparison.Ordinal)
        );
        Assert.Single(log.Split('\n'), line =>
            line.Contains("Invalid API key refused wrong-", StringComparison.Ordinal)
        );
        Assert.DoesNotContain(Token, log);
        Assert.DoesNotContain("wrong-key-wrong", log);
    }

    [Fact]
    public async Task The_log_file_has_what_the_console_has_is_rotated_and_holds_no_secret()
    {
        var folder = Directory.CreateTempSubdirectory("log");
        var file = Path.Combine(folder.FullName, "logs", "mcp_sse.log");
        var log = await LogOfAsync(
            async http =>
            {
                for (var i = 0; i < 120; i++)
                {
                    using var answer = await http.GetAsync(new Uri($"/health?key={Key}&n={i}", UriKind.Relative), Stop);
                }
            },
            ("LOG_FILE", file),
            ("LOG_LEVEL", "DEBUG"),
            ("Logging__File__MaxBytes", "10000"),
            ("Logging__File__MaxFiles", "3"),
            ("MCP_AUTH_MODE", "api-key"),
            ("MCP_API_KEY", Key)
        );

        var files = Directory.GetFiles(Path.GetDirectoryName(file)!).Order().ToArray();
        Assert.Equal([file, file + ".1", file + ".2"], files);
        var text = string.Concat(files.Select(File.ReadAllText));
        Assert.All(files, one => Assert.InRange(new FileInfo(one).Length, 1, 10_000));
        Assert.Matches(
            @"(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z Debug: MinimalMcp\.\S+: Request ended GET /health",
            text
        );
        Assert.DoesNotContain(Key, text);
        Assert.Contains("log          " + file, log);
        // or less, by the umask
        const UnixFileMode NotForOthers = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        if (!OperatingSystem.IsWindows())
        {
            foreach (var one in files)
            {
                Assert.Equal((UnixFileMode)0, File.GetUnixFileMode(one) & ~NotForOthers);
            }
        }

        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("LOG_FILE) is '/proc/no/such/file.log', which cannot be written", "LOG_FILE=/proc/no/such/file.log")]
    [InlineData("Logging:File:MaxBytes must be between 10000", "Logging__File__MaxBytes=1")]
    [InlineData("Logging:File:MaxFiles must be between 1 and 1000", "Logging__File__MaxFiles=0")]
    public async Task A_log_file_that_cannot_be_is_told_at_the_start(string expected, string variable)
    {
        var pair = variable.Split('=');
        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            ["--urls=http://127.0.0.1:0"],
            new Dictionary<string, string> { [pair[0]] = pair[1] }
        );

        Assert.Equal(1, exitCode);
        Assert.Contains(expected, errors);
    }

    private static async Task<string> LogOfAsync(
        Func<HttpClient, Task> use,
        params (string Name, string Value)[] settings
    )
    {
        var port = FreePort.Find();
        await using var server = ServerProcess.Start(
            [$"--urls=http://127.0.0.1:{port}"],
            settings.ToDictionary(pair => pair.Name, pair => pair.Value)
        );
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        await ServerProcess.ReadyAsync(http, $"http://127.0.0.1:{port}");
        await use(http);
        return (await server.EndByTermAsync()).Errors;
    }
}
