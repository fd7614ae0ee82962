using System.Net;
using System.Net.Sockets;

namespace MinimalMcp.Tests.Protocol;

/// <summary>What the program does with its settings before it listens.</summary>
[Slow]
public sealed class StartTests
{
    [Theory]
    [InlineData("--urls=http://0.0.0.0:0", "")]
    [InlineData("--urls=http://127.0.0.1:0;http://*:0", "")]
    [InlineData("--urls=http://[::]:0", "")]
    [InlineData("--Kestrel:Endpoints:A:Url=http://0.0.0.0:0", "")]
    [InlineData("", "MCP_SERVER_HOST=0.0.0.0")]
    [InlineData("", "ASPNETCORE_URLS=http://+:0")]
    public async Task Without_authentication_it_listens_on_this_machine_only(string argument, string variable)
    {
        var (exitCode, output, errors) = await ServerProcess.RunAsync(
            argument.Length > 0 ? [argument] : [],
            Variables(variable)
        );

        Assert.Equal((1, ""), (exitCode, output));
        Assert.Contains("One setting is wrong", errors, StringComparison.Ordinal);
        Assert.Contains("MCP_AUTH_MODE", errors, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_setting_that_is_wrong_is_told_at_once_with_its_names_and_the_cure()
    {
        var (exitCode, output, errors) = await ServerProcess.RunAsync(
            ["--mode=x", "--Mcp:KeepAlive=00:00:00"],
            Variables(
                "MCP_SERVER_PORT=99999",
                "PUBLIC_URL=foo",
                "MCP_AUTH_MODE=x",
                "MAX_REQUEST_SIZE=1",
                "CORS_ORIGINS=foo"
            )
        );

        Assert.Equal((1, ""), (exitCode, output));
        foreach (
            var part in (string[])
                [
                    "--mode is 'x'",
                    "MCP_SERVER_PORT",
                    "65535",
                    "PUBLIC_URL",
                    "'foo'",
                    "https://",
                    "MCP_AUTH_MODE",
                    "MAX_REQUEST_SIZE",
                    "CORS_ORIGINS",
                    "Mcp:KeepAlive",
                    "7 settings are wrong",
                ]
        )
        {
            Assert.True(errors.Contains(part, StringComparison.Ordinal), $"'{part}' is missing in:\n{errors}");
        }

        AssertNoStack(errors);
    }

    [Theory]
    [InlineData("MCP_SERVER_PORT=abc", "Server:Port")]
    [InlineData("MAX_REQUEST_SIZE=big", "Server:MaxRequestBytes")]
    [InlineData("Mcp__SessionIdle=soon", "Mcp:SessionIdle")]
    public async Task A_setting_that_cannot_be_read_is_told_too(string variable, string setting)
    {
        var (exitCode, _, errors) = await ServerProcess.RunAsync([], Variables(variable));

        Assert.Equal(1, exitCode);
        Assert.Contains(setting, errors, StringComparison.Ordinal);
        AssertNoStack(errors);
    }

    [Theory]
    [InlineData("from-env-file", false, false, false)]
    [InlineData("from-local-file", true, false, false)]
    [InlineData("from-environment", true, true, false)]
    [InlineData("from-command-line", true, true, true)]
    public async Task The_nearest_setting_wins(string expected, bool local, bool environment, bool commandLine)
    {
        var folder = Directory.CreateTempSubdirectory("mcp").FullName;
        await File.WriteAllTextAsync(
            Path.Combine(folder, ".env"),
            "# a comment\nPUBLIC_URL=from-env-file\n",
            TestContext.Current.CancellationToken
        );
        if (local)
        {
            await File.WriteAllTextAsync(
                Path.Combine(folder, ".env.local"),
                "PUBLIC_URL=\"from-local-file\"\n",
                TestContext.Current.CancellationToken
            );
        }

        // The wrong value is named in the error: that shows which one was read.
        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            [
                "--contentRoot",
                folder,
                .. commandLine ? ["--Server:PublicUrl=from-command-line"] : Array.Empty<string>(),
            ],
            environment ? Variables("PUBLIC_URL=from-environment") : null,
            folder
        );

        Directory.Delete(folder, recursive: true);
        Assert.Equal(1, exitCode);
        Assert.Contains($"'{expected}'", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_a_sentence()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        var (exitCode, _, errors) = await ServerProcess.RunAsync([], Variables($"MCP_SERVER_PORT={port}"));

        Assert.Equal(1, exitCode);
        Assert.Contains($"{port}", errors, StringComparison.Ordinal);
        Assert.Contains("MCP_SERVER_PORT", errors, StringComparison.Ordinal);
        AssertNoStack(errors);
    }

    private static void AssertNoStack(string errors) =>
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);

    private static Dictionary<string, string> Variables(params string[] variables) =>
        variables
            .Where(variable => variable.Length > 0)
            .Select(variable => variable.Split('=', 2))
            .ToDictionary(parts => parts[0], parts => parts[1]);
}
