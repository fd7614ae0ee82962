using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Protocol;

/// <summary>MCP over standard input and output, with the program that a host starts.</summary>
[Slow]
public sealed class StdioTests
{
    private const string Hello =
        """{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":"""
        + """{},"clientInfo":{"name":"test","version":"1"}}}""";
    private const string Initialized = """{"jsonrpc":"2.0","method":"notifications/initialized"}""";
    private const string Prompt =
        """{"jsonrpc":"2.0","id":"p","method":"prompts/get","params":{"name":"plan_notes","arguments":"""
        + """{"occasion":"tea"}}}""";
    private const string Modern =
        "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
        + "\"io.modelcontextprotocol/clientCapabilities\":{}}";
    private const string NoCapabilities = "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}";
    private const string Future =
        "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2030-01-01\","
        + "\"io.modelcontextprotocol/clientCapabilities\":{}}";

    [Fact]
    public async Task What_is_in_flight_at_the_end_of_input_is_answered_and_the_process_ends_well()
    {
        await using var server = ServerProcess.Start(["--stdio"], ProgramTools.Notes);
        await server.SendAsync(
            $"{Hello}\n{Initialized}\r\n\n{Wire.Call("get_topics", id: 2).ToJsonString()}\n{Prompt}\n"
        );
        await server.SendAsync("""{"jsonrpc":"2.0","id":4,"method":"tools/list"}"""); // the last line has no end
        var (exitCode, output, errors) = await server.EndAsync();

        Assert.Equal(0, exitCode);
        var answers = output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonElement.Parse(line))
            .ToDictionary(answer => answer.GetProperty("id").GetRawText());
        Assert.Equal(["\"p\"", "1", "2", "4"], answers.Keys.Order(StringComparer.Ordinal));
        Assert.All(answers.Values, answer => Assert.True(answer.TryGetProperty("result", out _), answer.ToString()));
        Assert.Contains("6 tools", errors, StringComparison.Ordinal); // the banner, and whatever is logged
    }

    [Fact]
    public async Task A_setting_after_the_word_stdio_is_read()
    {
        var (exitCode, output, errors) = await ServerProcess.RunAsync(["--stdio", "--Server:PublicUrl=foo"]);
        Assert.Equal((1, ""), (exitCode, output));
        Assert.Contains("'foo'", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Logs_never_reach_standard_output()
    {
        await using var server = ServerProcess.Start(
            ["--stdio"],
            new Dictionary<string, string>(ProgramTools.Notes) { ["LOG_LEVEL"] = "DEBUG" }
        );
        await server.SendAsync($"{Wire.Call("find_notes", new { nonsense = 1 }).ToJsonString()}\n");
        Assert.True((await server.ReceiveAsync()).GetProperty("result").GetProperty("isError").GetBoolean());

        var (exitCode, output, errors) = await server.EndAsync();

        Assert.Equal((0, ""), (exitCode, output));
        Assert.Contains("Tool call refused find_notes stdio", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_2026_07_28_client_needs_no_handshake()
    {
        await using var server = ServerProcess.Start(["--stdio"], ProgramTools.Notes);
        var discovered = await AskAsync(server, Request("server/discover", Modern));
        Assert.Equal("2026-07-28", discovered.GetProperty("result").GetProperty("supportedVersions")[0].GetString());

        foreach (var name in (string[])["get_topics", "list_picked"])
        {
            var answer = await AskAsync(server, Request("tools/call", $"\"name\":\"{name}\",{Modern}"));
            Assert.Equal("complete", answer.GetProperty("result").GetProperty("resultType").GetString());
        }

        var prompts = await AskAsync(server, Request("prompts/list", Modern));
        Assert.Equal("complete", prompts.GetProperty("result").GetProperty("resultType").GetString());
    }

    [Theory, InlineData("2026-07-28"), InlineData("2030-01-01")]
    public async Task Initialize_is_negotiated_whatever_revision_it_names(string asked)
    {
        await using var server = ServerProcess.Start(["--stdio"], ProgramTools.Notes);
        var answer = await AskAsync(server, Hello.Replace("2025-11-25", asked, StringComparison.Ordinal));
        Assert.Equal("2025-11-25", answer.GetProperty("result").GetProperty("protocolVersion").GetString());
        Assert.True((await AskAsync(server, Prompt)).TryGetProperty("result", out _));
    }

    [Fact]
    public async Task A_subscription_does_not_keep_the_process_when_its_input_ends()
    {
        await using var server = ServerProcess.Start(["--stdio"], ProgramTools.Notes);
        var first = await AskAsync(
            server,
            Request("subscriptions/listen", $"\"notifications\":{{\"toolsListChanged\":true}},{Modern}")
        );
        Assert.Equal("notifications/subscriptions/acknowledged", first.GetProperty("method").GetString());

        Assert.Equal(0, (await server.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task It_ends_when_its_parent_is_gone_though_its_input_stays_open()
    {
        // The shell starts the server in the background, tells its process id, and lives until it is killed.
        var start = new ProcessStartInfo(
            "sh",
            ["-c", "dotnet \"$0\" --stdio <&3 & echo $!; exec sleep 300", ServerProcess.Dll]
        )
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            WorkingDirectory = AppContext.BaseDirectory,
            Environment =
            {
                ["MCP_AUTH_MODE"] = "none",
                ["Storage__Path"] = TestStores.New(),
                ["LOG_LEVEL"] = "None",
            },
        };
        start.ArgumentList[1] = "exec 3<&0; " + start.ArgumentList[1];
        using var shell = Process.Start(start)!;
        using var server = Process.GetProcessById(
            int.Parse(
                (await shell.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))!,
                CultureInfo.InvariantCulture
            )
        );
        try
        {
            await shell.StandardInput.WriteLineAsync(Wire.Ping);
            await shell.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
            Assert.Contains(
                "result",
                await Wait.Soon(shell.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask()),
                StringComparison.Ordinal
            );

            shell.Kill(); // only the shell; its standard input, which is the server's too, stays open here

            await server
                .WaitForExitAsync(TestContext.Current.CancellationToken)
                .WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
        }
        finally
        {
            if (!server.HasExited)
            {
                server.Kill();
            }
        }
    }

    [Theory]
    [InlineData("ping", Modern, -32601)]
    [InlineData("logging/setLevel", "\"level\":\"info\"," + Modern, -32601)]
    [InlineData("tools/list", NoCapabilities, -32602)]
    [InlineData("prompts/list", NoCapabilities, -32602)]
    [InlineData("tools/list", Future, -32022)]
    public async Task A_2026_07_28_request_is_checked_as_over_http(string method, string parameters, int code)
    {
        await using var server = ServerProcess.Start(["--stdio"], ProgramTools.Notes);
        var answer = await AskAsync(server, Request(method, parameters));
        Assert.Equal(code, answer.GetProperty("error").GetProperty("code").GetInt32());
    }

    [Fact]
    public async Task Bad_messages_are_refused_and_the_process_goes_on()
    {
        await using var server = ServerProcess.Start(["--stdio"], ProgramTools.Notes);
        foreach (var (name, (code, body)) in BadMessages.All)
        {
            var answer = await AskAsync(server, body);
            Assert.True(code == answer.GetProperty("error").GetProperty("code").GetInt32(), $"{name}: {answer}");
        }

        Assert.True((await AskAsync(server, Wire.Ping)).TryGetProperty("result", out _));
        Assert.Equal(0, (await server.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task A_line_that_is_too_long_is_refused_and_not_kept()
    {
        await using var server = ServerProcess.Start(
            ["--stdio"],
            new Dictionary<string, string> { ["MAX_REQUEST_SIZE"] = "65536" }
        );
        Assert.True((await AskAsync(server, Wire.Ping)).TryGetProperty("result", out _));
        var before = server.PeakMemory;

        var flood = new byte[1 << 20];
        Array.Fill(flood, (byte)'x');
        for (var i = 0; i < 128; i++)
        {
            await server.Input.WriteAsync(flood, TestContext.Current.CancellationToken);
        }

        await server.SendAsync("\n");
        Assert.Equal(-32600, (await server.ReceiveAsync()).GetProperty("error").GetProperty("code").GetInt32());
        Assert.True((await AskAsync(server, Wire.Ping)).TryGetProperty("result", out _));
        Assert.True(
            server.PeakMemory - before < 48 << 20,
            $"128 MiB without a line end took {(server.PeakMemory - before) >> 20} MiB of memory"
        );
    }

    private static string Request(string method, string parameters) =>
        $"{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\",\"params\":{{{parameters}}}}}";

    private static async Task<JsonElement> AskAsync(ServerProcess server, string line)
    {
        await server.SendAsync(line + "\n");
        return await server.ReceiveAsync();
    }
}
