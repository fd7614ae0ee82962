using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Hub;

namespace MinimalMcp.Tests.Hub;

/// <summary>Servers of the settings and of a file in the form of Claude and VS Code.</summary>
public sealed class ConfiguredServerTests : IDisposable
{
    private const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa";

    private static readonly (string, string)[] Settings = [("Auth:Mode", "api-key"), ("Auth:ApiKey", Key)];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("configured");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Mcp => Path.Combine(_folder.FullName, "mcp.json");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Servers_of_the_settings_are_registered_shown_with_their_source_and_changed_by_the_settings_alone()
    {
        (string, string)[] settings =
        [
            .. Settings,
            ("Storage:Path", Path.Combine(_folder.FullName, "hub.db")),
            ("Hub:Servers:GitHub.Issues:Url", "https://a.example/mcp"),
            ("Hub:Servers:GitHub.Issues:Headers:Authorization", "Bearer t0ps3cret"),
            ("Hub:Servers:GitHub.Issues:Disabled", "true"),
            ("Hub:Servers:local:Command", "npx"),
            ("Hub:Servers:local:Args:0", "-y"),
            ("Hub:Servers:local:Args:1", "local-server@1.2.3"),
            ("Hub:Servers:local:Env:Token", "t0ps3cret"),
            ("Hub:Servers:local:Disabled", "true"),
        ];
        await using (var server = TestServer.Start(settings))
        {
            var listed = await ListAsync(server);
            Assert.DoesNotContain("t0ps3cret", JsonSerializer.Serialize(listed));
            var remote = listed["github-issues"];
            Assert.Equal("configuration", remote.GetProperty("source").GetString());
            Assert.Equal("bearer", remote.GetProperty("auth_type").GetString());
            Assert.Equal("inactive", remote.GetProperty("status").GetString());
            Assert.Equal("***", listed["local"].GetProperty("env").GetProperty("Token").GetString());

            var id = remote.GetProperty("id").GetInt64();
            var path = $"/api/v1/servers/{id}";
            await RefusedAsync(server, "PUT", path, """{"description":"mine"}""", "comes from the configuration");
            await RefusedAsync(server, "DELETE", path, null, "comes from the configuration");
            await SendAsync(server, "POST", path + "/stop", null);

            const string Own = """
                {"name":"own","transport_type":"http","url":"https://o.example/","auto_restart":false}
                """;
            var own = await SendAsync(server, "POST", "/api/v1/servers", Own);
            Assert.Equal("api", own.GetProperty("source").GetString());
        }

        // One changed, one gone; what somebody registered stays.
        settings = [.. settings[..6], ("Hub:Servers:GitHub.Issues:Description", "issues")];
        await using (var server = TestServer.Start(settings))
        {
            var listed = await ListAsync(server);
            Assert.Equal(["github-issues", "own"], listed.Keys.Order());
            Assert.Equal("issues", listed["github-issues"].GetProperty("description").GetString());
            Assert.Equal(1, listed["github-issues"].GetProperty("id").GetInt64());
        }
    }

    [Fact]
    public async Task A_file_is_followed_and_left_alone_while_it_is_malformed()
    {
        Environment.SetEnvironmentVariable("CONFIGURED_SERVER_TEST", "t0ps3cret");
        await WriteAsync(
            """
            {
              // as an editor has it
              "mcpServers": {
                "one": {
                  "command": "npx", "args": ["-y", "one"], "disabled": true,
                  "env": { "K": "${env:CONFIGURED_SERVER_TEST}" },
                },
                "two": {
                  "type": "http", "url": "https://two.example/mcp", "disabled": true,
                  "headers": { "X-Key": "${CONFIGURED_SERVER_TEST}" },
                },
              },
            }
            """
        );
        await using var server = TestServer.Start([.. Settings, ("Hub:File", Mcp)]);
        var listed = await ListAsync(server);
        Assert.Equal(["one", "two"], listed.Keys.Order());
        Assert.Equal("api_key", listed["two"].GetProperty("auth_type").GetString());
        Assert.Contains("without a version", listed["one"].GetProperty("warnings")[0].GetString());
        Assert.Empty(listed["two"].GetProperty("warnings").EnumerateArray());
        Assert.DoesNotContain("t0ps3cret", JsonSerializer.Serialize(listed));

        await WriteAsync("""{"servers": {"one": {"command": "sh", "args": ["-c", "id"]}}}""");
        await server.Services.GetRequiredService<ConfiguredServers>().SynchronizeAsync(Stop);
        Assert.Equal(2, (await ListAsync(server)).Count);
        const string New = "https://new.example/mcp";
        await WriteAsync($$"""{"inputs": [], "servers": {"two": {"url": "{{New}}", "disabled": true} } }""");
        await Wait.Until(async () => (await ListAsync(server))["two"].GetProperty("url").GetString() == New);
        listed = await ListAsync(server);
        Assert.Equal("two", Assert.Single(listed).Key);
        Assert.Equal("none", listed["two"].GetProperty("auth_type").GetString());

        // Enabled again, it is started, as nobody but the file stopped it.
        Assert.Equal("inactive", listed["two"].GetProperty("status").GetString());
        await WriteAsync($$"""{"servers": {"two": {"url": "{{New}}"} } }""");
        await Wait.Until(async () => (await ListAsync(server))["two"].GetProperty("status").GetString() != "inactive");
    }

