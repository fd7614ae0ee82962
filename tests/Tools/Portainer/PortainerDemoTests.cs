using System.Text.Json;
using Docker.DotNet.Models;
using MinimalMcp.Tests.EndToEnd;
using static MinimalMcp.Tests.EndToEnd.Conversation;

namespace MinimalMcp.Tests.Tools.Portainer;

/// <summary>What people ask about containers, and a repair. <c>scripts/demo-ops</c> shows it.</summary>
[Collection(nameof(Lab))]
[Slow]
public sealed class PortainerDemoTests(Lab lab)
{
    private const string Forever = "trap 'exit 0' TERM; while :; do sleep 1; done";

    // It does not get anywhere at first, as many a program that starts before what it needs. Its second start goes
    // well.
    private const string Worker =
        "if [ -e /tmp/seen ]; then : > /tmp/well; echo connected to the queue; else : > /tmp/seen; echo error: the "
        + $"queue refused the connection >&2; fi; {Forever}";

    [Fact]
    public async Task Containers_are_looked_through_and_the_one_that_is_unwell_is_restarted()
    {
        await lab.StartMonitoringAsync();
        var (web, worker) = ($"shop-web-{lab.Run}", $"shop-worker-{lab.Run}");
        await lab.RunAsync($"echo listening; {Forever}", name: web, healthcheck: Check("true"));
        await lab.RunAsync(
            Worker,
            name: worker,
            healthcheck: Check("[ -e /tmp/well ] || { echo no connection to the queue; exit 1; }")
        );
        await using var talk = Conversation.Start(
            $"Containers of a real engine, through {(lab.PortainerIsStandIn ? "a stand-in for " : "")}Portainer",
            ("Portainer:Url", lab.PortainerUrl.ToString()),
            ("Portainer:Token", lab.PortainerKey)
        );
        await Lab.UntilAsync(
            () => talk.Server.CallAsync("portainer_list_containers", new { name = "shop-w" }),
            list => Health(list, worker) == "unhealthy" && Health(list, web) == "healthy",
            "the health of both is known"
        );

        talk.Ask("List all Docker containers and show which ones are unhealthy.");
        // Without those of other tests, which come and go.
        var containers = (await talk.CallAsync("portainer_list_containers", new { name = lab.Run, limit = 200 }))
            .GetProperty("containers")
            .EnumerateArray()
            .Where(one =>
                !Text(one, "name").StartsWith("lab-", StringComparison.Ordinal)
                && Text(one, "name").EndsWith(lab.Run, StringComparison.Ordinal)
            )
            .ToArray();
        talk.Answer([
            .. containers.Select(one =>
                (FormattableString)$"{Mark(one)} {Text(one, "name")} ({Text(one, "image")}): {Text(one, "status")}"
            ),
        ]);

        talk.Ask("Which containers are using the most memory?");
        var running = containers
            .Where(one => Text(one, "state") == "running")
            .Select(one => Text(one, "name"))
            .ToArray();
        var stats = await Task.WhenAll(
            running.Select(name => talk.CallAsync("portainer_container_stats", new { container_id = name }))
        );
        talk.Answer([
            .. running
                .Zip(stats, (name, one) => (name, Bytes: one.GetProperty("memoryBytes").GetInt64()))
                .OrderByDescending(one => one.Bytes)
                .Select(one => (FormattableString)$"{one.name}: {one.Bytes / 1048576.0:0.0} MB"),
        ]);

        talk.Ask("What is wrong with the worker? Show me its logs.");
        var details = await talk.CallAsync("portainer_inspect_container", new { container_id = worker });
        var log = await talk.CallAsync("portainer_get_container_logs", new { container_id = worker, tail = 20 });
        talk.Answer($"Its health check says: {Text(details, "lastHealthOutput")}", $"Its log says: {Text(log, "log")}");

        talk.Ask("Restart the ones that are unhealthy.");
        var changed = await talk.CallAsync("portainer_restart_container", new { container_id = worker });
        talk.Answer($"{Text(changed, "container")}: {Text(changed, "result")}");

        await Lab.UntilAsync(
            () => talk.Server.CallAsync("portainer_list_containers", new { name = worker }),
            list => Health(list, worker) == "healthy",
            "the worker is well again"
        );
        talk.Ask("Is it well now?");
        var after = (await talk.CallAsync("portainer_list_containers", new { name = worker })).GetProperty(
            "containers"
        )[0];
        talk.Answer($"{Mark(after)} {Text(after, "name")} is {Text(after, "health")}: {Text(after, "status")}");

        talk.HasAnswers(
            [$"⚠ {worker}", $"✓ {web}", $"prometheus-{lab.Run}"],
            [$"prometheus-{lab.Run}: "],
            ["no connection to the queue", "the queue refused the connection"],
            [$"{worker}: restarted"],
            ["healthy"]
        );
        Assert.All(stats, one => Assert.True(one.GetProperty("memoryBytes").GetInt64() > 0));
    }

    private static HealthcheckConfig Check(string command) =>
        new()
        {
            Test = ["CMD-SHELL", command],
            Interval = TimeSpan.FromMilliseconds(200),
            Retries = 1,
        };

    private static string? Health(JsonElement list, string name) =>
        list.GetProperty("containers").EnumerateArray().FirstOrDefault(one => Text(one, "name") == name)
            is { ValueKind: JsonValueKind.Object } found
            ? Text(found, "health")
            : null;

    private static string Mark(JsonElement container) =>
        Text(container, "state") == "running" && Text(container, "health") is "" or "healthy" ? "✓" : "⚠";
}
