using System.Text;
using System.Text.Json;
using MinimalMcp.Hub.Processes;
using MinimalMcp.Tests.Protocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tests.Hub;

/// <summary>Servers that were registered over HTTP run, and their tools are called over every surface.</summary>
[Slow]
public sealed class SupervisorTests
{
    private static readonly string[] All = ["x_die", "x_echo", "x_env", "x_slow"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_registered_server_is_on_every_surface_until_it_is_stopped()
    {
        await using var server = Start();
        await using var client = await ConnectAsync(server);
        var changed = new SemaphoreSlim(0);
        await using var listening = client.RegisterNotificationHandler(
            NotificationMethods.ToolListChangedNotification,
            (_, _) =>
            {
                changed.Release();
                return default;
            }
        );
        await RegisterAsync(server, "x", "good");
        Assert.True(await Wait.Soon(changed.WaitAsync(Wait.Limit, Stop)));

        await ListedAsync(server, All);
        var health = await server.GetJsonAsync("/api/v1/servers/1/health");
        Assert.Equal(
            ("active", 4),
            (health.GetProperty("status").GetString(), health.GetProperty("tools_count").GetInt32())
        );
        Assert.True(health.GetProperty("response_time_ms").GetDouble() > 0);
        Assert.Equal(All, (await client.ListToolsAsync(cancellationToken: Stop)).Select(tool => tool.Name).Where(IsX));
        var arguments = new Dictionary<string, object?> { ["text"] = "over MCP" };
        var result = await client.CallToolAsync("x_echo", arguments, cancellationToken: Stop);
        Assert.Equal("over MCP", Assert.IsType<TextContentBlock>(result.Content[0]).Text);

        var functions = (await server.GetJsonAsync("/api/mcp/v1/tools?profile=x")).GetRawText();
        Assert.All(All, name => Assert.Contains($"\"{name}\"", functions));
        var paths = (await server.GetJsonAsync("/openapi.json?profile=x")).GetProperty("paths").GetRawText();
        Assert.All(All, name => Assert.Contains($"/{name}\"", paths));
        using var rest = await server.PostAsync("/tools/x_echo", """{"text":"over REST"}""");
        Assert.Contains("over REST", await rest.Content.ReadAsStringAsync(Stop));

        await SendAsync(server, "/1/stop");
        await ListedAsync(server, []);
        using var gone = await server.PostAsync("/tools/x_echo", "{}");
        Assert.Equal(404, (int)gone.StatusCode);
        await SendAsync(server, "/1/start");
        await ListedAsync(server, All);
    }

    [Fact]
    public async Task A_crashed_server_is_restarted_and_its_tools_stay_listed_and_say_why_they_wait()
    {
        await using var server = Start();
        await RegisterAsync(server, "x", "good");
        await ListedAsync(server, All);

        var died = await server.McpAsync("tools/call", new { name = "x_die", arguments = new { } });
        Assert.True(died.IsError);
        Assert.Contains("exit code 7; its last lines: fatal: out of cheese", died.Text);
        await Wait.Until(async () =>
        {
            await ListedAsync(server, All);
            var call = await EchoAsync(server, "x");
            Assert.True(
                !call.IsError || call.Text.Contains("Server 'x' is restarting", StringComparison.Ordinal),
                call.Text
            );
            return !call.IsError;
        });
        Assert.Equal(1, (await server.GetJsonAsync("/api/v1/servers/1")).GetProperty("restart_count").GetInt32());
    }

    [Fact]
    public async Task After_too_many_restarts_it_is_in_error_and_not_listed_until_somebody_starts_it()
    {
        await using var server = Start();
        await RegisterAsync(server, "x", "good", more: ",\"max_restarts\":0");
        await ListedAsync(server, All);
        await server.McpAsync("tools/call", new { name = "x_die", arguments = new { } });
        await StatusAsync(server, "error");
        await ListedAsync(server, []);
        var shown = await server.GetJsonAsync("/api/v1/servers/1");
        Assert.Contains("out of cheese", shown.GetProperty("reason").GetString());
        Assert.Contains(
            "out of cheese",
            (await server.GetJsonAsync("/api/v1/servers/1/logs")).GetProperty("lines").GetRawText()
        );

        await SendAsync(server, "/1/start");
        await StatusAsync(server, "active");
        await ListedAsync(server, All);
    }

    [Fact]
    public async Task It_starts_once_however_many_start_it_and_a_change_restarts_only_that_server()
    {
        Assert.SkipUnless(ProcessTree.IsSupported, "Processes are found by their environment on Linux only.");
        await using var server = Start();
        await RegisterAsync(server, "x", "good", start: false);
        await RegisterAsync(server, "other", "good");
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => SendAsync(server, "/1/start")));
        await Wait.Until(async () =>
            (await EchoAsync(server, "other")).Message.TryGetProperty("result", out var result)
            && !result.TryGetProperty("isError", out _)
        );
        var first = await ProcessAsync(server, "x");
        var other = await ProcessAsync(server, "other");

