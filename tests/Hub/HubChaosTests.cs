using System.Globalization;
using System.Text;
using System.Text.Json;
using MinimalMcp.Hub.Processes;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Hub;

/// <summary>
/// Clients that vanish, servers that crash, flood, never answer, fork and ignore signals, and a hub that is killed:
/// nothing is left. scripts/hub-chaos does more of each, and prints the figures.
/// </summary>
[Slow(Minutes = true)]
public sealed class HubChaosTests : IDisposable
{
    private static readonly bool Full = Environment.GetEnvironmentVariable("HUB_CHAOS") == "full";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("hub-chaos");
    private readonly StringBuilder _figures = new(
        "| what | how often | processes | pipes and sockets | memory of the hub | at most |\n"
            + "|---|---|---|---|---|---|\n"
    );
    private readonly string _url = $"http://127.0.0.1:{FreePort.Find()}";
    private readonly HttpClient _http;
    private ServerProcess? _hub;

    public HubChaosTests()
    {
        _http = new() { BaseAddress = new(_url), Timeout = Wait.Limit };
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_is_left_of_what_goes_wrong()
    {
        Assert.SkipUnless(ProcessTree.IsSupported, "Processes are found by their environment on Linux only.");
        await StartAsync();
        foreach (var kind in (string[])["good", "forks", "ignores"])
        {
            await RegisterAsync(kind, 3);
        }

        await ActiveAsync();
        await VanishAsync(20); // what is loaded once is no leak
        await RestartsAsync(2);
        var handles = Handles();
        await PhaseAsync("before", 0, () => Task.CompletedTask);
        await PhaseAsync("clients that vanish", Full ? 1000 : 20, VanishAsync);
        await PhaseAsync("crashes", Full ? 100 : 3, CrashesAsync);
        await PhaseAsync("restarts", Full ? 200 : 3, RestartsAsync);
        await PhaseAsync("floods of stdout and stderr, servers that never answer", Full ? 10 : 1, FloodsAsync);
        await Wait.Until(() => Handles() <= handles + 2); // a connection or two of the client
        await PhaseAsync("kill -9 of the hub", Full ? 20 : 2, KillsAsync);

        var id = _hub!.Id;
        await _hub.TerminateAsync();
        await Wait.Until(() => Of(id) == 0);
        if (Environment.GetEnvironmentVariable("HUB_CHAOS_OUT") is { } file)
        {
            await File.WriteAllTextAsync(file, _figures.ToString(), Stop);
        }
    }

    public void Dispose()
    {
        _hub?.DisposeAsync().AsTask().Wait();
        _http.Dispose();
        _folder.Delete(recursive: true);
    }

    private async Task StartAsync()
    {
        _hub = ServerProcess.Start(
            ["--urls", _url],
            new Dictionary<string, string>
            {
                ["Storage__Path"] = Path.Combine(_folder.FullName, "hub.db"),
                ["Hub__CommandsWithoutAuth"] = "true",
                ["Hub__StartTimeout"] = "00:00:30",
                ["Governance__Levels__HIGH"] = "off",
            }
        );
        await ServerProcess.ReadyAsync(_http, _url);
    }

    private async Task PhaseAsync(string what, int count, Func<int, Task> run)
    {
        ForgetPeak();
        await run(count);
        await ActiveAsync();
        // The two that fork have a descendant each.
        await Wait.Until(() => Of(_hub!.Id) == 5);
        _figures.AppendLine(
            CultureInfo.InvariantCulture,
            $"| {what} | {count} | {Of(_hub!.Id)} | {Handles()} | {Memory("VmRSS"):0.0} MiB "
                + $"| {Memory("VmHWM"):0.0} MiB |"
        );
    }

    private Task PhaseAsync(string what, int count, Func<Task> run) => PhaseAsync(what, count, _ => run());

    private async Task VanishAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            using var gone = new CancellationTokenSource();
            var call = CallAsync("good_slow", gone.Token);
            await Task.WhenAny(call, Task.Delay(i % 20, Stop)); // before, during and after the request arrives
            await gone.CancelAsync();
            await ((Task)call).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task CrashesAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            await CallAsync("good_die", Stop);
            await PostAsync("/1/restart");
        }
    }

    private async Task RestartsAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            await PostAsync($"/{(i % 3) + 1}/restart");
        }
    }

    private async Task FloodsAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            foreach (
                var (kind, status) in ((string, string)[])
                    [
                        ("floods-stdout", "error"),
                        ("floods-message", "error"),
                        ("floods-stderr", "active"),
                        ("floods-lines", "active"),
                        ("mute", "starting"),
                    ]
            )
            {
                var id = await RegisterAsync(kind, 0);
                await Wait.Until(async () => (await ServerAsync(id)).GetProperty("status").GetString() == status);
                for (var call = 0; call < 20 && kind == "floods-lines"; call++)
                {
                    await CallAsync("floods-lines_echo", Stop);
                }

                using var gone = await _http.DeleteAsync(new Uri($"/api/v1/servers/{id}", UriKind.Relative), Stop);
                Assert.True(gone.IsSuccessStatusCode);
            }
        }
    }

    private async Task KillsAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var id = _hub!.Id;
            await _hub.KillAsync();
            await Wait.Until(() => Of(id) == 0);
            await _hub.DisposeAsync();
            await StartAsync();
            await ActiveAsync();
        }
    }

    private async Task<long> RegisterAsync(string kind, int restarts)
    {
        var body = JsonSerializer.Serialize(
            new
            {
                name = kind,
                command = Path.GetFileName(Needs.Program("install Node.js", "node")),
                args = new[] { HubServer.Script(), kind },
                max_restarts = restarts,
            }
        );
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var made = await _http.PostAsync(new Uri("/api/v1/servers", UriKind.Relative), content, Stop);
        var text = await made.Content.ReadAsStringAsync(Stop);
        Assert.True(made.IsSuccessStatusCode, text);
        return JsonElement.Parse(text).GetProperty("id").GetInt64();
    }

    private Task ActiveAsync() =>
        Wait.Until(async () =>
        {
            foreach (var id in (long[])[1, 2, 3])
            {
                if ((await ServerAsync(id)).GetProperty("status").GetString() != "active")
                {
                    return false;
                }
            }

            return true;
        });

    private async Task<JsonElement> ServerAsync(long id) =>
        JsonElement.Parse(await _http.GetStringAsync(new Uri($"/api/v1/servers/{id}", UriKind.Relative), Stop));

    private async Task PostAsync(string path)
    {
        using var answer = await _http.PostAsync(new Uri("/api/v1/servers" + path, UriKind.Relative), null, Stop);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Stop));
    }

    private async Task CallAsync(string tool, CancellationToken cancellationToken)
    {
        using var body = new StringContent("{}", Encoding.UTF8, "application/json");
        using var answer = await _http.PostAsync(new Uri("/tools/" + tool, UriKind.Relative), body, cancellationToken);
    }

    // Pipes and sockets: the files of the program itself are opened when its parts are used for the first time.
    private int Handles() =>
        Directory
            .GetFiles($"/proc/{_hub!.Id}/fd")
            .Select(handle => new FileInfo(handle).LinkTarget ?? "")
            .Count(target =>
                target.StartsWith("pipe:", StringComparison.Ordinal)
                || target.StartsWith("socket:", StringComparison.Ordinal)
            );

    // In MiB: VmRSS is now, VmHWM the most since the peak was forgotten (proc(5)).
    private double Memory(string figure) =>
        File.ReadLines($"/proc/{_hub!.Id}/status")
            .Where(line => line.StartsWith(figure, StringComparison.Ordinal))
            .Select(line =>
                long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)
            )
            .Single() / 1024.0;

    private void ForgetPeak() => File.WriteAllText($"/proc/{_hub!.Id}/clear_refs", "5");

    // What has the hub's marker in its environment; the watchdog has not.
    private static int Of(int hub) =>
        ProcessTree.Find("").Count(process => process.Marker.Contains($":{hub}.", StringComparison.Ordinal));
}
