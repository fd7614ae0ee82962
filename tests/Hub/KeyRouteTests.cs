using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Auth;
using MinimalMcp.Tests.Auth.Server;
using MinimalMcp.Tests.Storage;

namespace MinimalMcp.Tests.Hub;

/// <summary>API keys that are created, used and revoked while the server runs.</summary>
public sealed class KeyRouteTests(PostgresServer postgres)
{
    private const string Admin = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa";

    private static readonly (string, string)[] Settings = [("Auth:Mode", "api-key"), ("Auth:ApiKey", Admin)];

    private const string? NoBody = null;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_is_shown_once_works_with_its_scopes_and_ends_when_it_is_revoked()
    {
        await using var server = TestServer.Start(Settings);

        const string Body = """{"name":"ci","permissions":["mcp:write","mcp:read"]}""";
        var created = await OkAsync(server, "POST", "/keys", Body);
        var key = created.GetProperty("api_key").GetString()!;
        Assert.StartsWith("mcp_", key);
        Assert.Equal(["mcp:read", "mcp:write"], Texts(created.GetProperty("permissions")));
        Assert.Equal(JsonValueKind.Null, created.GetProperty("expires_at").ValueKind);

        var listed = await OkAsync(server, "GET", "/keys");
        Assert.DoesNotContain(key[4..20], listed.GetRawText());
        Assert.Equal(
            ["id", "name", "permissions", "created_at", "last_used", "is_active", "expires_at"],
            listed[0].EnumerateObject().Select(member => member.Name)
        );
        Assert.Equal(JsonValueKind.Null, listed[0].GetProperty("last_used").ValueKind);
        Assert.True(listed[0].GetProperty("is_active").GetBoolean());

        await OkAsync(server, "GET", "/servers", key: key);
        await RefusedAsync(server, "GET", "/keys", NoBody, 403, "mcp:admin", key);
        // A command needs the scope admin, which the key does not have and cannot be given by a setting.
        const string Command = """{"name":"a","command":"npx","args":["a@1"]}""";
        await RefusedAsync(server, "POST", "/servers", Command, 403, "POST /api/v1/keys", key);
        var used = await OkAsync(server, "GET", "/keys");
        Assert.Equal(JsonValueKind.String, used[0].GetProperty("last_used").ValueKind);

        var message = await OkAsync(server, "DELETE", "/keys/1");
        Assert.Equal("API key revoked successfully", message.GetProperty("message").GetString());
        await RefusedAsync(server, "GET", "/servers", NoBody, 401, "unknown or has expired", key);
        await RefusedAsync(server, "DELETE", "/keys/1", NoBody, 404, "API key not found");
        // A number is never given twice.
        Assert.Equal(2, (await OkAsync(server, "POST", "/keys", """{"name":"ci"}""")).GetProperty("id").GetInt64());
    }

    [Theory]
    [InlineData("{}", 422, "name must have")]
    [InlineData("""{"name":5}""", 422, "name must have")]
    [InlineData("""{"name":"a b"}""", 422, "name must have")]
    [InlineData("""{"name":"local"}""", 422, "is reserved")]
    [InlineData("""{"name":"default"}""", 400, "already exists")]
    [InlineData("""{"name":"taken"}""", 400, "already exists")]
    [InlineData("""{"name":"a","permissions":[]}""", 422, "mcp:read, mcp:write")]
    [InlineData("""{"name":"a","permissions":["admin"]}""", 422, "mcp:read, mcp:write")]
    [InlineData("""{"name":"a","permissions":"mcp:read"}""", 422, "mcp:read, mcp:write")]
    [InlineData("""{"name":"a","permissions":[1]}""", 422, "mcp:read, mcp:write")]
    [InlineData("""{"name":"a","expires_at":"yesterday"}""", 422, "expires_at must be a time")]
    [InlineData("""{"name":"a","expires_at":"2020-01-01T00:00:00Z"}""", 422, "in the future")]
    [InlineData("""{"name":"a","api_key":"mine"}""", 422, "not known")]
    [InlineData("""[1]""", 422, "JSON object")]
    [InlineData("""{"name":"a","name":"b"}""", 422, "duplicate name")]
    public async Task A_key_that_is_not_well_defined_is_refused_with_a_sentence(string body, int status, string why)
    {
        await using var server = TestServer.Start(Settings);
        await OkAsync(server, "POST", "/keys", """{"name":"taken"}""");
        await RefusedAsync(server, "POST", "/keys", body, status, why);
        Assert.Single((await OkAsync(server, "GET", "/keys")).EnumerateArray());
    }