        await SendAsync(server, "/1", """{"env":{"GREETING":"changed"}}""", "PUT");
        await Wait.Until(async () =>
            (await EnvironmentAsync(server, "x"))?.TryGetProperty("GREETING", out var set) is true
            && set.ValueEquals("changed")
        );
        Assert.NotEqual(first, await ProcessAsync(server, "x"));
        Assert.Equal(other, await ProcessAsync(server, "other"));
    }

    [Fact]
    public async Task A_call_that_hangs_ends_at_the_timeout_and_the_server_lives()
    {
        await using var server = Start(("Hub:ServerTimeout", "00:00:01"));
        await RegisterAsync(server, "x", "good");
        await ListedAsync(server, All);
        var slow = await server.McpAsync("tools/call", new { name = "x_slow", arguments = new { } });
        Assert.True(slow.IsError);
        Assert.Contains("SERVER_TIMEOUT", slow.Text);
        Assert.False((await EchoAsync(server, "x")).IsError);
        Assert.Equal(0, (await server.GetJsonAsync("/api/v1/servers/1")).GetProperty("restart_count").GetInt32());
    }

    [Fact]
    public async Task The_lists_of_before_are_there_at_once_after_a_start_and_the_calls_say_that_it_starts()
    {
        var folder = Directory.CreateTempSubdirectory("hub-lists");
        var (gate, store) = (Path.Combine(folder.FullName, "gate"), Path.Combine(folder.FullName, "hub.db"));
        await using (var before = Start(("Storage:Path", store)))
        {
            await File.WriteAllTextAsync(gate, "", Stop);
            await RegisterAsync(before, "x", "gated", gate);
            await ListedAsync(before, All);
            await Wait.Until(async () =>
                (await before.GetJsonAsync("/api/v1/servers/1/health")).GetProperty("tools_count").GetInt32() == 4
            );
        }

        File.Delete(gate);
        await using (var after = Start(("Storage:Path", store)))
        {
            await ListedAsync(after, All);
            var early = await EchoAsync(after, "x");
            Assert.Contains("Server 'x' is starting", early.Text);
            await File.WriteAllTextAsync(gate, "", Stop);
            await Wait.Until(async () => !(await EchoAsync(after, "x")).IsError);
        }

        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task At_the_end_of_this_server_no_process_is_left(bool killed)
    {
        Assert.SkipUnless(ProcessTree.IsSupported, "Processes are found by their environment on Linux only.");
        var port = FreePort.Find();
        await using var hub = ServerProcess.Start(
            ["--urls", $"http://127.0.0.1:{port}"],
            new Dictionary<string, string> { ["Hub__CommandsWithoutAuth"] = "true" }
        );
        using var http = new HttpClient { BaseAddress = new($"http://127.0.0.1:{port}"), Timeout = Wait.Limit };
        await ServerProcess.ReadyAsync(http, $"http://127.0.0.1:{port}");
        foreach (var kind in (string[])["good", "forks", "ignores"])
        {
            using var made = await http.PostAsync(new Uri("/api/v1/servers", UriKind.Relative), Body(kind, kind), Stop);
            Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync(Stop));
        }

        // The watchdog has no marker in its environment; the two that fork have a descendant each.
        await Wait.Until(() => Of(hub.Id).Count == 5);
        if (killed)
        {
            await hub.KillAsync();
        }
        else
        {
            Assert.Equal(0, await hub.TerminateAsync());
        }

        await Wait.Until(() => Of(hub.Id).Count == 0);

        static IReadOnlyList<(int Id, string Marker)> Of(int hub) =>
            [.. ProcessTree.Find("").Where(process => process.Marker.Contains($":{hub}.", StringComparison.Ordinal))];
    }

    private static bool IsX(string name) => name.StartsWith("x_", StringComparison.Ordinal);

    private static TestServer Start(params (string, string)[] settings) =>
        TestServer.Start([
            ("Hub:CommandsWithoutAuth", "true"),
            ("Governance:Levels:HIGH", "off"), // tests wait by asking again
            .. settings,
        ]);

    private static async Task<McpClient> ConnectAsync(TestServer server) =>
        await McpClient.CreateAsync(
            new HttpClientTransport(
                new() { Endpoint = new(server.Url, "/mcp"), TransportMode = HttpTransportMode.StreamableHttp }
            ),
            new() { ProtocolVersion = "2025-11-25" },
            cancellationToken: Stop
        );

    private static StringContent Body(
        string name,
        string kind,
        string? argument = null,
        bool start = true,
        string more = ""
    )
    {
        Needs.Program("install Node.js", "node");
        var args = JsonSerializer.Serialize(
            (string[])[HubServer.Script(), kind, .. argument is null ? [] : (string[])[argument]]
        );
        var restart = start ? "true" : "false";
        var body = $$"""{"name":"{{name}}","command":"node","args":{{args}},"auto_restart":{{restart}}{{more}}}""";
        return new(body, Encoding.UTF8, "application/json");
    }

    private static async Task RegisterAsync(
        TestServer server,
        string name,
        string kind,
        string? argument = null,
        bool start = true,
        string more = ""
    )
    {
        using var made = await server.Http.PostAsync(
            new Uri("/api/v1/servers", UriKind.Relative),
            Body(name, kind, argument, start, more),
            Stop
        );
        Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync(Stop));
    }

    private static async Task SendAsync(TestServer server, string path, string? body = null, string method = "POST")
    {
        using var request = new HttpRequestMessage(new(method), "/api/v1/servers" + path);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await server.Http.SendAsync(request, Stop);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Stop));
    }

    private static Task StatusAsync(TestServer server, string status) =>
        Wait.Until(async () =>
            (await server.GetJsonAsync("/api/v1/servers/1")).GetProperty("status").GetString() == status
        );

    private static Task ListedAsync(TestServer server, string[] names) =>
        Wait.Until(async () =>
        {
            var tools = (await server.McpAsync("tools/list")).Result.GetProperty("tools").EnumerateArray();
            return tools.Select(tool => tool.GetProperty("name").GetString()!).Where(IsX).Order().SequenceEqual(names);
        });

    private static Task<McpAnswer> EchoAsync(TestServer server, string name) =>
        server.McpAsync("tools/call", new { name = $"{name}_echo", arguments = new { text = "hello" } });

    private static async Task<JsonElement?> EnvironmentAsync(TestServer server, string name)
    {
        var answer = await server.McpAsync("tools/call", new { name = $"{name}_env", arguments = new { } });
        return answer.Message.TryGetProperty("result", out _) && !answer.IsError
            ? JsonElement.Parse(answer.Text)
            : null;
    }

    // The one process that a server has.
    private static async Task<int> ProcessAsync(TestServer server, string name) =>
        Assert
            .Single(
                ProcessTree.Find(
                    (await EnvironmentAsync(server, name))!.Value.GetProperty(ProcessTree.Variable).GetString()!
                )
            )
            .Id;
}
