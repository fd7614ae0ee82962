using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using MinimalMcp.Hub;
using MinimalMcp.Hub.Processes;
using MinimalMcp.Storage;

namespace MinimalMcp.Tests.Hub;

/// <summary>Nothing is left of servers whose hub is gone.</summary>
[Slow]
public class ProcessMarkersTests
{
    private readonly string _store = TestStores.New();
    private readonly HubOptions _options = new();

    [Fact]
    public async Task At_the_end_of_the_hub_the_watchdog_ends_what_ignores_signals()
    {
        var hub = Hub();
        var others = Hub(TestStores.New()).Of(1);
        hub.Watch();
        Start(hub.Of(1), _options);
        Start(others, _options);
        await Wait.Until(() => ProcessTree.Find(hub.Of(1)).Count == 2 && ProcessTree.Find(others).Count == 2);

        hub.Dispose(); // closes the pipe, as the end of the process does
        await Wait.Until(() => ProcessTree.Find(hub.Of(1)).Count == 0);
        Assert.Equal(2, ProcessTree.Find(others).Count);
        End(others);
    }

    [Fact]
    public async Task A_start_ends_what_an_instance_of_the_same_store_left_that_runs_no_more()
    {
        using var hub = Hub();
        var running = hub.Of(1);
        var parts = running.Split(':');
        var owner = parts[1].Split('.');
        var gone = $"{parts[0]}:{owner[0]}.{owner[1]}0.1:1:"; // that process id, but started at another time
        Start(running, _options);
        Start(gone, _options);
        await Wait.Until(() => ProcessTree.Find(running).Count == 2 && ProcessTree.Find(gone).Count == 2);

        hub.Sweep();
        await Wait.Until(() => ProcessTree.Find(gone).Count == 0);
        Assert.Equal(2, ProcessTree.Find(running).Count);
        End(running);
    }

    private ProcessMarkers Hub(string? store = null)
    {
        Assert.SkipUnless(ProcessTree.IsSupported, "Processes are found by their environment on Linux only.");
        return new(
            Options.Create(new StorageOptions { Path = store ?? _store }),
            Options.Create(_options),
            new HostingEnvironment { ContentRootPath = AppContext.BaseDirectory },
            NullLogger<ProcessMarkers>.Instance
        );
    }

    private static void Start(string marker, HubOptions options) =>
        ChildProcess.Start(
            Needs.Program("install Node.js", "node"),
            [HubServer.Script(), "ignores"],
            new Dictionary<string, string>(),
            marker,
            new(),
            options
        );

    private static void End(string marker)
    {
        foreach (var (id, _) in ProcessTree.Find(marker))
        {
            ProcessTree.Signal(id, ProcessTree.Kill);
        }
    }
}
