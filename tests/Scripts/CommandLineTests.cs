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
            [
                "health",
                "backup",
                "restore",
                "verify-audit",
                "export-openapi",
                "hash-password",
                "--stdio",
                "--mode",
                "--urls",
                "--version",
            ],
            word => Assert.Contains($"  {word}", output)
        );
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
    [InlineData("frobnicate", "Unknown command 'frobnicate'", "--help")]
    [InlineData("--studio", "'--studio'", "Did you mean '--stdio'?")]
    [InlineData("--mod rest", "'--mod'", "Did you mean '--mode'?")]
    [InlineData("--port 80", "Unknown switch '--port'", "--help")]
    [InlineData("backup x.db --forse", "Unknown switch '--forse'", "--help")]
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
    [InlineData("Hub__Servers__a__Comand=npx", "Hub:Servers:a:Comand is not", "Did you mean Hub:Servers:a:Command?")]
    [InlineData("Hub__Servers__a__Command=bash", "Hub:Servers:a: command must be one of npx")]
    [InlineData("Hub__File=/nowhere/mcp.json", "/nowhere/mcp.json (Hub:File) cannot be read")]
    [InlineData("--Server:KnowProxies=10.0.0.1", "Server:KnowProxies", "Did you mean Server:KnownProxies?")]
    public async Task A_wrong_setting_stops_the_start_with_a_sentence(string setting, params string[] expected)
    {
        var (name, value) = (setting.Split('=')[0], setting.Split('=')[1]);
        var (exitCode, output, errors) = name.StartsWith("--", StringComparison.Ordinal)
            ? await ServerProcess.RunAsync([setting])
            : await ServerProcess.RunAsync(
                ["--urls", "http://127.0.0.1:0"],
                new Dictionary<string, string> { [name] = value }
            );

        Assert.Equal((1, ""), (exitCode, output));
        Assert.StartsWith("The server did not start.", errors);
        Assert.DoesNotContain("   at ", errors);
        Assert.All(expected, text => Assert.Contains(text, errors));
    }

    [Fact]
    public async Task An_unknown_setting_of_another_section_is_a_warning_and_foreign_sections_are_ignored()
    {
        await using var server = ServerProcess.Start(
            ["--stdio", "--Storage:Pth=x", "--Acme:Anything=1", "--Kestrel:Limits:MaxConcurrentConnections=10"],
            new Dictionary<string, string> { ["Server__Farm"] = "b" }
        );
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
                ["--stdio", "--config", file],
                new Dictionary<string, string> { ["OAUTH2_ISSUER"] = "https://a.example" },
                folder.FullName
            );
            await server.SendAsync(Wire.Ping + "\n");
            await server.ReceiveAsync();
            var (exitCode, _, errors) = await server.EndAsync();

            Assert.Equal(0, exitCode);
            Assert.StartsWith("From a file ", errors);
            Assert.Contains(
                $"  settings     {Path.Combine(AppContext.BaseDirectory, "appsettings.json")}, {file}\n",
                errors
            );
            Assert.Contains("  no effect    OAUTH2_ISSUER: auth mode none uses no identity provider", errors);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_published_program_reads_its_users_folder_unless_a_file_is_named()
    {
        var home = Directory.CreateTempSubdirectory("home");
        try
        {
            var mine = Path.Combine(home.CreateSubdirectory("minimal-mcp").FullName, "appsettings.json");
            File.WriteAllText(mine, """{"Server":{"Name":"Of the user"},"Auth":{"Mode":"nonsense"}}""");
            var named = Path.Combine(home.FullName, "named.json");
            File.WriteAllText(named, """{"Server":{"Name":"Of the file"}}""");
            var beside = Path.Combine(AppContext.BaseDirectory, "appsettings.json");

            // The environment, where the mode is none, wins over both.
            Assert.Equal(("Of the user", $"{beside}, {mine}"), await BannerAsync(home.FullName));
            Assert.Equal(("Of the file", $"{beside}, {named}"), await BannerAsync(home.FullName, "--config", named));
            Assert.Equal(beside, (await BannerAsync(home.FullName + "/minimal-mcp")).Files);
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }

    /// <summary>The text of a file, and what is said of it.</summary>
    public static TheoryData<string, string, string> Broken =>
        new()
        {
            {
                "mine.json",
                "{\n  \"Auth\": {\n    \"Mode\": \"api-key\"\n    \"ApiKey\": \"s3cret\"\n  }\n}",
                "line 4, position 5: '\"' is invalid after a value"
            },
            { "mine.json", "{\n  \"Auth\": { \"Mode\": true-s3cret }\n}", "line 2" },
            {
                "mine.json",
                "{\n  \"Auth\": { \"ApiKey\": tru3-s3cret }\n}",
                "line 2, position 26: text must stand in double quotes."
            },
            { "mine.json", "{\n  \"Auth\": {", "line 2, position 12: Expected depth to be zero" },
            { "mine.json", "", "line 1, position 1: The input does not contain any JSON tokens" },
            { "mine.json", "[1]", "Top-level JSON element must be an object" },
            { "mine.json", "{\"a\":1,\"A\":2}", "A duplicate key 'A' was found" },
            { "appsettings.json", "{\n  \"Auth\": }", "line 2, position 11: '}' is an invalid start of a value" },
            { "appsettings.Production.json", "{", "line 1, position 2" },
            { ".env", "# keys\nMCP_API_KEY s3cret\n", "line 2: write NAME=value" },
            { ".env", "export MCP_API_KEY=s3cret\n", "line 1: write NAME=value" },
            {
                ".env",
                "A=1\n\nMCP_API_KEY=\"s3cret\n",
                "line 3: the quote \" that begins the value of MCP_API_KEY is not closed"
            },
            { ".env.local", "A='b\\' s3cret\n", "line 1: the quote ' that begins the value of A is not closed" },
        };

    [Theory, MemberData(nameof(Broken))]
    public async Task A_file_that_is_not_well_formed_is_named_with_its_line_and_nothing_else_of_it(
        string name,
        string text,
        string expected
    )
    {
        var folder = Directory.CreateTempSubdirectory("broken");
        try
        {
            var file = Path.Combine(folder.FullName, name);
            File.WriteAllText(file, text);
            var (exitCode, output, errors) = await ServerProcess.RunAsync(
                name == "mine.json" ? ["--stdio", "--config", file] : ["--stdio", "--contentRoot", folder.FullName]
            );

            Assert.Equal((1, ""), (exitCode, output));
            Assert.StartsWith($"The server did not start:\n  - {file}", errors);
            Assert.Contains(expected, errors);
            Assert.DoesNotContain("s3cret", errors);
            Assert.DoesNotContain("   at ", errors);
            Assert.Equal(2, errors.Trim().Split('\n').Length);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Values_over_several_lines_and_comments_are_fine_in_a_file_of_variables()
    {
        var folder = Directory.CreateTempSubdirectory("fine");
        try
        {
            File.WriteAllText(
                Path.Combine(folder.FullName, ".env"),
                "# a comment\n\nNOTE=\"several\nlines, no sign\n\"\nServer__Name='In quotes'\nEMPTY=\n"
            );

            Assert.Equal("In quotes", (await BannerAsync("/nowhere", "--contentRoot", folder.FullName)).Name);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<(string Name, string Files)> BannerAsync(string settings, params string[] arguments)
    {
        await using var server = ServerProcess.Start(
            ["--stdio", .. arguments],
            new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = settings }
        );
        await server.SendAsync(Wire.Ping + "\n");
        await server.ReceiveAsync();
        var (exitCode, _, errors) = await server.EndAsync();

        Assert.True(exitCode == 0, errors);
        var files = errors.Split('\n').Single(line => line.StartsWith("  settings", StringComparison.Ordinal))[15..];
        var title = errors
            .Split('\n')
            .Single(line => line.Contains("on standard input and output", StringComparison.Ordinal));
        return (title[..title.IndexOf(" 0.", StringComparison.Ordinal)], files);
    }

    [Fact]
    public async Task A_file_of_settings_that_is_not_there_stops_the_start()
    {
        var (exitCode, _, errors) = await ServerProcess.RunAsync(["--config", "/nowhere/mine.json"]);

        Assert.Equal(1, exitCode);
        Assert.Contains("--config is '/nowhere/mine.json'", errors);
    }

    [Fact]
    public async Task Settings_that_only_work_together_are_refused_apart()
    {
        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            ["--urls", "http://127.0.0.1:0"],
            new Dictionary<string, string>
            {
                ["MCP_AUTH_MODE"] = "embedded",
                ["MCP_API_KEY"] = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa",
                ["OAUTH2_ISSUER"] = "https://idp.example",
                ["Auth__Provider__AllowedDomains"] = "example.com",
            }
        );

        Assert.Equal(1, exitCode);
        Assert.Contains("Issuer, AllowedDomains but no ClientId (OAUTH2_CLIENT_ID)", errors);
    }
}
