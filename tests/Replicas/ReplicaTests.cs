using System.Diagnostics;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Storage;

namespace MinimalMcp.Tests.Replicas;

/// <summary>
/// Two replicas behind nginx, as deploy/replicas has them: what callers notice when one of them goes.
/// </summary>
[Slow(Minutes = true)]
public sealed class ReplicaTests(PostgresServer postgres, ITestOutputHelper output)
{
    // What stands for docker in the script: it asks this test to restart a replica, and waits until that is done.
    private const string Docker = """
        #!/usr/bin/env bash
        [[ "$*" == "compose up --detach --no-deps --force-recreate --wait replica-"[12] ]] ||
          { echo "unexpected: docker $*" >&2; exit 1; }
        echo "${@: -1}" > please.new && mv please.new please
        while [[ -e please ]]; do sleep 0.02; done
        """;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null, "replica-1", "replica-2")]
    [InlineData("replica-2", "replica-2", "replica-1", "replica-2")] // one that an earlier run left down comes first
    public async Task Restarted_one_by_one_by_the_script_under_load_they_lose_no_call(
        string? leftDown,
        params string[] expected
    )
    {
        await using var replicas = await ReplicaSet.StartAsync(postgres);
        if (leftDown is not null)
        {
            await File.WriteAllTextAsync(Path.Combine(replicas.Folder, "down", leftDown), "", Stop);
        }

        var load = await replicas.LoadAsync("script");

        var (restarted, script) = (new List<string>(), RunScriptAsync(replicas.Folder));
        for (var please = Path.Combine(replicas.Folder, "please"); !script.IsCompleted; await Task.Delay(10, Stop))
        {
            if (File.Exists(please))
            {
                restarted.Add((await File.ReadAllTextAsync(please, Stop)).Trim());
                await replicas.RestartAsync(restarted[^1]);
                File.Delete(please);
            }
        }

        var (exitCode, said, errors) = await script;
        await load.MoreAsync(200);
        await load.EndAsync();

        output.WriteLine(
            $"{load.Done.Count} calls, {load.Lost.Count} lost\n{said}{string.Join('\n', load.Lost.Values)}"
        );
        Assert.True(exitCode == 0, said + errors);
        Assert.Equal(expected, restarted);
        Assert.Empty(load.Lost);
        Assert.Empty(Directory.GetFiles(Path.Combine(replicas.Folder, "down"), "replica-*"));
        await EachOnceAsync(replicas, load);
    }

    [Fact]
    public async Task Asked_to_end_without_the_script_or_killed_a_replica_takes_calls_under_way_along_and_each_is_told()
    {
        await using var replicas = await ReplicaSet.StartAsync(postgres);
        var load = await replicas.LoadAsync("end");

        await replicas.RestartAsync("replica-1");
        await load.MoreAsync(200);
        await replicas.KillAsync("replica-2");
        await load.MoreAsync(500); // by the other one alone
        await load.EndAsync();

        output.WriteLine($"{load.Done.Count} calls, {load.Lost.Count} lost\n{string.Join('\n', load.Lost.Values)}");
        Assert.InRange(load.Lost.Count, 0, 2 * NotedCalls.Callers); // each caller had one call under way, at either end
        Assert.All(load.Lost.Values, said =>
            Assert.Contains("The call may have been done all the same", said, StringComparison.Ordinal)
        );
        await EachOnceAsync(replicas, load);
    }

    [Fact]
    public async Task What_one_replica_knows_the_other_knows()
    {
        await using var replicas = await ReplicaSet.StartAsync(postgres);
        var load = await replicas.LoadAsync("both");
        await load.EndAsync();

        foreach (var url in replicas.Urls.Values)
        {
            Assert.Equal(
                load.Done.Order(),
                (await NotedCalls.RecordedAsync(replicas.Http, url))
                    .Where(row => row.Phase == "outcome")
                    .Select(row => row.Name)
                    .Order()
            );
            Assert.Matches(
                @"mcp_tool_calls_total\{[^}]*pick_note[^}]*\} [1-9]",
                await replicas.Http.GetStringAsync(new Uri(url + "/metrics"), Stop)
            ); // each had its share
        }
    }

    // A call that was answered happened once; one that was lost at most once.
    private static async Task EachOnceAsync(ReplicaSet replicas, NotedCalls load)
    {
        var rows = await NotedCalls.RecordedAsync(replicas.Http, replicas.Url);
        string[] begun = [.. rows.Where(row => row.Phase == "intent").Select(row => row.Name)];
        Assert.Equal(begun.Distinct().Order(), begun.Order());
        Assert.Empty(load.Done.Except(rows.Where(row => row.Phase == "outcome").Select(row => row.Name)));
        Assert.Empty(begun.Except(load.Done).Except(load.Lost.Keys));
    }

    private static async Task<(int ExitCode, string Output, string Errors)> RunScriptAsync(string folder)
    {
        File.Copy(Path.Combine(ReplicaSet.Deploy, "restart"), Path.Combine(folder, "restart"));
        var docker = Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "bin")).FullName, "docker");
        await File.WriteAllTextAsync(docker, Docker, Stop);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(docker, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        var start = new ProcessStartInfo(Needs.Bash(), [Path.Combine(folder, "restart")]);
        start.Environment["PATH"] = $"{Path.GetDirectoryName(docker)}:{Environment.GetEnvironmentVariable("PATH")}";
        return await ClientProcess.RunAsync(start);
    }
}
