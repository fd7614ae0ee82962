using System.Runtime.Versioning;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Hub;
using MinimalMcp.Hub.Processes;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Hub;

/// <summary>
/// Servers run as another user (Hub:User), which only root and who has the capabilities can do; and the limits of
/// memory and open files. The image of the hub has both: <see cref="Container.HubImageTests"/>.
/// </summary>
[Slow]
public sealed class ChildUserTests
{
    private const string User = "nobody";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_runs_as_the_user_reads_nothing_of_ours_and_ends_with_all_it_started()
    {
        NeedsRoot();
        await using var hub = HubServer.Empty(("Hub:User", User));
        await hub.AddAsync("spy", "spy");
        var store = hub.Server.Services.GetRequiredService<IConfiguration>()["Storage:Path"]!;
        var environment = $"/proc/{Environment.ProcessId}/environ";
        string[] files = [store, store + "-wal", store + ".key", environment, "/etc/passwd"];

        var found = JsonElement.Parse(await hub.CallAsync("spy_look", new { files, pid = Environment.ProcessId }));

        var expected = ChildUser.Find(User);
        Assert.Equal(expected.Id, found.GetProperty("uid").GetUInt32());
        Assert.Equal(expected.Group, found.GetProperty("gid").GetUInt32());
        Assert.Equal("EPERM", found.GetProperty("signal").GetString());
        Assert.Equal("done", found.GetProperty("/etc/passwd").GetString());
        foreach (var file in files[..^1].Where(File.Exists))
        {
            Assert.Equal("EACCES", found.GetProperty(file).GetString());
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task At_the_end_of_this_server_no_process_of_the_user_is_left(bool killed)
    {
        NeedsRoot();
        var user = ChildUser.Find(User);
        var port = FreePort.Find();
        await using var hub = ServerProcess.Start(
            ["--urls", $"http://127.0.0.1:{port}"],
            new Dictionary<string, string> { ["Hub__CommandsWithoutAuth"] = "true", ["Hub__User"] = User }
        );
        using var http = new HttpClient { BaseAddress = new($"http://127.0.0.1:{port}"), Timeout = Wait.Limit };
        await ServerProcess.ReadyAsync(http, $"http://127.0.0.1:{port}");
        foreach (var kind in (string[])["forks", "ignores"])
        {
            var body = new
            {
                name = kind,
                command = "node",
                args = (string[])[HubServer.Script(), kind],
            };
            using var made = await http.PostAsync(
                new Uri("/api/v1/servers", UriKind.Relative),
                new StringContent(JsonSerializer.Serialize(body), null, "application/json"),
                Stop
            );
            Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync(Stop));
        }

        await Wait.Until(() => Left().Count == 4);
        Assert.All(Left(), id => Assert.Contains($"\t{user.Id}\t", File.ReadAllText($"/proc/{id}/status")));
        if (killed)
        {
            await hub.KillAsync();
        }
        else
        {
            Assert.Equal(0, await hub.TerminateAsync());
        }

        await Wait.Until(() => Left().Count == 0);

        List<int> Left() =>
            [
                .. ProcessTree
                    .Find("", user: user)
                    .Where(one => one.Marker.Contains($":{hub.Id}.", StringComparison.Ordinal))
                    .Select(one => one.Id),
            ];
    }

    // As a container without the right to look at processes of others does it.
    [Fact]
    public void Files_are_read_as_that_user_and_then_as_before()
    {
        NeedsRoot();
        var user = ChildUser.Find(User);
        var before = Users();
        Assert.False(user.CanRead("/etc/shadow"));
        Assert.True(user.CanRead("/etc/passwd"));
        Assert.Equal([$"{user.Id}", $"{user.Group}"], user.As(Users));
        Assert.Equal(before, Users());

        // The last number of each line is the one for files (proc(5)).
        static string[] Users() =>
            [
                .. File.ReadLines("/proc/thread-self/status")
                    .Where(line =>
                        line.StartsWith("Uid:", StringComparison.Ordinal)
                        || line.StartsWith("Gid:", StringComparison.Ordinal)
                    )
                    .Select(line => line.Split('\t')[^1]),
            ];
    }

    [Theory]
    [InlineData("no-such-user", "which is no user in /etc/passwd")]
    [InlineData("root", "which has rights of root")]
    [InlineData("0:1655", "which has rights of root")]
    public void A_user_that_cannot_be_used_is_refused(string user, string reason)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Users of servers exist on Linux only.");
        var wrong = new HubOptions { User = user }.Validate(new(new object()));
        Assert.Contains(reason, Assert.Single(wrong).ErrorMessage);
    }

