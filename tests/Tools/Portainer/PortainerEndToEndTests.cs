using System.Net.Http.Json;
using System.Text.Json;
using MinimalMcp.Tests.EndToEnd;

namespace MinimalMcp.Tests.Tools.Portainer;

/// <summary>
/// The tools through Portainer's API to a real engine, with containers of the test's own. With a real Portainer where
/// the environment names one.
/// </summary>
[Collection(nameof(Lab))]
[Slow]
public sealed class PortainerEndToEndTests(Lab lab)
{
    private const string Forever = "trap 'exit 0' TERM; while :; do sleep 1; done";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_container_is_found_stopped_started_and_restarted_without_saying_where()
    {
        await using var server = await ServerAsync();
        var name = lab.NewName();
        await lab.RunAsync(Forever, name: name);

        Assert.Equal(
            ("running", lab.Shell),
            (
                await FindAsync(server, new { name }) is var found ? found.GetProperty("state").GetString() : "",
                found.GetProperty("image").GetString()
            )
        );
        Assert.Equal("was running already", await ActAsync(server, "start", name)); // 304 is a success
        Assert.Equal("stopped", await ActAsync(server, "stop", name));
        Assert.Equal("was not running", await ActAsync(server, "stop", name));
        Assert.Equal(
            "exited",
            (await FindAsync(server, new { name, status = "exited" })).GetProperty("state").GetString()
        );
        Assert.Equal(
            0,
            (await server.CallAsync("portainer_list_containers", new { name, all = false }))
                .GetProperty("count")
                .GetInt32()
        );
        Assert.Equal("started", await ActAsync(server, "start", name));
        Assert.Equal("restarted", await ActAsync(server, "restart", name));
        Assert.Contains(
            "portainer_list_containers",
            await server.FailAsync(422, "portainer_start_container", new { container_id = lab.NewName() })
        );
    }

    [Fact]
    public async Task Health_is_in_the_list_and_can_be_asked_for()
    {
        await using var server = await ServerAsync();
        var name = lab.NewName();
        await lab.RunAsync(
            Forever,
            name: name,
            healthcheck: new()
            {
                Test = ["CMD-SHELL", "echo not well; exit 1"],
                Interval = TimeSpan.FromMilliseconds(100),
                Retries = 1,
            }
        );

        await Lab.UntilAsync(
            () => server.CallAsync("portainer_list_containers", new { name, health = "unhealthy" }),
            list => list.GetProperty("count").GetInt32() == 1,
            "it is unhealthy"
        );

        Assert.Equal("unhealthy", (await FindAsync(server, new { name })).GetProperty("health").GetString());
        var details = await server.CallAsync("portainer_inspect_container", new { container_id = name });
        Assert.Equal(
            ("unhealthy", "not well"),
            (details.GetProperty("health").GetString(), details.GetProperty("lastHealthOutput").GetString())
        );
    }

