using System.Net;
using System.Text;
using System.Text.Json;

namespace MinimalMcp.Tests.Hub;

/// <summary>The routes that register servers, with the guide's bodies.</summary>
public sealed class ServerRouteTests
{
    private const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa";
    private const string Writer = "Zk7Qw2Rt9Yb4Nm6Xc1Vp8Ls3Hd5Jf0Ga";

    private const string N8n = """
        {
            "name": "n8n-automation",
            "description": "n8n workflow automation and node documentation",
            "command": "npx",
            "args": ["@n8n-mcp/server"],
            "env": {
              "N8N_API_URL": "https://your-n8n-instance.com",
              "N8N_API_KEY": "your-n8n-api-key"
            },
            "transport_type": "stdio",
            "auto_restart": true
        }
        """;

    // A server that runs without the network, in place of the guide's package.
    private static string StandIn =>
        JsonSerializer.Serialize(new { command = "node", args = new[] { HubServer.Script() } });

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static TestServer Start(params (string, string)[] settings) =>
        TestServer.Start([
            ("Auth:Mode", "api-key"),
            ("Auth:ApiKey", Key),
            ("Auth:ApiKeys:writer:Key", Writer),
            ("Auth:ApiKeys:writer:Scopes", "mcp:read mcp:write"),
            .. settings,
        ]);

    [Fact]
    public async Task A_server_of_the_guide_is_registered_shown_changed_stopped_and_deleted()
    {
        await using var server = Start();

        var created = await SendAsync(server, "POST", "", N8n);
        Assert.Equal(1, created.GetProperty("id").GetInt64());
        Assert.Equal("***", created.GetProperty("env").GetProperty("N8N_API_KEY").GetString());
        Assert.Equal("@n8n-mcp/server", created.GetProperty("args")[0].GetString());
        Assert.Equal("none", created.GetProperty("auth_type").GetString());
        Assert.Equal(3, created.GetProperty("max_restarts").GetInt32());
        Assert.Equal(60, created.GetProperty("health_check_interval").GetInt32());
        await RefusedAsync(server, "POST", "", N8n, 400, "Server name already exists");

        var listed = await SendAsync(server, "GET", "", null, Writer);
        Assert.Equal("***", Assert.Single(listed.EnumerateArray()).GetProperty("args")[0].GetString());
        var changed = await SendAsync(server, "PUT", "/1", """{"description":"d","env":{"N8N_API_KEY":"***"}}""");
        Assert.Equal("d", changed.GetProperty("description").GetString());
        Assert.Single(changed.GetProperty("env").EnumerateObject());

        await SendAsync(server, "PUT", "/1", StandIn);
        foreach (
            var (verb, message) in ((string, string)[])[("start", "started"), ("stop", "stopped"), ("stop", "stopped")]
        )
        {
            var done = await SendAsync(server, "POST", $"/1/{verb}", null);
            Assert.Equal($"Server {message} successfully", done.GetProperty("message").GetString());
        }

        await SendAsync(server, "DELETE", "/1", null);
        await RefusedAsync(server, "GET", "/1", null, 404, "Server not found");
    }

    [Theory]
    [InlineData("""{"command":"/bin/sh"}""", 400)]
    [InlineData("""{"command":"bash"}""", 400)]
    [InlineData("""{"command":"npx; rm","args":["a"]}""", 400)]
    [InlineData("""{"command":"../npx","args":["a"]}""", 400)]
    [InlineData("""{"command":"node","args":["-e","1"]}""", 400)]
    [InlineData("""{"command":"node","args":["--inspect","a.js"]}""", 400)]
    [InlineData("""{"command":"python","args":["-X","utf8","-c","1"]}""", 400)]
    [InlineData("""{"command":"python3","args":["-uc","1"]}""", 400)]
    [InlineData("""{"command":"python","args":["-"]}""", 400)]
    [InlineData("""{"command":"npx","args":["-c","ls"]}""", 400)]
    [InlineData("""{"command":"npx","args":["-p","x","/bin/sh","-c","ls"]}""", 400)]
    [InlineData("""{"command":"npx","args":["-y","node@22","-e","1"]}""", 400)]
    [InlineData("""{"command":"npx","args":["a\nb"]}""", 400)]
    [InlineData("""{"command":"npx","args":["a"],"env":{"LD_PRELOAD":"x"}}""", 400)]
    [InlineData("""{"command":"npx","args":["a"],"env":{"node_options":"x"}}""", 400)]
    [InlineData("""{"command":"npx","args":["a"],"env":{"PATH":"x"}}""", 400)]
    [InlineData("""{"command":"npx","args":["a"],"env":{"A=B":"x"}}""", 400)]
    [InlineData("""{"command":"npx","args":["a"],"env":{"A":"x\u0000"}}""", 400)]
    [InlineData("""{"command":"npx","args":["a"],"name":"Not a name"}""", 422)]
    [InlineData("""{"command":"npx","args":"a"}""", 422)]
    [InlineData("""{"command":"npx","argz":[]}""", 422)]
    [InlineData("""{"transport_type":"stdio"}""", 422)]
    [InlineData("""{"transport_type":"http"}""", 422)]
    [InlineData("""{"transport_type":"http","url":"http://169.254.169.254/mcp"}""", 422)]
    [InlineData("""{"transport_type":"http","url":"file:///etc/passwd"}""", 422)]
    [InlineData("""{"transport_type":"carrier"}""", 422)]
    public async Task What_could_run_other_code_is_refused_with_a_sentence(string body, int status)
    {
        await using var server = Start();
        var named = body.Contains("\"name\"", StringComparison.Ordinal) ? body : """{"name":"x",""" + body[1..];
        await RefusedAsync(server, "POST", "", named, status, null);
        Assert.Empty((await SendAsync(server, "GET", "", null)).EnumerateArray());
    }