    [Fact, UnsupportedOSPlatform("windows")]
    public async Task A_file_of_settings_that_the_user_could_read_fails_the_start()
    {
        NeedsRoot();
        var folder = Directory.CreateTempSubdirectory("hub-user");
        folder.UnixFileMode |= UnixFileMode.OtherExecute;
        var key = Path.Combine(folder.FullName, "key");
        await File.WriteAllTextAsync(key, "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa", Stop);
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.OtherRead);

        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            ["--urls", $"http://127.0.0.1:{FreePort.Find()}"],
            new Dictionary<string, string>
            {
                ["MCP_AUTH_MODE"] = "api-key",
                ["MCP_API_KEY_FILE"] = key,
                ["Hub__User"] = User,
            }
        );

        Assert.Equal(1, exitCode);
        Assert.Contains($"The user '{User}' (Hub:User) can read {key}.", errors);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_server_whose_processes_use_too_much_memory_is_ended_and_says_why_and_the_hub_lives()
    {
        Assert.SkipUnless(ProcessTree.IsSupported, "Memory is read from /proc.");
        await using var hub = HubServer.Empty(("Hub:MaxMemoryMb", "256"));
        await hub.AddAsync("good", "good");
        await hub.AddAsync("greedy", "eats", new { max_restarts = 0 });

        await Wait.Until(async () => await StatusAsync(2) == "error");
        var reason = (await hub.SendAsync("GET", "/2")).Json.GetProperty("reason").GetString()!;
        Assert.Matches(@"^it used \d+ MB of memory, and Hub:MaxMemoryMb is 256", reason);
        Assert.Contains("It was ended: it used", (await hub.SendAsync("GET", "/2/logs")).Json.ToString());
        Assert.Equal("active", await StatusAsync(1));
        Assert.Equal("hello", await hub.CallAsync("good_echo", new { text = "hello" }));

        async Task<string?> StatusAsync(int id) =>
            (await hub.SendAsync("GET", $"/{id}")).Json.GetProperty("status").GetString();
    }

    [Fact]
    public async Task A_server_with_as_many_open_files_as_it_may_lives_and_its_log_says_so()
    {
        Assert.SkipUnless(ProcessTree.IsSupported, "Limits are those of Linux.");
        await using var hub = HubServer.Empty(("Hub:MaxOpenFiles", "256"));
        await hub.AddAsync("opens", "opens");

        await Wait.Until(async () =>
        {
            var log = (await hub.SendAsync("GET", "/1/logs")).Json.ToString();
            return log.Contains("EMFILE", StringComparison.Ordinal)
                && log.Contains("as many files open as it may (256, Hub:MaxOpenFiles)", StringComparison.Ordinal);
        });
        Assert.Equal("hello", await hub.CallAsync("opens_echo", new { text = "hello" }));
    }

    [Fact]
    public void The_command_line_of_Docker_runs_as_this_user_and_passes_the_limits_on()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Users of servers exist on Linux only.");
        var options = new HubOptions
        {
            User = User,
            MaxMemoryMb = 300,
            MaxOpenFiles = 500,
        };
        Assert.DoesNotContain(ChildLaunch.Prefix(options, isDocker: true), part => part.Contains("setpriv"));
        Assert.Contains(ChildLaunch.Prefix(options, isDocker: false), part => part.Contains("setpriv"));
        Assert.Equal(
            "run --rm --name=n --log-driver=none --interactive --memory=300m --ulimit=nofile=500 x",
            Line("run -i x")
        );
        Assert.Equal(
            "run --rm --name=n --log-driver=none --interactive --memory=1g --ulimit=nofile=9 x",
            Line("run -i -m 1g --ulimit nofile=9 x")
        );

        string Line(string args) =>
            string.Join(' ', DockerRun.Parse(args.Split(' ')).Limited(options).ToArguments("n", []));
    }

    private static void NeedsRoot() =>
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && Environment.UserName == "root",
            "Only root can start processes as another user: run scripts/test as root."
        );
}
