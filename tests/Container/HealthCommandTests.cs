using System.Net;
using System.Net.Sockets;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Container;

/// <summary><c>dotnet MinimalMcp.dll health</c>, which an image has instead of a shell and curl.</summary>
[Slow]
public sealed class HealthCommandTests
{
    [Theory, InlineData("MCP_SERVER_PORT={0}"), InlineData("PORT={0}"), InlineData("ASPNETCORE_URLS=http://+:{0}"), InlineData("Kestrel__Endpoints__A__Url=http://0.0.0.0:{0}")]
    public async Task Finds_the_server_where_its_settings_say_that_it_listens(string setting)
    {
        await using var server = TestServer.Start();

        var (exitCode, output, _) = await RunAsync(setting, server.Url.Port);

        Assert.Equal((0, $"http://127.0.0.1:{server.Url.Port}/health/live is alive."), (exitCode, output.Trim()));
    }

    [Fact]
    public async Task Needs_no_key()
    {
        await using var server = TestServer.Start(("Auth:Mode", "api-key"), ("Auth:ApiKey", Guid.NewGuid().ToString("N")));

        Assert.Equal(0, (await RunAsync("PORT={0}", server.Url.Port)).ExitCode);
    }

    [Fact]
    public async Task Says_that_nobody_listens()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        taken.Stop();

        var (exitCode, output, _) = await RunAsync("PORT={0}", port);

        Assert.Equal(1, exitCode);
        Assert.Contains("cannot be reached", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Says_that_the_server_hangs()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start(); // connects, and never answers

        var (exitCode, output, _) = await RunAsync("PORT={0}", ((IPEndPoint)silent.LocalEndpoint).Port, timeout: 1);

        Assert.Equal(1, exitCode);
        Assert.Contains("did not answer within 1 s", output, StringComparison.Ordinal);
    }

    private static Task<(int ExitCode, string Output, string Errors)> RunAsync(
        string setting, int port, int timeout = 300)
    {
        var (name, value) = (setting.Split('=')[0], setting.Split('=')[1]);
        return ServerProcess.RunAsync(["health", "--timeout", $"{timeout}"], new Dictionary<string, string> { [name] = value.Replace("{0}", $"{port}", StringComparison.Ordinal) });
    }
}
