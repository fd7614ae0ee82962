using System.Net;
using System.Net.Sockets;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Container;

/// <summary><c>dotnet MinimalMcp.dll health</c>, which an image has instead of a shell and curl.</summary>
[Slow]
public sealed class HealthCommandTests
{
    [
        Theory,
        InlineData("MCP_SERVER_PORT={0}"),
        InlineData("PORT={0}"),
        InlineData("ASPNETCORE_URLS=http://+:{0}"),
        InlineData("Kestrel__Endpoints__A__Url=http://0.0.0.0:{0}")
    ]
    public async Task Finds_the_server_where_its_settings_say_that_it_listens(string setting)
    {
        await using var server = TestServer.Start();

        var (exitCode, output, _) = await RunAsync(setting, server.Url.Port);

        Assert.Equal((0, $"http://127.0.0.1:{server.Url.Port}/health/live is alive."), (exitCode, output.Trim()));
    }

    [Fact]
    public async Task Needs_no_key()
    {
        await using var server = TestServer.Start(
            ("Auth:Mode", "api-key"),
            ("Auth:ApiKey", Guid.NewGuid().ToString("N"))
        );

        Assert.Equal(0, (await RunAsync("PORT={0}", server.Url.Port)).ExitCode);
    }

    [Theory]
    [InlineData("ASPNETCORE_URLS=https://+:{0}")]
    [InlineData("ASPNETCORE_URLS=https://0.0.0.0:{0};https://[::1]:{0}")]
    [InlineData("Kestrel__Endpoints__A__Url=https://0.0.0.0:{0}")]
    public async Task Trusts_the_servers_own_certificate_whoever_it_is_for(string setting)
    {
        using var certificate = new TestCertificate("mcp.example.com"); // and of nobody that this machine knows
        await using var server = TestServer.Start(
            ("urls", "https://127.0.0.1:0"),
            ("Kestrel:Certificates:Default:Path", certificate.Path),
            ("Kestrel:Certificates:Default:KeyPath", certificate.KeyPath)
        );

        var (exitCode, output, _) = await RunAsync(setting, server.Url.Port);

        Assert.Equal((0, $"https://127.0.0.1:{server.Url.Port}/health/live is alive."), (exitCode, output.Trim()));
    }

    [Theory, InlineData("NoCertificate", true), InlineData("RequireCertificate", false)]
    public async Task Asks_in_a_name_that_is_served_and_without_TLS_where_it_can(string clientCertificates, bool alone)
    {
        using var certificate = new TestCertificate("mcp.example.com");
        var port = FreePort.Find();
        Dictionary<string, string> settings = new()
        {
            ["Kestrel__Endpoints__A__Url"] = $"https://127.0.0.1:{port}",
            ["Kestrel__Endpoints__A__Sni__mcp.example.com__Certificate__Path"] = certificate.Path,
            ["Kestrel__Endpoints__A__Sni__mcp.example.com__Certificate__KeyPath"] = certificate.KeyPath,
            ["Kestrel__Endpoints__A__Sni__mcp.example.com__ClientCertificateMode"] = clientCertificates,
        };
        var plain = $"http://127.0.0.1:{FreePort.Find()}";
        if (!alone)
        {
            settings["Kestrel__Endpoints__B__Url"] = plain;
        }

        await using var server = ServerProcess.Start([], settings);
        await Wait.Until(async () =>
            (await ServerProcess.RunAsync(["health", "--timeout", "300"], settings)).ExitCode == 0
        );
    }

    [Fact]
    public async Task Finds_a_server_that_listens_on_a_socket()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "a path of Windows is another");
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.sock");
        var settings = new Dictionary<string, string> { ["ASPNETCORE_URLS"] = $"http://unix:{path}" };

        await using var server = ServerProcess.Start([], settings);

        await Wait.Until(async () =>
            (await ServerProcess.RunAsync(["health", "--timeout", "300"], settings)).ExitCode == 0
        );
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
        string setting,
        int port,
        int timeout = 300
    )
    {
        var (name, value) = (setting.Split('=')[0], setting.Split('=')[1]);
        return ServerProcess.RunAsync(
            ["health", "--timeout", $"{timeout}"],
            new Dictionary<string, string> { [name] = value.Replace("{0}", $"{port}", StringComparison.Ordinal) }
        );
    }
}
