using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Scripts;

/// <summary>What the program says to words that it knows, and to those that it does not.</summary>
[Slow]
public sealed class CommandLineTests
{
    [Theory, InlineData("--help"), InlineData("-h"), InlineData("help"), InlineData("backup --help")]
    public async Task Help_lists_commands_and_switches(string words)
    {
        var (exitCode, output, errors) = await ServerProcess.RunAsync(words.Split(' '));

        Assert.Equal((0, ""), (exitCode, errors));
        Assert.All(
            ["health", "backup", "restore", "verify-audit", "export-openapi", "hash-password", "--stdio", "--mode", "--urls", "--version"],
            word => Assert.Contains($"  {word}", output));
    }

    [Fact]
    public async Task Version_is_one_line()
    {
        var (exitCode, output, _) = await ServerProcess.RunAsync(["--version"]);

        Assert.Equal(0, exitCode);
        Assert.Matches(@"^\d+\.\d+\.\d+\n$", output.ReplaceLineEndings("\n"));
    }

    [Theory]
    [InlineData("bakcup x.db", "'bakcup'", "Did you mean 'backup'?")]
    [InlineData("frobnicate", "There is no command 'frobnicate'", "--help")]
    [InlineData("--studio", "'--studio'", "Did you mean '--stdio'?")]
    [InlineData("--mod rest", "'--mod'", "Did you mean '--mode'?")]
    [InlineData("--port 80", "There is no switch '--port'", "--help")]
    [InlineData("backup x.db --forse", "There is no switch '--forse'", "--help")]
    public async Task Unknown_words_are_refused_with_the_nearest_name(string words, params string[] expected)
    {
        var (exitCode, output, errors) = await ServerProcess.RunAsync(words.Split(' '));

        Assert.Equal((2, ""), (exitCode, output));
        Assert.All(expected, text => Assert.Contains(text, errors));
    }

    [Theory]
    [InlineData("LOG_LEVEL=LOUD", "LOG_LEVEL", "'LOUD'", "DEBUG")]
    [InlineData("MCP_SERVER_PORT=abc", "MCP_SERVER_PORT", "'abc'")]
    [InlineData("PORT=70000", "65535")]
    [InlineData("MAX_REQUEST_SIZE=much", "MAX_REQUEST_SIZE", "'much'")]
    [InlineData("Governance__Approve=chekout", "'chekout'", "Did you mean checkout?")]
    [InlineData("Governance__Deny=portainer_stop_stak", "Did you mean portainer_stop_stack?")]
    [InlineData("Governance__Aprove=checkout", "Governance:Aprove", "Did you mean Governance:Approve?")]
    [InlineData("Governance__Risk__chekout=LOW", "'chekout'")]
    [InlineData("Govermance__Deny=checkout", "Govermance:Deny")]
    [InlineData("Auth__Moed=api-key", "Auth:Moed", "Did you mean Auth:Mode?")]
    [InlineData("Hub__Commands__0=sh", "Hub:Commands:0")]
    [InlineData("--Server:KnowProxies=10.0.0.1", "Server:KnowProxies", "Did you mean Server:KnownProxies?")]
    public async Task A_wrong_setting_stops_the_start_with_a_sentence(string setting, params string[] expected)
    {
        var (name, value) = (setting.Split('=')[0], setting.Split('=')[1]);
        var (exitCode, output, errors) = name.StartsWith("--", StringComparison.Ordinal)
            ? await ServerProcess.RunAsync([setting])
            : await ServerProcess.RunAsync(["--urls", "http://127.0.0.1:0"], new Dictionary<string, string> { [name] = value });

        Assert.Equal((1, ""), (exitCode, output));
        Assert.StartsWith("The server did not start.", errors);
        Assert.DoesNotContain("   at ", errors);
        Assert.All(expected, text => Assert.Contains(text, errors));
    }

    [Fact]
    public async Task A_setting_of_another_section_that_nobody_reads_is_a_warning_and_sections_of_others_are_not_looked_at()
    {
        await using var server = ServerProcess.Start(
            ["--stdio", "--Storage:Pth=x", "--Acme:Anything=1", "--Kestrel:Limits:MaxConcurrentConnections=10"],
            new Dictionary<string, string> { ["Server__Farm"] = "b" });
        await server.SendAsync(Wire.Ping + "\n");
        await server.ReceiveAsync();
        var (exitCode, _, errors) = await server.EndAsync();

        Assert.Equal(0, exitCode);
        Assert.Contains("Storage:Pth is not a setting. Did you mean Storage:Path?", errors);
        Assert.Contains("Server:Farm is not a setting", errors);
        Assert.DoesNotContain("Acme", errors);
        Assert.DoesNotContain("Kestrel", errors);
    }

    [Fact]
    public async Task Settings_of_the_current_folder_are_never_read_and_those_of_config_are()
    {
        var folder = Directory.CreateTempSubdirectory("elsewhere");
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "appsettings.json"), """{"Auth":{"Mode":"nonsense"}}""");
            File.WriteAllText(Path.Combine(folder.FullName, ".env"), "MCP_SERVER_PORT=nonsense\n");
            var file = Path.Combine(folder.FullName, "mine.json");
            File.WriteAllText(file, """{"Server":{"Name":"From a file"},"Auth":{"RateLimitPerMinute":7}}""");

            await using var server = ServerProcess.Start(
                ["--stdio", "--config", file], new Dictionary<string, string> { ["OAUTH2_ISSUER"] = "https://a.example" }, folder.FullName);
            await server.SendAsync(Wire.Ping + "\n");
            await server.ReceiveAsync();
            var (exitCode, _, errors) = await server.EndAsync();

            Assert.Equal(0, exitCode);
            Assert.StartsWith("From a file ", errors);
            Assert.Contains($"  settings     {Path.Combine(AppContext.BaseDirectory, "appsettings.json")}, {file}\n", errors);
            Assert.Contains("  no effect    OAUTH2_ISSUER: auth mode none asks no identity provider", errors);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_file_of_settings_that_is_not_there_stops_the_start()
    {
        var (exitCode, _, errors) = await ServerProcess.RunAsync(["--config", "/nowhere/mine.json"]);

        Assert.Equal(1, exitCode);
        Assert.Contains("--config names '/nowhere/mine.json'", errors);
    }

    [Fact]
    public async Task Settings_that_only_work_together_are_refused_apart()
    {
        var (exitCode, _, errors) = await ServerProcess.RunAsync(["--urls", "http://127.0.0.1:0"], new Dictionary<string, string>
        {
            ["MCP_AUTH_MODE"] = "embedded",
            ["MCP_API_KEY"] = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa",
            ["OAUTH2_ISSUER"] = "https://idp.example",
            ["Auth__Provider__AllowedDomains"] = "example.com",
        });

        Assert.Equal(1, exitCode);
        Assert.Contains("Issuer, AllowedDomains and no ClientId (OAUTH2_CLIENT_ID)", errors);
    }
}
