using System.Text.Json;
using Docker.DotNet.Models;
using MinimalMcp.Tests.EndToEnd;

namespace MinimalMcp.Tests.Tools.Docker;

/// <summary>The tools against a real engine, with containers of the test's own.</summary>
[Collection(nameof(Lab))]
[Slow]
public sealed class DockerEndToEndTests(Lab lab)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_container_is_found_stopped_started_restarted_and_removed()
    {
        await using var server = await ServerAsync();
        var name = await RunAsync("trap 'exit 0' TERM; while :; do sleep 1; done");

        Assert.Equal("running", (await FindAsync(server, name)).GetProperty("state").GetString());
        Assert.Equal("was running already", await ActAsync(server, "start", name));
        Assert.Equal("stopped", await ActAsync(server, "stop", name));
        Assert.Equal("was not running", await ActAsync(server, "stop", name));
        Assert.Equal(
            0,
            (await server.CallAsync("docker_list_containers", new { name })).GetProperty("count").GetInt32()
        );
        Assert.Equal("exited", (await FindAsync(server, name)).GetProperty("state").GetString());
        Assert.Equal("started", await ActAsync(server, "start", name));
        Assert.Equal("restarted", await ActAsync(server, "restart", name));
        Assert.Contains(
            "running",
            await server.FailAsync(422, "docker_container_action", new { action = "remove", container = name })
        ); // 409
        await ActAsync(server, "stop", name);
        Assert.Equal("removed", await ActAsync(server, "remove", name));
        Assert.Contains(
            "No such container",
            await server.FailAsync(422, "docker_container_inspect", new { container = name })
        );
    }

    [Fact]
    public async Task A_container_that_does_not_end_by_itself_gets_its_own_timeout_and_is_then_killed()
    {
        await using var server = await ServerAsync();
        var name = lab.NewName();
        await lab.RunAsync("trap '' TERM; while :; do sleep 1; done", name: name, stopSeconds: 1);

        Assert.Equal(
            "restarted; it did not stop within 1 seconds and was killed",
            await ActAsync(server, "restart", name)
        );
        Assert.Equal("stopped; it did not stop within 1 seconds and was killed", await ActAsync(server, "stop", name));
    }

    [Fact]
    public async Task Logs_are_searched_while_they_are_read_and_a_line_of_megabytes_hides_nothing()
    {
        await using var server = await ServerAsync();
        // Six megabytes: more than an answer that is held in memory may have.
        var id = await lab.RunAsync(
            "echo needle first; i=0; while [ $i -lt 2 ]; do i=$((i+1)); head -c 3000000 /dev/zero | tr '\\0' x; "
                + "echo; done; echo last"
        );
        await lab.EndAsync(id);

        var found = await server.CallAsync(
            "docker_container_logs",
            new
            {
                container = id,
                tail = 5000,
                grep = "needle",
            }
        );
        var all = await server.CallAsync("docker_container_logs", new { container = id, tail = 5000 });

        Assert.Equal("needle first", found.GetProperty("log").GetString());
        Assert.StartsWith("needle first\nxxx", all.GetProperty("log").GetString());
        Assert.EndsWith("…[truncated]\nlast", all.GetProperty("log").GetString());
    }

    [Fact]
    public async Task A_job_is_run_to_its_end_and_gives_what_it_printed()
    {
        await using var server = await ServerAsync();
        var name = lab.NewName();

        var ran = await server.CallAsync(
            "docker_run_container",
            new
            {
                image = lab.Shell,
                name,
                detach = false,
                network = "none",
                environment = new { GREETING = "hallo" },
                command = (string[])["sh", "-c", "echo $GREETING; echo oops >&2; exit 3"],
            }
        );
        await OursAsync(name);

        Assert.Equal(("exited", 3), (ran.GetProperty("status").GetString(), ran.GetProperty("exitCode").GetInt32()));
        Assert.Equal(["hallo", "oops"], ran.GetProperty("log").GetProperty("log").GetString()!.Split('\n').Order());
        Assert.Contains(
            "already in use",
            await server.FailAsync(422, "docker_run_container", new { image = lab.Shell, name })
        ); // 409
        Assert.Contains(
            "No such image",
            await server.FailAsync(422, "docker_run_container", new { image = "nobody/has-this:0" })
        );
    }

    [Fact]
    public async Task A_container_gets_ports_and_only_the_folders_that_the_operator_allows()
    {
        var folder = Directory.CreateTempSubdirectory("lab-bind");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "note"), "from the host", Cancellation);
            await using var server = await ServerAsync(("Docker:AllowedBinds", folder.FullName));
            var name = lab.NewName();

            var volumes = new Dictionary<string, string> { [folder.FullName] = "/data:ro" };
            var ran = await server.CallAsync(
                "docker_run_container",
                new
                {
                    image = lab.Shell,
                    name,
                    detach = false,
                    network = lab.Network,
                    ports = new Dictionary<string, int> { ["80"] = 0 },
                    volumes,
                    command = (string[])["sh", "-c", "cat /data/note; echo x > /data/note"],
                }
            );
            var details = await OursAsync(name);

            Assert.Contains("from the host", ran.GetProperty("log").GetProperty("log").GetString());
            Assert.Equal(
                "from the host",
                await File.ReadAllTextAsync(Path.Combine(folder.FullName, "note"), Cancellation)
            );
            Assert.False(details.HostConfig!.Privileged);
            Assert.Contains(details.Mounts!, mount => mount is { Destination: "/data", RW: false });
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Inspect_and_lists_hide_secrets_and_find_what_is_there()
    {
        await using var server = await ServerAsync();
        var id = await lab.RunAsync("sleep 60", environment: ["DB_PASSWORD=hunter2-in-clear"], name: lab.NewName());

        var seen = await server.CallAsync("docker_container_inspect", new { container = id });

        Assert.Contains(
            "DB_PASSWORD=[REDACTED]",
            seen.GetProperty("environment").EnumerateArray().Select(variable => variable.GetString())
        );
        Assert.DoesNotContain("hunter2", seen.GetRawText());
        Assert.Contains(lab.Network, (await server.CallAsync("docker_list_networks")).GetRawText());
        Assert.True((await server.CallAsync("docker_list_images")).GetProperty("count").GetInt32() > 0);
        Assert.True((await server.CallAsync("docker_list_volumes")).TryGetProperty("volumes", out _));
    }

    [Fact]
    public async Task Logs_put_letters_together_that_came_in_two_frames()
    {
        await using var server = await ServerAsync();
        var id = await lab.RunAsync("printf 'sm\\303'; sleep 0.3; echo 'oops' >&2; printf '\\245\\n'; printf 'last'");
        await lab.EndAsync(id);

        var log = await server.CallAsync("docker_container_logs", new { container = id });

        // The engine does not say which of two streams was first.
        Assert.Equal(["last", "oops", "små"], log.GetProperty("log").GetString()!.Split('\n').Order());
        Assert.Equal(
            "oops",
            (await server.CallAsync("docker_container_logs", new { container = id, grep = "OO" }))
                .GetProperty("log")
                .GetString()
        );
        Assert.Equal(
            0,
            (await server.CallAsync("docker_container_logs", new { container = id, grep = "nothing" }))
                .GetProperty("lines")
                .GetInt32()
        );
        Assert.Equal(
            3,
            (await server.CallAsync("docker_container_logs", new { container = id, since = "1h" }))
                .GetProperty("lines")
                .GetInt32()
        );
        Assert.Equal(
            0,
            (await server.CallAsync("docker_container_logs", new { container = id, since = "2999-01-01T00:00:00Z" }))
                .GetProperty("lines")
                .GetInt32()
        );
    }

    [Fact]
    public async Task A_dry_run_of_prune_lists_the_networks_that_Docker_would_remove()
    {
        await using var server = await ServerAsync();
        string[] names = [lab.NewName(), lab.NewName(), lab.NewName()];
        foreach (var network in names)
        {
            await lab.Engine.Networks.CreateNetworkAsync(
                new()
                {
                    Name = network,
                    Labels = new Dictionary<string, string> { [Lab.Label] = lab.Run },
                },
                Cancellation
            );
        }

        // One network has a running container, one a stopped container, and one none.
        await lab.RunAsync("while :; do sleep 1; done", network: names[0]);
        await lab.EndAsync(await lab.RunAsync("true", network: names[1]));

        var report = await server.CallAsync("docker_prune", new { what = "networks", dry_run = true });

        var unused = report.GetProperty("unused").EnumerateArray().Select(one => one.GetString()).ToArray();
        Assert.DoesNotContain(names[0], unused);
        Assert.Contains(names[1], unused);
        Assert.Contains(names[2], unused);
    }

    [Fact]
    public async Task The_newest_lines_before_a_time_are_read()
    {
        await using var server = await ServerAsync();
        var id = await lab.RunAsync("for i in 1 2 3 4 5 6; do echo line $i; sleep 0.1; done");
        await lab.EndAsync(id);
        var timed = await server.CallAsync("docker_container_logs", new { container = id, timestamps = true });
        var fourth = timed.GetProperty("log").GetString()!.Split('\n')[3].Split(' ')[0];

        var log = await server.CallAsync(
            "docker_container_logs",
            new
            {
                container = id,
                tail = 2,
                until = fourth,
            }
        );

        // Docker's own answer to tail and until together is empty.
        Assert.Equal("line 3\nline 4", log.GetProperty("log").GetString());
    }

    [Fact]
    public async Task A_dry_run_of_prune_lists_and_removes_nothing()
    {
        await using var server = await ServerAsync();
        var name = lab.NewName();
        await lab.EndAsync(await lab.RunAsync("true", name: name));

        var report = await server.CallAsync("docker_prune", new { what = "containers", dry_run = true });

        Assert.Contains(report.GetProperty("unused").EnumerateArray(), removed =>
            removed.GetString()!.EndsWith(name, StringComparison.Ordinal)
        );
        Assert.Equal("exited", (await FindAsync(server, name)).GetProperty("state").GetString());
        foreach (var what in (string[])["images", "networks", "volumes"])
        {
            Assert.True(
                (await server.CallAsync("docker_prune", new { what, dry_run = true }))
                    .GetProperty("dryRun")
                    .GetBoolean()
            );
        }
    }

    [Fact]
    public async Task An_image_that_cannot_be_pulled_is_a_sentence_and_no_success()
    {
        await using var server = await ServerAsync();

        Assert.Contains(
            "could not be pulled",
            await server.FailAsync(422, "docker_pull_image", new { image = "registry.invalid/nobody/nothing:1" })
        );
    }

    private async Task<TestServer> ServerAsync(params (string, string)[] settings)
    {
        await lab.StartAsync();
        return TestServer.Start([("Docker:Url", lab.Socket), .. settings]);
    }

    private async Task<string> RunAsync(string script)
    {
        var name = lab.NewName();
        await lab.RunAsync(script, name: name);
        return name;
    }

    // What a tool has made carries no label of the lab.
    private async Task<ContainerInspectResponse> OursAsync(string name)
    {
        var details = await lab.Engine.Containers.InspectContainerAsync(name, Cancellation);
        lab.RemoveInTheEnd(details.ID);
        return details;
    }

    private static async Task<JsonElement> FindAsync(TestServer server, string name) =>
        Assert.Single(
            (await server.CallAsync("docker_list_containers", new { all = true, name }))
                .GetProperty("containers")
                .EnumerateArray()
        );

    private static async Task<string> ActAsync(TestServer server, string action, string container) =>
        (await server.CallAsync("docker_container_action", new { action, container }))
            .GetProperty("result")
            .GetString()!;
}
