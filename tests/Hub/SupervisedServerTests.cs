using System.Collections.Concurrent;
using System.Text.Json;
using MinimalMcp.Hub;
using MinimalMcp.Hub.Processes;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tests.Hub;

/// <summary>Servers over stdio that misbehave, each as a published one does, or as an attacker would.</summary>
[Slow]
public class SupervisedServerTests
{
    private readonly string _marker = $"test{Guid.NewGuid():N}:{Environment.ProcessId}.0:1:";
    private readonly LogRing _log = new();
    private readonly ConcurrentQueue<ServerLists> _listed = new();

    [Fact]
    public async Task A_server_gets_a_short_environment_and_its_tools_are_listed_and_called()
    {
        var server = Start("good");
        await Wait.Soon(server.Started);
        Assert.Equal(ServerStatus.Active, server.State.Status);
        Assert.Equal(["echo", "env", "slow", "die"], _listed.Single().Tools.Select(tool => tool.Name));
        Assert.Equal("hello", await CallAsync(server, "echo", new { text = "hello" }));

        var environment = JsonDocument.Parse(await CallAsync(server, "env")).RootElement.EnumerateObject().ToArray();
        string[] known = ["HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER", "GREETING", ProcessTree.Variable];
        Assert.Empty(environment.Select(variable => variable.Name).Except(known));
        Assert.Contains(environment, variable => variable.NameEquals("GREETING") && variable.Value.ValueEquals("hi"));
        await StopAsync(server);
    }

    [Fact]
    public async Task Calls_run_at_the_same_time()
    {
        var server = Start("good");
        await Wait.Soon(server.Started);
        var slow = CallAsync(server, "slow");
        Assert.Equal("still here", await CallAsync(server, "echo", new { text = "still here" }));
        Assert.False(slow.IsCompleted);
        await StopAsync(server);
        await Assert.ThrowsAnyAsync<Exception>(() => Wait.Soon(slow));
    }

    [Theory]
    [InlineData("old")]
    [InlineData("noise")]
    [InlineData("reuses-ids")]
    [InlineData("floods-stderr")]
    public async Task A_server_with_manners_of_its_own_works(string kind)
    {
        var server = Start(kind);
        await Wait.Soon(server.Started);
        Assert.Equal("hello", await CallAsync(server, "echo", new { text = "hello" }));
        if (kind == "floods-stderr")
        {
            await Wait.Until(() => _log.Lines().Count == 500);
            Assert.All(_log.Lines(), line => Assert.StartsWith("red yyy", line));
        }

        if (kind == "noise")
        {
            Assert.Equal(["Starting...", "[1,2]", "null"], _log.Lines());
        }

        await StopAsync(server);
    }

    [Fact]
    public async Task A_burst_of_changes_is_read_once()
    {
        var server = Start("changes");
        await Wait.Soon(server.Started);
        await Wait.Until(() => _listed.Last().Tools.Any(tool => tool.Name == "late"));
        // Two readings: the one at the start, and one for the burst.
        await Wait.Until(async () => await CallAsync(server, "late") == "2");
        await StopAsync(server);
    }

    [Fact]
    public async Task A_line_without_an_end_stops_the_server_and_costs_little_memory()
    {
        var before = GC.GetTotalAllocatedBytes();
        var server = Start("floods-stdout", restarts: 0);
        await FailsAsync(server, "a line of more than 1048576 bytes (Hub:MaxMessageBytes)");
        // Other tests allocate meanwhile; without the bound it would be gigabytes.
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 512 << 20);
        await StopAsync(server);
    }

    [Fact]
    public async Task A_server_that_never_answers_is_given_up()
    {
        var server = Start("mute", restarts: 0, options: new() { StartTimeout = TimeSpan.FromSeconds(1) });
        await FailsAsync(server, "did not answer within 1 s (Hub:StartTimeout)");
        await StopAsync(server);
    }

    [Fact]
    public async Task A_server_that_dies_at_once_is_tried_again_and_then_left_in_error_with_its_last_words()
    {
        var server = Start("dies", restarts: 1);
        await FailsAsync(server, "exit code 3; its last lines: no configuration was found");
        Assert.Equal(1, server.State.RestartCount);
        var refused = Assert.Throws<ModelContextProtocol.McpException>(() => server.Connection);
        Assert.Contains("'stand-in' is in error: it ended with exit code 3", refused.Message);
        Assert.EndsWith("An operator must start it.", refused.Message);
        await StopAsync(server);
    }

    [Fact]
    public async Task A_server_that_dies_in_a_call_fails_the_call_and_comes_back()
    {
        var server = Start("good");
        await Wait.Soon(server.Started);
        var slow = CallAsync(server, "slow");
        var dead = server.Connection;
        await Assert.ThrowsAnyAsync<Exception>(() => Wait.Soon(CallAsync(server, "die")));
        await Assert.ThrowsAnyAsync<Exception>(() => Wait.Soon(slow));
        Assert.Contains("exit code 7; its last lines: fatal: out of cheese", await Wait.Soon(dead.Ended));
        await Wait.Until(() => server.State is { Status: ServerStatus.Active, RestartCount: 1 });
        Assert.Equal("back", await CallAsync(server, "echo", new { text = "back" }));
        Assert.Single(_listed); // nothing changed
        await StopAsync(server);
    }

    [Theory]
    [InlineData("forks")]
    [InlineData("ignores")]
    public async Task Stopping_ends_every_descendant(string kind)
    {
        Assert.SkipUnless(ProcessTree.IsSupported, "Processes are found by their environment on Linux only.");
        var server = Start(kind);
        await Wait.Soon(server.Started);
        await Wait.Until(() => ProcessTree.Find(_marker).Count == 2);
        await StopAsync(server);
    }

    private SupervisedServer Start(string kind, int restarts = 3, HubOptions? options = null)
    {
        options ??= new();
        options.MaxMessageBytes = 1 << 20;
        var definition = new ServerDefinition
        {
            Id = 1,
            Name = "stand-in",
            Command = Needs.Program("install Node.js", "node"),
            Args = [HubServer.Script(), kind],
            Env = new Dictionary<string, string> { ["GREETING"] = "hi" },
            MaxRestarts = restarts,
        };
        return new(
            definition,
            (changed, cancel) => UpstreamConnection.OpenStdioAsync(definition, options, _marker, _log, changed, cancel),
            lists =>
            {
                _listed.Enqueue(lists);
                return Task.CompletedTask;
            },
            () => { },
            _ => { },
            options,
            TimeProvider.System
        );
    }

    private async Task StopAsync(SupervisedServer server)
    {
        await Wait.Soon(server.DisposeAsync().AsTask());
        Assert.Equal(ServerStatus.Inactive, server.State.Status);
        Assert.Empty(ProcessTree.Find(_marker));
    }

    private static async Task FailsAsync(SupervisedServer server, string reason)
    {
        await Assert.ThrowsAsync<ModelContextProtocol.McpException>(() => Wait.Soon(server.Started));
        await Wait.Until(() => server.State.Status is ServerStatus.Error);
        Assert.Contains(reason, server.State.Reason);
    }

    private static async Task<string> CallAsync(SupervisedServer server, string tool, object? arguments = null)
    {
        var result = await server.Connection.Client.CallToolAsync(
            new CallToolRequestParams
            {
                Name = tool,
                Arguments = JsonSerializer
                    .SerializeToElement(arguments ?? new { })
                    .EnumerateObject()
                    .ToDictionary(member => member.Name, member => member.Value),
            },
            TestContext.Current.CancellationToken
        );
        return ((TextContentBlock)result.Content[0]).Text;
    }
}