    [Fact]
    public async Task Commands_need_the_scope_admin_and_remote_servers_the_scope_write()
    {
        await using var server = Start();
        const string Remote = """
            {"name":"r","transport_type":"http","url":"https://a.example/mcp",
            "auth_type":"bearer","auth_config":{"token":"t0ps3cret"}}
            """;

        await RefusedAsync(server, "POST", "", N8n, 403, null, Writer);
        var created = await SendAsync(server, "POST", "", Remote, Writer);
        Assert.Equal("***", created.GetProperty("url").GetString());
        await RefusedAsync(server, "PUT", "/1", """{"url":"https://evil.example/mcp"}""", 403, null, Writer);
        await RefusedAsync(server, "PUT", "/1", """{"command":"npx","args":["a"]}""", 403, null, Writer);
        using var nobody = await server.Http.GetAsync(new Uri("/api/v1/servers", UriKind.Relative), Stop);
        Assert.Equal(HttpStatusCode.Unauthorized, nobody.StatusCode);
    }

    [Fact]
    public async Task The_number_of_started_servers_is_limited_by_the_setting()
    {
        await using var server = Start(("Hub:MaxConcurrentServers", "1"));
        await SendAsync(server, "POST", "", N8n);
        var second = N8n.Replace("n8n-automation", "second", StringComparison.Ordinal);
        await RefusedAsync(server, "POST", "", second, 409, "MAX_CONCURRENT_SERVERS");
        await SendAsync(server, "POST", "", second.Replace("true", "false", StringComparison.Ordinal));
        await RefusedAsync(server, "POST", "/2/start", null, 409, "MAX_CONCURRENT_SERVERS");
        await SendAsync(server, "POST", "/1/stop", null);
        await SendAsync(server, "PUT", "/2", StandIn);
        await SendAsync(server, "POST", "/2/start", null);
    }

    [Fact]
    public async Task Without_authentication_commands_and_pages_of_other_origins_are_refused()
    {
        await using var server = TestServer.Start();
        await RefusedAsync(server, "POST", "", N8n, 403, "Hub:CommandsWithoutAuth");

        await using var open = TestServer.Start(("Hub:CommandsWithoutAuth", "true"));
        using var foreign = await open.PostAsync("/api/v1/servers", N8n, headers: ("Sec-Fetch-Site", "cross-site"));
        Assert.Equal(HttpStatusCode.Forbidden, foreign.StatusCode);
        await SendAsync(open, "POST", "", N8n);
    }

    [Fact]
    public async Task No_secret_is_in_the_database()
    {
        var folder = Directory.CreateTempSubdirectory("hub-secrets");
        await using (var server = Start(("Storage:Path", Path.Combine(folder.FullName, "hub.db"))))
        {
            await SendAsync(
                server,
                "POST",
                "",
                """
                {"name":"db","command":"npx","args":["-y","pg","postgres://u:arg-s3cret@db/x"],"env":{"K":"env-s3cret"},
                "url":"https://url-s3cret.example/","auth_config":{"token":"auth-s3cret"},"auto_restart":false}
                """
            );
            Assert.Contains("arg-s3cret", (await SendAsync(server, "GET", "/1", null)).GetRawText());
        }

        // What SQLite keeps beside the database goes away when its last connection is closed.
        await Wait.Until(() => folder.GetFiles("hub.db-*").Length == 0);
        var database = await File.ReadAllBytesAsync(Path.Combine(folder.FullName, "hub.db"), Stop);
        Assert.DoesNotContain("s3cret", Encoding.Latin1.GetString(database));

        folder.Delete(recursive: true);
    }

    private static async Task<JsonElement> SendAsync(
        TestServer server,
        string method,
        string path,
        string? body,
        string key = Key
    )
    {
        var (status, json) = await TryAsync(server, method, path, body, key);
        Assert.True(status == 200, $"{status} {json}");
        return json;
    }

    private static async Task RefusedAsync(
        TestServer server,
        string method,
        string path,
        string? body,
        int status,
        string? why,
        string key = Key
    )
    {
        var (got, json) = await TryAsync(server, method, path, body, key);
        Assert.True(got == status, $"{got} {json}");
        Assert.Contains(why ?? "", json.GetProperty("detail").GetString());
        Assert.True(json.TryGetProperty("timestamp", out _));
    }

    private static async Task<(int Status, JsonElement Json)> TryAsync(
        TestServer server,
        string method,
        string path,
        string? body,
        string key
    )
    {
        using var request = new HttpRequestMessage(new(method), "/api/v1/servers" + path);
        request.Headers.Authorization = new("Bearer", key);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await server.Http.SendAsync(request, Stop);
        return ((int)answer.StatusCode, JsonElement.Parse(await answer.Content.ReadAsStringAsync(Stop)));
    }
}
