using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Engine;
using MinimalMcp.Hub.Processes;
using MinimalMcp.Tests.EndToEnd;

namespace MinimalMcp.Tests.Hub;

/// <summary>A server in a container of a real Docker Engine.</summary>
[Slow]
public sealed class DockerServerTests
{
    // Shell of busybox, builtins only. "stubborn" ends neither with its input nor by SIGTERM.
    private const string Script = """
        while read -r line; do
          id=${line#*\"id\":}; id=${id%%[,\}]*}
          case $line in
            *'"initialize"'*)
              result='{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},'
              result=$result'"serverInfo":{"name":"s","version":"1"}}' ;;
            *'"tools/list"'*) result='{"tools":[{"name":"greet","inputSchema":{"type":"object"}}]}' ;;
            *'"tools/call"'*) result='{"content":[{"type":"text","text":"'$GREETING'"}]}' ;;
            *'"id"'*)
              echo '{"jsonrpc":"2.0","id":'$id',"error":{"code":-32601,"message":"Method not found"}}'
              continue ;;
            *) continue ;;
          esac
          echo '{"jsonrpc":"2.0","id":'$id',"result":'$result'}'
        done
        if [ "$1" = stubborn ]; then
          trap '' TERM
          while :; do /bin/busybox sleep 1; done
        fi
        """;

    private static readonly string Image = $"minimalmcp-hub-test:{Guid.NewGuid():N}";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_container_is_started_called_and_removed_also_when_it_does_not_obey_or_was_left()
    {
        var address = Needs.Docker();
        Needs.Program("install Docker's command line", "docker");
        using var engine = await EngineClient.ConnectAsync(address.CreateHandler(), address.Url, Stop);
        var (shell, _) = await LabImage.Busybox.FindAsync(engine, Lab.Label, "hub", Stop);
        await BuildAsync(shell);
        try
        {
            await RunAsync();
        }
        finally
        {
            await DockerAsync("rmi", "--force", Image);
        }
    }

    private static async Task RunAsync()
    {
        // What an instance left that was killed: of the same store and a process that is gone.
        await using var server = TestServer.Start(("Hub:CommandsWithoutAuth", "true"));
        var markers = server.Services.GetRequiredService<ProcessMarkers>();
        var store = markers.Of(1).Split(':')[0];
        var left = await StartAsync($"{store}:{int.MaxValue}.1");
        var others = await StartAsync("someone:1.1");

        var body = new
        {
            name = "box",
            command = "docker",
            args = (string[])["run", "-i", "--network", "none", "-e", "GREETING", Image, "stubborn"],
            env = new { GREETING = "hello" },
        };
        using var created = await server.PostAsync("/api/v1/servers", JsonSerializer.Serialize(body));
        Assert.True(created.IsSuccessStatusCode, await created.Content.ReadAsStringAsync(Stop));
        await PostAsync(server, "start");
        var mine = await ListAsync("label=minimal-mcp.server=box");
        Assert.Contains("minimal-mcp-box-", Assert.Single(mine));
        Assert.Empty(await ListAsync("id=" + left));
        Assert.Single(await ListAsync("id=" + others));

        var answer = await server.McpAsync("tools/call", new { name = "box_greet", arguments = new { } });
        Assert.True(answer.Text.Contains("hello", StringComparison.Ordinal), answer.Message.GetRawText());

        await PostAsync(server, "stop");
        Assert.Empty(await ListAsync("label=minimal-mcp.server=box"));

        // Of this instance, but known to nobody but its watchdog, which believes now that the instance was killed.
        var own = await StartAsync(string.Join(':', markers.Of(1).Split(':')[..2]));
        markers.Dispose();
        await Wait.Until(async () => (await ListAsync("id=" + own)).Length == 0);
        Assert.Single(await ListAsync("id=" + others));
        await DockerAsync("rm", "--force", others);
    }

    private static Task<string> StartAsync(string instance) =>
        DockerAsync(
            "run",
            "--detach",
            "--network=none",
            $"--label={DockerContainer.Label}={instance}",
            Image,
            "stubborn"
        );

    private static async Task<string[]> ListAsync(string filter) =>
        (await DockerAsync("ps", "--all", "--filter", filter, "--format", "{{.ID}} {{.Names}}")).Split(
            '\n',
            StringSplitOptions.RemoveEmptyEntries
        );

    private static async Task PostAsync(TestServer server, string verb)
    {
        using var answer = await server.PostAsync($"/api/v1/servers/1/{verb}", "");
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Stop));
    }

    private static async Task BuildAsync(string shell)
    {
        var folder = Directory.CreateTempSubdirectory("hub-image");
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "server.sh"), Script, Stop);
        await File.WriteAllTextAsync(
            Path.Combine(folder.FullName, "Dockerfile"),
            $"""
            FROM {shell}
            COPY server.sh /server.sh
            ENTRYPOINT ["/bin/busybox", "sh", "/server.sh"]
            """,
            Stop
        );
        await DockerAsync("build", "--quiet", "--tag", Image, folder.FullName);
        folder.Delete(recursive: true);
    }

    private static async Task<string> DockerAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("docker", arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOCKER_BUILDKIT"] = "0"; // the newer builder is a program of its own
        using var docker = Process.Start(start)!;
        var (output, errors) = (docker.StandardOutput.ReadToEndAsync(Stop), docker.StandardError.ReadToEndAsync(Stop));
        await Wait.Soon(docker.WaitForExitAsync(Stop));
        Assert.True(docker.ExitCode == 0, $"docker {string.Join(' ', arguments)}: {await errors}");
        return (await output).Trim();
    }
}