    [Theory]
    [InlineData("{", "line 1 is not JSON")]
    [InlineData("[]", "must be an object")]
    [InlineData("{}", "one of mcpServers and servers")]
    [InlineData("""{"mcpServers":{},"servers":{}}""", "one of mcpServers and servers")]
    [InlineData("""{"mcpServer":{}}""", "'mcpServer' is not known")]
    [InlineData("""{"servers":[]}""", "must be an object")]
    [InlineData("""{"servers":{"a":5}}""", "server 'a' must be an object")]
    [InlineData("""{"servers":{},"inputs":[{"id":"k"}]}""", "nobody to ask")]
    [InlineData("""{"servers":{"a":{"command":"npx","args":["a"],"env":{"K":"${input:k}"}}}}""", "nobody to ask")]
    [InlineData("""{"servers":{"a":{"command":"npx","args":["${workspaceFolder}"]}}}""", "only an editor|not set")]
    [InlineData("""{"servers":{"a":{"command":"npx","args":["${env:NOWHERE_SET}"]}}}""", "NOWHERE_SET is not set")]
    [InlineData("""{"servers":{"a":{"command":"npx","args":["${file:/etc/passwd}"]}}}""", "only an editor")]
    [InlineData("""{"servers":{"a":{"command":"npx","args":["a"],"envFile":".env"}}}""", "'envFile' is not supported")]
    [InlineData("""{"servers":{"a":{"command":"npx","args":["a"],"cwd":"/"}}}""", "'cwd' is not supported")]
    [InlineData("""{"servers":{"a":{"command":"npx","args":"a"}}}""", "args must be an array")]
    [InlineData("""{"servers":{"a":{"command":"npx","args":[1]}}}""", "args must be text")]
    [InlineData("""{"servers":{"a":{"command":"npx","args":["a"],"disabled":"no"}}}""", "disabled must be true")]
    [InlineData("""{"servers":{"a":{"command":"npx","args":["a"],"names":"mine"}}}""", "names must be prefixed or own")]
    [InlineData("""{"servers":{"a":{"command":"npx","args":["a"],"max_restarts":-1}}}""", "MaxRestarts must be")]
    [InlineData("""{"servers":{"a":{"command":"npx","args":["a"],"risk":"NONE"}}}""", "risk must be one of")]
    [InlineData("""{"servers":{"a":{"command":"/bin/sh"}}}""", "command must be one of")]
    [InlineData("""{"servers":{"a":{"command":"npx","args":["a"],"env":{"LD_PRELOAD":"x"}}}}""", "env must not set")]
    [InlineData("""{"servers":{"a":{"command":"docker","args":["run","-i","--privileged","x"]}}}""", "--privileged")]
    [InlineData("""{"servers":{"a":{}}}""", "command is missing")]
    [InlineData("""{"servers":{"a":{"url":"file:///etc/passwd"}}}""", "url must be")]
    [InlineData("""{"servers":{"a":{"command":"npx","url":"https://a.example"}}}""", "a command and a url")]
    [InlineData("""{"servers":{"a":{"url":"https://a.example","type":"ws"}}}""", "type must be")]
    [InlineData("""{"servers":{"a":{"url":"https://a.example","headers":{"A":"b","C":"d"}}}}""", "more than one entry")]
    [InlineData("""{"servers":{"a":{"command":"npx","args":["a"],"headers":{"A":"b"}}}}""", "with a url")]
    [InlineData("""{"servers":{"A b":{"url":"https://a.com"},"a-b":{"url":"https://a.com"}}}""", "is named a-b")]
    [InlineData("""{"servers":{"a":{"url":"https://a.example"},"a":{"url":"https://a.example"}}}""", "duplicate name")]
    [InlineData("""{"servers":{"ä":{"url":"https://a.example"}}}""", "name must have")]
    public async Task A_malformed_file_fails_the_start_with_a_sentence(string json, string sentences)
    {
        await WriteAsync(json);
        var failure = Reader("api-key").Validate(null, new() { File = Mcp }).FailureMessage!;
        Assert.StartsWith($"{Mcp} (Hub:File)", failure);
        Assert.Contains(sentences.Split('|'), sentence => failure.Contains(sentence, StringComparison.Ordinal));
    }