    [Fact]
    public async Task In_a_mode_without_keys_none_is_created()
    {
        await using var server = TestServer.Start();
        await RefusedAsync(server, "POST", "/keys", """{"name":"a"}""", 409, "MCP_AUTH_MODE) is none", "");
        Assert.Empty((await OkAsync(server, "GET", "/keys", key: "")).EnumerateArray());
    }

    [Fact]
    public async Task A_key_expires_and_its_stream_ends()
    {
        var time = new Clock();
        await using var server = TestServer.Start(services => services.AddSingleton<TimeProvider>(time), Settings);
        var expires = time.GetUtcNow().AddHours(1).ToString("o");
        var created = await OkAsync(server, "POST", "/keys", $$"""{"name":"short","expires_at":"{{expires}}"}""");
        var key = created.GetProperty("api_key").GetString()!;
        using var stream = await OpenStreamAsync(server, key);

        time.Ahead = TimeSpan.FromHours(2);
        await RefusedAsync(server, "GET", "/servers", NoBody, 401, "has expired", key);
        Assert.False((await OkAsync(server, "GET", "/keys"))[0].GetProperty("is_active").GetBoolean());
        await EndAsync(stream);
    }

    [Fact]
    public async Task A_key_is_known_to_another_replica_and_ends_there_too_with_its_streams()
    {
        Needs.Postgres();
        var place = await postgres.NewDatabaseAsync();
        (string, string)[] settings =
        [
            .. Settings,
            ("Storage:ConnectionString", place),
            ("Auth:Server:SecretKey", "3f9a1c77d2e84b6f9a1c77d2e84b6f3f"),
        ];
        await using var one = TestServer.Start(settings);
        await using var two = TestServer.Start(settings);

        var created = await OkAsync(one, "POST", "/keys", """{"name":"shared"}""");
        var key = created.GetProperty("api_key").GetString()!;
        await Wait.Until(() => two.Services.GetRequiredService<ApiKeys>().Find(key, out _) is not null);
        await OkAsync(two, "GET", "/servers", key: key);
        using var stream = await OpenStreamAsync(two, key);
        // Its use there is known here.
        await Wait.Until(async () =>
            (await OkAsync(one, "GET", "/keys"))[0].GetProperty("last_used").ValueKind is JsonValueKind.String
        );

        await OkAsync(one, "DELETE", "/keys/1");
        await RefusedAsync(one, "GET", "/servers", NoBody, 401, "unknown", key);
        await EndAsync(stream);
        await RefusedAsync(two, "GET", "/servers", NoBody, 401, "unknown", key);
    }

    [Fact]
    public async Task Whoever_signed_in_with_a_key_is_signed_out_when_it_is_revoked()
    {
        await using var oauth = OAuthServer.Start();
        const string Body = """{"name":"ann","permissions":["mcp:read","mcp:write"]}""";
        var created = await OkAsync(oauth.Server, "POST", "/keys", Body, OAuthServer.Key);
        var client = await oauth.RegisterAsync();
        var tokens = await oauth.SignInAsync(client, created.GetProperty("api_key").GetString()!);
        var access = tokens.GetProperty("access_token").GetString()!;
        Assert.Equal(HttpStatusCode.OK, await oauth.CallAsync(access));

        await OkAsync(oauth.Server, "DELETE", "/keys/1", key: OAuthServer.Key);

        Assert.Equal(HttpStatusCode.Unauthorized, await oauth.CallAsync(access));
        using var renewed = await oauth.RefreshAsync(client, tokens.GetProperty("refresh_token").GetString()!);
        Assert.Equal(HttpStatusCode.BadRequest, renewed.StatusCode);
    }

