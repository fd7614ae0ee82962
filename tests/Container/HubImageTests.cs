using System.Formats.Tar;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Container;

/// <summary>The image is built once for all of them.</summary>
[CollectionDefinition(nameof(BuiltImages))]
public sealed class BuiltImages : ICollectionFixture<BuiltImage>;

/// <summary>The target hub of the Dockerfile: MCP servers run in it as a user of their own.</summary>
[Slow(Minutes = true)]
[Collection(nameof(BuiltImages))]
public sealed class HubImageTests(BuiltImage image)
{
    private const string Server = "1654",
        Servers = "1655";

    private static readonly string[] Capabilities = ["SETUID", "SETGID", "KILL"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_package_is_registered_and_called_and_can_read_nothing_of_the_server()
    {
        string[] environment = [.. RunningContainer.WithKey, "Governance__Levels__HIGH=off"];
        await using var container = await image.StartHubAsync(Capabilities, environment, files: PackageAsync);
        using var http = await container.HealthyAsync();

        // The guide's body, with a package that needs no registry.
        var body = new
        {
            name = "spy",
            command = "npx",
            args = (string[])["-y", "--offline", "/home/servers/stand-in", "spy"],
            transport_type = "stdio",
        };
        using var created = await http.PostAsJsonAsync("/api/v1/servers", body, Cancellation);
        Assert.True(created.IsSuccessStatusCode, await created.Content.ReadAsStringAsync(Cancellation));
        using var started = await http.PostAsync(Route("start"), null, Cancellation);
        var answer = await started.Content.ReadAsStringAsync(Cancellation);
        Assert.True(started.IsSuccessStatusCode, answer + await LogAsync(http));

        string[] files = ["/data/minimalmcp.db", "/data/minimalmcp.db.key", "/data", "/proc/1/environ", "/proc/1/mem"];
        var call = Wire.Call("spy_look", new { files, pid = 1 });
        var called = await McpAnswer.ReadAsync(await http.PostAsJsonAsync("/mcp", call, Cancellation));
        Assert.False(called.IsError, called.Text);
        var found = JsonElement.Parse(called.Text);
        Assert.Equal((1655, 1655), (found.GetProperty("uid").GetInt32(), found.GetProperty("gid").GetInt32()));
        Assert.DoesNotContain(found.GetProperty("groups").EnumerateArray(), group => group.GetInt32() != 1655);
        Assert.Equal("/home/servers", found.GetProperty("home").GetString());
        Assert.Equal("done", found.GetProperty("write").GetString());
        Assert.Equal("EPERM", found.GetProperty("signal").GetString());
        Assert.All(files, file => Assert.Equal("EACCES", found.GetProperty(file).GetString()));

        Assert.Equal([Server, Servers], await UsersAsync(container));
        using var stopped = await http.PostAsync(Route("stop"), null, Cancellation);
        Assert.True(stopped.IsSuccessStatusCode);
        await Wait.Until(async () => (await UsersAsync(container)).SequenceEqual([Server]));
        await container.StopAsync();
        Assert.Equal(0, await container.ExitCodeAsync());
    }

    [Fact]
    public async Task Without_the_capabilities_it_does_not_start_and_says_what_to_add()
    {
        await using var container = await image.StartHubAsync([], RunningContainer.WithKey);
        Assert.Equal(1, await container.ExitCodeAsync());
        Assert.Contains("--cap-add SETUID --cap-add SETGID --cap-add KILL", await container.LogsAsync());

        await using var other = await image.StartHubAsync([], RunningContainer.WithKey, user: Server);
        Assert.Equal(1, await other.ExitCodeAsync());
        Assert.Contains(
            "Hub:User needs capabilities that this process lacks: KILL, SETGID, SETUID",
            await other.LogsAsync()
        );
    }

    [Fact]
    public async Task Without_the_other_user_it_needs_no_capability_and_says_what_servers_can_read()
    {
        string[] environment = [.. RunningContainer.WithKey, "Hub__User="];
        await using var container = await image.StartHubAsync([], environment, user: Server);
        using var http = await container.HealthyAsync();
        Assert.Contains("run as this server's own user", await container.LogsAsync());
        Assert.Equal([Server], await UsersAsync(container));
    }

    private static Uri Route(string action) => new($"/api/v1/servers/1/{action}", UriKind.Relative);

    private static async Task<string> LogAsync(HttpClient http) =>
        await http.GetStringAsync(Route("logs"), Cancellation);

    private static async Task<string[]> UsersAsync(RunningContainer container) =>
        [
            .. (await container.ProcessesAsync())
                .Select(process => process.User)
                .Distinct()
                .Order(StringComparer.Ordinal),
        ];

    private static async Task PackageAsync(TarWriter tar, CancellationToken cancellation)
    {
        var script = Path.Combine(ClientProcess.Root, "tests", "Hub", "stand-in.mjs");
        var program = await File.ReadAllBytesAsync(script, cancellation);
        await WriteAsync("stand-in/stand-in.mjs", program);
        const string Package = """{"name":"stand-in","version":"1.0.0","bin":"stand-in.mjs"}""";
        await WriteAsync("stand-in/package.json", Encoding.UTF8.GetBytes(Package));

        async Task WriteAsync(string name, byte[] bytes)
        {
            using var data = new MemoryStream(bytes);
            await tar.WriteEntryAsync(
                new PaxTarEntry(TarEntryType.RegularFile, name)
                {
                    DataStream = data,
                    Uid = 1655,
                    Gid = 1655,
                    Mode = (UnixFileMode)0b111_101_101,
                },
                cancellation
            );
        }
    }
}