    [Fact]
    public async Task Inspect_hides_the_values_of_variables_unless_the_operator_shows_them()
    {
        await using var server = await ServerAsync();
        var id = await lab.RunAsync(Forever, environment: ["DB_PASSWORD=hunter2-in-clear"]);

        var hidden = await server.CallAsync("portainer_inspect_container", new { container_id = id });
        Assert.Contains("DB_PASSWORD=[REDACTED]", hidden.GetRawText());
        Assert.DoesNotContain("hunter2", hidden.GetRawText());

        await using var open = await ServerAsync(("Portainer:ShowEnvironment", "true"));
        Assert.Contains(
            "hunter2",
            (await open.CallAsync("portainer_inspect_container", new { container_id = id })).GetRawText()
        );
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Logs_are_text_with_and_without_a_terminal(bool terminal)
    {
        await using var server = await ServerAsync();
        var id = await lab.RunAsync(
            "printf 'sm\\303'; sleep 0.3; echo oops >&2; sleep 0.3; printf '\\245 \\360\\237\\232'; sleep 0.3; "
                + "printf '\\200\\n'; printf '\\033[31mred\\033[0m'",
            terminal
        );
        await lab.EndAsync(id);

        var log = (await server.CallAsync("portainer_get_container_logs", new { container_id = id }))
            .GetProperty("log")
            .GetString()!
            .Split('\n');

        // With a terminal there is one stream, in which the word stands between the two halves of a letter.
        Assert.Equal<string>(
            terminal ? ["sm\ufffdoops", "\ufffd 🚀", "red"] : ["oops", "red", "små 🚀"],
            terminal ? log : [.. log.Order(StringComparer.Ordinal)]
        );
    }

    [Fact]
    public async Task Logs_can_be_narrowed_to_a_stream_an_end_a_time_and_words()
    {
        await using var server = await ServerAsync();
        var id = await lab.RunAsync("i=0; while [ $i -lt 50 ]; do i=$((i+1)); echo line $i; done; echo error 1 >&2");
        await lab.EndAsync(id);

        Assert.Equal("error 1", await LogAsync(server, new { container_id = id, stream = "stderr" }));
        Assert.EndsWith(
            "\nline 49\nline 50",
            await LogAsync(
                server,
                new
                {
                    container_id = id,
                    stream = "stdout",
                    tail = 5000,
                }
            )
        ); // which of the streams is first nobody knows
        Assert.Equal(
            2,
            (await server.CallAsync("portainer_get_container_logs", new { container_id = id, tail = 2 }))
                .GetProperty("lines")
                .GetInt32()
        );
        Assert.Equal("line 7", await LogAsync(server, new { container_id = id, grep = "LINE 7" }));
        Assert.Equal("", await LogAsync(server, new { container_id = id, until = "1h" }));
        Assert.Matches(
            @"\d{4}-\d\d-\d\dT[\d:.]+Z line 50$",
            await LogAsync(
                server,
                new
                {
                    container_id = id,
                    stream = "stdout",
                    tail = 5000,
                    timestamps = true,
                }
            )
        );
        Assert.Contains(
            "follow",
            await server.FailAsync(400, "portainer_get_container_logs", new { container_id = id, follow = true })
        );
    }

    [Fact]
    public async Task Statistics_are_measured_and_absent_for_what_does_not_run()
    {
        await using var server = await ServerAsync();
        var name = lab.NewName();
        await lab.RunAsync("while :; do :; done", name: name);

        var busy = await server.CallAsync("portainer_container_stats", new { container_id = name });
        await lab.Engine.Containers.KillContainerAsync(name, new(), Cancellation);
        var idle = await server.CallAsync("portainer_container_stats", new { container_id = name });

        Assert.True(busy.GetProperty("running").GetBoolean());
        Assert.True(busy.GetProperty("cpuPercent").GetDouble() > 0); // two samples: with one it would be unknown
        Assert.True(busy.GetProperty("memoryBytes").GetInt64() > 0);
        Assert.Equal("""{"running":false}""", idle.GetRawText());
    }

    [Fact]
    public async Task Images_volumes_networks_and_environments_are_listed()
    {
        await using var server = await ServerAsync();

        Assert.Contains(
            lab.Network,
            (await server.CallAsync("portainer_list_networks", new { limit = 200 })).GetRawText()
        );
        Assert.True((await server.CallAsync("portainer_list_images")).GetProperty("count").GetInt32() > 0);
        Assert.True((await server.CallAsync("portainer_list_volumes")).TryGetProperty("volumes", out _));
        var environments = await server.CallAsync("portainer_list_environments");
        Assert.Equal("up", environments.GetProperty("environments")[0].GetProperty("status").GetString());
        Assert.DoesNotContain("edge-key", environments.GetRawText());
    }

    [Fact]
    public async Task An_environment_that_is_not_there_is_told_with_those_that_are()
    {
        await using var server = await ServerAsync();

        var told = await server.FailAsync(422, "portainer_list_containers", new { endpoint_id = 999_999 });

        Assert.Contains("There is no environment 999999. Environments:", told);
    }

    [Fact]
    public async Task A_stack_is_listed_stopped_and_started()
    {
        await using var server = await ServerAsync();
        var name = lab.NewName();
        using var http = new HttpClient { BaseAddress = lab.PortainerUrl };
        http.DefaultRequestHeaders.Add("X-API-Key", lab.PortainerKey);
        var environment = (await server.CallAsync("portainer_list_environments"))
            .GetProperty("environments")[0]
            .GetProperty("id")
            .GetInt32();
        using var created = await http.PostAsJsonAsync(
            $"api/stacks/create/standalone/string?endpointId={environment}",
            new
            {
                name,
                stackFileContent = $"services:\n  web:\n    image: {lab.Shell}\n    command: sleep 600\n",
                env = new[] { new { name = "DB_PASSWORD", value = "hunter2-in-clear" } },
            },
            Cancellation
        );
        var stack_id = (await created.Content.ReadFromJsonAsync<JsonElement>(Cancellation))
            .GetProperty("Id")
            .GetInt32();
        try
        {
            var listed = await server.CallAsync("portainer_list_stacks");
            Assert.Contains(listed.GetProperty("stacks").EnumerateArray(), stack =>
                stack.GetProperty("name").GetString() == name && stack.GetProperty("status").GetString() == "active"
            );
            Assert.DoesNotContain("hunter2", listed.GetRawText());
            var stack = await server.CallAsync("portainer_get_stack", new { stack_id, include_file = true });
            Assert.Equal("DB_PASSWORD=[REDACTED]", stack.GetProperty("environment")[0].GetString());
            Assert.Contains("sleep 600", stack.GetProperty("file").GetString());
            Assert.Equal("running", (await FindAsync(server, new { stack = name })).GetProperty("state").GetString());

            Assert.Equal(
                "was active already",
                (await server.CallAsync("portainer_start_stack", new { stack_id })).GetProperty("result").GetString()
            );
            Assert.Equal(
                "stopped",
                (await server.CallAsync("portainer_stop_stack", new { stack_id })).GetProperty("result").GetString()
            );
            Assert.Equal(
                0,
                (await server.CallAsync("portainer_list_containers", new { stack = name }))
                    .GetProperty("count")
                    .GetInt32()
            );
            Assert.Equal(
                "started",
                (await server.CallAsync("portainer_start_stack", new { stack_id })).GetProperty("result").GetString()
            );
            Assert.Equal("running", (await FindAsync(server, new { stack = name })).GetProperty("state").GetString());
        }
        finally
        {
            await http.DeleteAsync(
                new Uri($"api/stacks/{stack_id}?endpointId={environment}", UriKind.Relative),
                Cancellation
            );
        }

        Assert.Contains("portainer_list_stacks", await server.FailAsync(422, "portainer_get_stack", new { stack_id }));
    }

    [Fact]
    public async Task A_wrong_token_is_told_with_what_to_do()
    {
        await using var server = await ServerAsync(("Portainer:Token", "ptr_wrong-one-0123456789"));

        var told = await server.FailAsync(502, "portainer_list_environments");

        Assert.Contains("Portainer:Token must be an access token", told);
        Assert.DoesNotContain("ptr_wrong", told);
    }

    private async Task<TestServer> ServerAsync(params (string, string)[] settings)
    {
        await lab.StartAsync();
        return TestServer.Start([
            ("Portainer:Url", lab.PortainerUrl.ToString()),
            ("Portainer:Token", lab.PortainerKey),
            ("Portainer:Certificate", lab.PortainerIsStandIn ? "" : "any"),
            .. settings,
        ]);
    }

    private static async Task<JsonElement> FindAsync(TestServer server, object question) =>
        Assert.Single(
            (await server.CallAsync("portainer_list_containers", question)).GetProperty("containers").EnumerateArray()
        );

    private static async Task<string> ActAsync(TestServer server, string verb, string container_id) =>
        (await server.CallAsync($"portainer_{verb}_container", new { container_id }))
            .GetProperty("result")
            .GetString()!;

    private static async Task<string> LogAsync(TestServer server, object question) =>
        (await server.CallAsync("portainer_get_container_logs", question)).GetProperty("log").GetString()!;
}