    [Fact]
    public async Task Keys_survive_a_restart_and_are_not_in_the_database()
    {
        var folder = Directory.CreateTempSubdirectory("keys");
        (string, string)[] settings = [.. Settings, ("Storage:Path", Path.Combine(folder.FullName, "keys.db"))];
        string key;
        await using (var server = TestServer.Start(settings))
        {
            key = (await OkAsync(server, "POST", "/keys", """{"name":"kept"}""")).GetProperty("api_key").GetString()!;
        }

        await Wait.Until(() => folder.GetFiles("keys.db-*").Length == 0); // all of it is in the one file
        foreach (var file in folder.GetFiles("keys.db*"))
        {
            var bytes = await File.ReadAllBytesAsync(file.FullName, Stop);
            Assert.DoesNotContain(key[4..], Encoding.Latin1.GetString(bytes));
        }

        await using (var again = TestServer.Start(settings))
        {
            await OkAsync(again, "GET", "/servers", key: key);
        }

        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("GET", "/keys", null, 401)]
    [InlineData("GET", "/servers", "wrong-key-wrong-key-wrong-key-wrong", 401)]
    [InlineData("GET", "/audit", null, 401)]
    [InlineData("GET", "/nothing", null, 401)]
    [InlineData("GET", "/nothing", Admin, 404)]
    [InlineData("POST", "/servers/1/nothing", Admin, 404)]
    [InlineData("PATCH", "/keys", Admin, 405)]
    [InlineData("PUT", "/servers", null, 405)]
    [InlineData("GET", "/servers/x", Admin, 422)]
    [InlineData("DELETE", "/keys/x", Admin, 422)]
    public async Task Every_error_has_detail_and_timestamp(string method, string path, string? key, int status)
    {
        await using var server = TestServer.Start(Settings);
        await RefusedAsync(server, method, path, (HttpContent?)null, status, "", key);
    }

    [Fact]
    public async Task So_have_a_wrong_type_of_body_one_that_is_too_large_and_one_request_too_many()
    {
        await using var server = TestServer.Start([
            .. Settings,
            ("Auth:RateLimitPerMinute", "3"),
            ("Server:MaxRequestBytes", "2000"),
        ]);
        using var text = new StringContent("name=a", Encoding.UTF8, "application/x-www-form-urlencoded");
        await RefusedAsync(server, "POST", "/keys", text, 415, "application/json");
        var name = new string('a', 3000);
        using var large = new StringContent($$"""{"name":"{{name}}"}""", Encoding.UTF8, "application/json");
        await RefusedAsync(server, "POST", "/keys", large, 413, "");
        await OkAsync(server, "GET", "/keys");
        await RefusedAsync(server, "GET", "/keys", NoBody, 429, "3 requests per minute");
    }

    // The quiet stream of a session of an older revision.
    private static async Task<Stream> OpenStreamAsync(TestServer server, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/sse");
        request.Headers.Authorization = new("Bearer", key);
        request.Headers.Accept.ParseAdd("text/event-stream");
        var answer = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStreamAsync(Stop);
    }

    private static async Task EndAsync(Stream stream)
    {
        var buffer = new byte[1024];
        try
        {
            while (await Wait.Soon(stream.ReadAsync(buffer, Stop).AsTask()) > 0)
            {
                // what came before the end
            }
        }
        catch (Exception ended) when (ended is IOException or HttpRequestException)
        {
            // it was cut
        }
    }

    private static string?[] Texts(JsonElement array) => [.. array.EnumerateArray().Select(text => text.GetString())];

    private static async Task<JsonElement> OkAsync(
        TestServer server,
        string method,
        string path,
        string? body = null,
        string? key = Admin
    )
    {
        using var content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        var (status, json) = await SendAsync(server, method, path, content, key);
        Assert.True(status == 200, $"{status} {json}");
        return json;
    }

    private static async Task RefusedAsync(
        TestServer server,
        string method,
        string path,
        string? body,
        int status,
        string why,
        string? key = Admin
    )
    {
        using var content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        await RefusedAsync(server, method, path, content, status, why, key);
    }

    private static async Task RefusedAsync(
        TestServer server,
        string method,
        string path,
        HttpContent? body,
        int status,
        string why,
        string? key = Admin
    )
    {
        var (got, json) = await SendAsync(server, method, path, body, key);
        Assert.True(got == status, $"{got} {json}");
        Assert.Contains(why, json.GetProperty("detail").GetString());
        Assert.True(json.TryGetProperty("timestamp", out var time) && time.TryGetDateTimeOffset(out _));
    }

    private static async Task<(int Status, JsonElement Json)> SendAsync(
        TestServer server,
        string method,
        string path,
        HttpContent? body,
        string? key
    )
    {
        using var request = new HttpRequestMessage(new(method), "/api/v1" + path) { Content = body };
        if (key is { Length: > 0 })
        {
            request.Headers.Authorization = new("Bearer", key);
        }

        using var answer = await server.Http.SendAsync(request, Stop);
        var text = await answer.Content.ReadAsStringAsync(Stop);
        return ((int)answer.StatusCode, text.Length == 0 ? default : JsonElement.Parse(text));
    }

    // Real time, and more of it.
    private sealed class Clock : TimeProvider
    {
        public TimeSpan Ahead { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
    }
}