    [Fact]
    public void Commands_without_authentication_and_more_servers_than_may_run_fail_the_start_too()
    {
        var options = new HubOptions { MaxConcurrentServers = 1 };
        options.Servers["a"] = new() { Command = "npx", Args = ["a@1.2.3"] };
        Assert.Contains("Hub:CommandsWithoutAuth", Reader("none").Validate(null, options).FailureMessage);
        Assert.True(Reader("api-key").Validate(null, options).Succeeded);

        options.Servers["b"] = new() { Url = "https://b.example" };
        Assert.Contains("MAX_CONCURRENT_SERVERS", Reader("api-key").Validate(null, options).FailureMessage);
        options.Servers["b"].Disabled = true;
        Assert.True(Reader("api-key").Validate(null, options).Succeeded);
    }

    [Theory]
    [InlineData("npx", "-y @scope/a@1.2.3 --flag", true)]
    [InlineData("npx", "-y @scope/a", false)]
    [InlineData("npx", "-y a@latest", false)]
    [InlineData("npx", "-p a@1.2.3 bin", true)]
    [InlineData("npx", "--package=a bin@1.2.3", false)]
    [InlineData("npx", "./here", true)]
    [InlineData("uvx", "a==1.2.3", true)]
    [InlineData("uvx", "a@1.2.3", true)]
    [InlineData("uvx", "a", false)]
    [InlineData("uvx", "--from a[b]==1.2.3 tool", true)]
    [InlineData("uvx", "--from git+https://example.com/a tool", false)]
    [InlineData("uvx", "--python 3.13 a==1.0", true)]
    [InlineData("docker", "run -i a:1.2", true)]
    [InlineData("docker", "run -i r.example:5000/a", false)]
    [InlineData("docker", "run -i a:latest", false)]
    [InlineData("docker", "run -i a@sha256:00ff", true)]
    [InlineData("python", "server.py", true)]
    public void What_has_no_version_is_warned_of(string command, string args, bool isFixed)
    {
        var server = Upstream.Named("a") with { Command = command, Args = args.Split(' ') };
        Assert.Equal(isFixed, PackageVersions.Warnings(server).Count == 0);
    }

    private static ConfiguredServerReader Reader(string mode) =>
        new(new HostingEnvironment { ContentRootPath = "/" }, Options.Create(new AuthOptions { Mode = mode }));

    private Task WriteAsync(string json) => File.WriteAllTextAsync(Mcp, json, Stop);

    private static async Task<Dictionary<string, JsonElement>> ListAsync(TestServer server) =>
        (await SendAsync(server, "GET", "/api/v1/servers", null))
            .EnumerateArray()
            .ToDictionary(entry => entry.GetProperty("name").GetString()!);

    private static async Task RefusedAsync(TestServer server, string method, string path, string? body, string why)
    {
        var (status, json) = await TryAsync(server, method, path, body);
        Assert.Equal(409, status);
        Assert.Contains(why, json.GetProperty("detail").GetString());
    }

    private static async Task<JsonElement> SendAsync(TestServer server, string method, string path, string? body)
    {
        var (status, json) = await TryAsync(server, method, path, body);
        Assert.True(status == 200, $"{status} {json}");
        return json;
    }

    private static async Task<(int, JsonElement)> TryAsync(TestServer server, string method, string path, string? body)
    {
        using var request = new HttpRequestMessage(new(method), path);
        request.Headers.Authorization = new("Bearer", Key);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await server.Http.SendAsync(request, Stop);
        return ((int)answer.StatusCode, JsonElement.Parse(await answer.Content.ReadAsStringAsync(Stop)));
    }
}
