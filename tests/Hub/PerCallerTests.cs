using System.Net;
using System.Text;
using MinimalMcp.Tests.Auth;
using MinimalMcp.Tests.Tools.Notes;
using static MinimalMcp.Tests.Hub.PerCallerServer;

namespace MinimalMcp.Tests.Hub;

/// <summary>
/// Servers at which each caller has a secret of its own: stored on our page, used for that caller only.
/// </summary>
[Slow]
public sealed class PerCallerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_caller_calls_with_the_own_secret_over_a_session_of_its_own()
    {
        await using var server = await StartAsync();
        var missing = await server.CallAsync(Alice, "pick_note", new { code = "milk" });
        Assert.True(missing.IsError);
        var why = $"Server 'notes' takes a secret of each caller, and yours is not stored. Store it at {server.Page} ";
        Assert.Contains(why, missing.Text);
        var (status, text) = await server.RestAsync(Alice, "pick_note", new { code = "milk" });
        Assert.True(status >= 400, $"{status}");
        Assert.Contains($"Store it at {server.Page}", text);

        await server.StoreAsync(Alice, AliceThere);
        await server.StoreAsync(Bob, BobThere);
        await Task.WhenAll(
            server.CallAsync(Alice, "pick_note", new { code = "milk" }),
            server.CallAsync(Bob, "pick_note", new { code = "bagels" })
        );
        (status, text) = await server.RestAsync(Alice, "pick_note", new { code = "call" });
        Assert.True(status == 200, text);
        Assert.Equal(["milk", "call"], await server.PickedAsync(Alice));
        Assert.Equal(["bagels"], await server.PickedAsync(Bob));
        (_, text) = await server.RestAsync(Bob, "list_picked");
        Assert.Contains("bagels", text);
        Assert.DoesNotContain("milk", text);

        // A session is used with one credential; each caller opened one.
        Assert.True(server.Sessions.Count >= 3, $"{server.Sessions.Count}");
        Assert.All(server.Sessions.Values, used => Assert.Single(used.Distinct()));
        Assert.Equal((1, 1), (server.OpenedOf(AliceThere), server.OpenedOf(BobThere)));
        var calls = server.Front.Requests.Where(request => request.Body.Contains("\"tools/call\"")).ToArray();
        Assert.DoesNotContain(calls, request => request.Line.Contains(Lister));
        var lists = server.Front.Requests.Where(request => request.Body.Contains("\"tools/list\"")).ToArray();
        Assert.All(lists, request => Assert.Contains(Lister, request.Line));
        foreach (var own in (string[])[Alice, Bob, RegisteredServers.Key])
        {
            Assert.DoesNotContain(server.Front.Requests, request =>
                request.Line.Contains(own) || request.Body.Contains(own)
            );
        }
    }

    [Fact]
    public async Task A_refused_a_changed_and_a_deleted_secret_concern_their_caller_only()
    {
        await using var server = await StartAsync();
        await server.StoreAsync(Bob, BobThere);
        Assert.Empty(await server.PickedAsync(Bob));
        await server.StoreAsync(Alice, "wrong-secret-of-alice");
        var refused = await server.CallAsync(Alice, "list_picked");
        Assert.True(refused.IsError);
        Assert.Equal(
            $"Server 'notes' refuses your secret (401). Store another one at {server.Page} and try again.",
            refused.Text
        );
        var (status, text) = await server.RestAsync(Alice, "list_picked");
        Assert.True(status >= 400, text);
        Assert.Contains($"refuses your secret (401). Store another one at {server.Page}", text);
        Assert.Empty(await server.PickedAsync(Bob));
        await server.Hub.BecomesAsync(server.Id, "active");

        // Another secret is used at once, and the connection with the one before is closed.
        await server.StoreAsync(Alice, AliceThere);
        await server.CallAsync(Alice, "pick_note", new { code = "milk" });
        await server.StoreAsync(Alice, BobThere);
        await Wait.Until(() => server.EndedOf(AliceThere) == 1);
        Assert.Empty(await server.PickedAsync(Alice)); // she is Bob there now
        await server.StoreAsync(Alice, AliceThere);
        Assert.Equal(["milk"], await server.PickedAsync(Alice));

        // One that is no longer good at the other server: the session's requests are refused.
        server.Front.Fault = async (http, _) =>
        {
            var isAlice = http.Request.Headers.Authorization == "Bearer " + AliceThere;
            http.Response.StatusCode = isAlice ? 401 : 200;
            await Task.CompletedTask;
            return isAlice;
        };
        Assert.Contains("refuses your secret (401)", (await server.CallAsync(Alice, "list_picked")).Text);
        Assert.Empty(await server.PickedAsync(Bob));
        server.Front.Fault = (_, _) => Task.FromResult(false);
        Assert.Equal(["milk"], await server.PickedAsync(Alice));

        await server.DeleteAsync(Alice);
        await Wait.Until(() => server.EndedOf(AliceThere) >= 2);
        Assert.Contains("yours is not stored", (await server.CallAsync(Alice, "list_picked")).Text);
        Assert.Equal(1, server.OpenedOf(BobThere) - 1); // Bob's own connection lived all the time
        await server.Hub.SendAsync("POST", $"/{server.Id}/stop");
        await Wait.Until(() => server.EndedOf(BobThere) == 2);
    }

    [Fact]
    public async Task Resources_prompts_and_completion_go_over_the_callers_connection()
    {
        await using var server = await StartAsync();
        var listed = await server.McpAsync(Alice, "resources/list", new { });
        var uri = listed
            .Result.GetProperty("resources")
            .EnumerateArray()
            .Select(one => one.GetProperty("uri").GetString()!)
            .Single(one => one.StartsWith("hub://notes/"));
        var refused = await server.McpAsync(Alice, "resources/read", new { uri });
        Assert.Contains($"Store it at {server.Page}", refused.Error.GetProperty("message").GetString());

        await server.StoreAsync(Alice, AliceThere);
        var found = await server.McpAsync(Alice, "resources/read", new { uri });
        Assert.Contains("Buy milk", found.Result.ToString());
        var prompt = await server.McpAsync(
            Alice,
            "prompts/get",
            new { name = "notes_plan_notes", arguments = new { occasion = "spring" } }
        );
        Assert.Contains("Plan the notes for: spring", prompt.Result.ToString());
        var completed = await server.McpAsync(
            Alice,
            "completion/complete",
            new
            {
                @ref = new { type = "ref/prompt", name = "notes_plan_notes" },
                argument = new { name = "topic", value = "g" },
            }
        );
        Assert.Contains("garden", completed.Result.ToString());
        foreach (var method in (string[])["resources/read", "prompts/get", "completion/complete"])
        {
            var sent = server.Front.Requests.Where(request => request.Body.Contains($"\"{method}\"")).ToArray();
            Assert.True(sent.Length > 0, method);
            Assert.All(sent, request => Assert.Contains(AliceThere, request.Line));
        }
    }

    [Fact]
    public async Task Connections_are_bounded_and_the_least_recently_used_one_goes()
    {
        await using var server = await StartAsync(("Hub:MaxCallerConnections", "1"));
        await server.StoreAsync(Alice, AliceThere);
        await server.StoreAsync(Bob, BobThere);
        Assert.Empty(await server.PickedAsync(Alice));
        Assert.Equal(0, server.EndedOf(AliceThere));
        Assert.Empty(await server.PickedAsync(Bob));
        await Wait.Until(() => server.EndedOf(AliceThere) == 1);
        Assert.Empty(await server.PickedAsync(Alice));
        Assert.Equal(2, server.OpenedOf(AliceThere));

        // One that is in use stays.
        var gate = new TaskCompletionSource();
        var isCalled = new TaskCompletionSource();
        server.Front.Fault = async (_, body) =>
        {
            if (body.Contains("\"tools/call\""))
            {
                isCalled.TrySetResult();
                await gate.Task;
            }

            return false;
        };
        var call = server.CallAsync(Alice, "list_picked");
        await Wait.Soon(isCalled.Task);
        var full = await server.CallAsync(Bob, "list_picked");
        Assert.Contains("which is the limit (Hub:MaxCallerConnections)", full.Text);
        gate.SetResult();
        Assert.False((await call).IsError);
    }

    [Fact]
    public async Task The_page_is_named_with_its_public_address()
    {
        await using var server = await StartAsync(("Server:PublicUrl", "https://mcp.example.com/base"));
        var missing = await server.CallAsync(Alice, "list_picked");
        Assert.Contains("Store it at https://mcp.example.com/base/connections and try again.", missing.Text);
    }

    [Fact]
    public async Task A_connection_without_requests_is_closed()
    {
        await using var server = await StartAsync(("Hub:CallerIdleTimeout", "00:00:01"));
        await server.StoreAsync(Alice, AliceThere);
        Assert.Empty(await server.PickedAsync(Alice));
        await Wait.Until(() => server.EndedOf(AliceThere) == 1);
        Assert.Empty(await server.PickedAsync(Alice));
    }

    [Fact]
    public async Task Replicas_share_the_secrets_and_the_store_does_not_show_them()
    {
        var folder = Directory.CreateTempSubdirectory("per-caller");
        var path = Path.Combine(folder.FullName, "hub.db");
        await using (var server = await StartAsync(("Storage:Path", path)))
        await using (var other = RegisteredServers.Start([.. Callers, ("Storage:Path", path)]))
        {
            await Wait.Until(async () => (await other.SendAsync("GET", "")).GetArrayLength() == 1);
            await other.BecomesAsync(server.Id, "active");
            await server.StoreAsync(Alice, AliceThere);
            await server.CallAsync(Alice, "pick_note", new { code = "milk" });
            Assert.Equal(["milk"], await server.PickedAsync(Alice, other.Server));
            await server.StoreAsync(Alice, BobThere, other.Server);
            Assert.Empty(await server.PickedAsync(Alice));
            await server.StoreAsync(Alice, AliceThere);
            Assert.Equal(["milk"], await server.PickedAsync(Alice, other.Server));
            await server.DeleteAsync(Alice);
            Assert.Contains(
                "yours is not stored",
                (await server.CallAsync(Alice, "list_picked", at: other.Server)).Text
            );
            await server.StoreAsync(Alice, AliceThere);

            using var audit = await server.Hub.Server.Http.GetAsync(
                new Uri("/api/v1/audit?limit=1000", UriKind.Relative),
                Stop
            );
            var entries = await audit.Content.ReadAsStringAsync(Stop);
            Assert.Contains("connections/store", entries);
            Assert.DoesNotContain(AliceThere, entries);
            foreach (var file in folder.GetFiles("hub.db*"))
            {
                await using var open = file.Open(FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
                using var reader = new StreamReader(open, Encoding.Latin1);
                Assert.DoesNotContain(AliceThere, await reader.ReadToEndAsync(Stop));
            }
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_secret_is_not_sent_to_another_address_and_goes_with_the_server()
    {
        await using var server = await StartAsync();
        await server.StoreAsync(Alice, AliceThere);
        Assert.Empty(await server.PickedAsync(Alice));
        await using var elsewhere = await FaultyFront.StartAsync(server.Front.Target);
        await server.Hub.SendAsync("PUT", $"/{server.Id}", new { url = $"{elsewhere.Url}mcp" });
        await server.Hub.BecomesAsync(server.Id, "active");
        await Wait.Until(() => server.EndedOf(AliceThere) == 1);
        Assert.Contains("yours is not stored", (await server.CallAsync(Alice, "list_picked")).Text);
        Assert.DoesNotContain(elsewhere.Requests, request => request.Line.Contains(AliceThere));
        Assert.Contains("The stored secret cannot be used", await PageAsync(server.Hub.Server, Alice));

        await server.Hub.SendAsync("DELETE", $"/{server.Id}");
        Assert.Contains("No server of this kind is registered", await PageAsync(server.Hub.Server, Alice));
    }

    [Fact]
    public async Task Without_a_credential_for_the_lists_the_state_says_what_to_set()
    {
        await using var server = await StartAsync();
        var id = await server.Hub.AddAsync("bare", new(server.Front.Url, "/mcp"), auth: "per_caller");
        Assert.Equal(
            "it refuses our credential (401). Its lists are read without a credential, and it wants one: set "
                + "auth_config.token of this server to a secret of the operator. It is used for lists and health "
                + "checks only.",
            await server.Hub.BecomesAsync(id, "error")
        );
    }

    [Fact]
    public async Task The_operator_says_how_the_secret_is_sent()
    {
        await using var server = await StartAsync();
        await using var front = await FaultyFront.StartAsync(server.Front.Target);
        front.Fault = (http, _) =>
        {
            // Ours takes keys as bearer tokens only.
            if (http.Request.Headers.Remove("X-Custom", out var value) && $"{value}".StartsWith("Token "))
            {
                http.Request.Headers.Authorization = "Bearer " + $"{value}"["Token ".Length..];
            }

            return Task.FromResult(false);
        };
        var id = await server.Hub.AddAsync(
            "custom",
            new(front.Url, "/mcp"),
            auth: "per_caller",
            config: new
            {
                header = "X-Custom",
                prefix = "Token",
                token = Lister,
            }
        );
        await server.Hub.BecomesAsync(id, "active");
        await server.StoreAsync(Alice, AliceThere, id: id);
        var picked = await server.McpAsync(Alice, "tools/call", new { name = "custom_list_picked" });
        Assert.False(picked.IsError, picked.Message.ToString());
    }

    [Theory]
    [InlineData("""{"tokn":"x"}""", "has header, prefix and token, and nothing else")]
    [InlineData("""{"header":"Content-Length"}""", "auth_config.header must be")]
    [InlineData("""{"prefix":"a\u00e9"}""", "auth_config.prefix must be")]
    [InlineData("""{"token":"a\u00e9"}""", "auth_config.token has a character")]
    public async Task A_definition_that_cannot_work_is_refused(string config, string why)
    {
        await using var hub = RegisteredServers.Start(Callers);
        using var refused = await RegisterAsync(hub.Server, RegisteredServers.Key, config);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        Assert.Contains(why, await refused.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task Only_an_operator_registers_such_a_server_and_not_for_one_process()
    {
        await using var hub = RegisteredServers.Start(Callers);
        using var writer = await RegisterAsync(hub.Server, Alice);
        Assert.Equal(HttpStatusCode.Forbidden, writer.StatusCode);
        using var stdio = await hub.Server.PostAsync(
            "/api/v1/servers",
            """{"name":"x","command":"node","auth_type":"per_caller"}"""
        );
        Assert.Contains("per_caller is for remote servers", await stdio.Content.ReadAsStringAsync(Stop));
    }

    [Theory]
    [InlineData("MCP_AUTH_MODE", "Auth:Mode", "none")]
    [InlineData("OAUTH2_CLIENT_ID", "Auth:Provider:Issuer", "https://idp.example")]
    public async Task Where_callers_cannot_sign_in_it_is_refused(string why, string setting, string value)
    {
        await using var server = TestServer.Start([
            ("Auth:Mode", "none"),
            (setting, value),
            .. setting == "Auth:Mode"
                ? []
                : new (string, string)[]
                {
                    ("Auth:Mode", "hybrid"),
                    ("Auth:Provider:Audience", "us"),
                    ("Auth:Provider:JwksUri", "https://idp.example/keys"),
                    ("Auth:ApiKey", RegisteredServers.Key),
                },
        ]);
        using var refused = await RegisterAsync(server, RegisteredServers.Key);
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        var text = await refused.Content.ReadAsStringAsync(Stop);
        Assert.Contains("auth_type per_caller is refused, because callers store their secrets on a page.", text);
        Assert.Contains(why, text);
        if (setting == "Auth:Mode")
        {
            Assert.Contains("Nothing can be stored here now.", await PageAsync(server, null));
        }
    }

    [Fact]
    public async Task A_guest_is_refused_with_the_page()
    {
        await using var upstream = TestServer.Start(NotesTools.Alone);
        await using var server = TestServer.Start(("Auth:Mode", "mixed"), ("Auth:ApiKey", RegisteredServers.Key));
        using var operators = new Visitor(server);
        (await operators.SignInAsync(RegisteredServers.Key)).Dispose();
        using var created = await operators.PostAsync(
            "/api/v1/servers",
            $$"""{"name":"notes","transport_type":"http","url":"{{upstream.Url}}mcp","auth_type":"per_caller"}"""
        );
        Assert.True(created.IsSuccessStatusCode, await created.Content.ReadAsStringAsync(Stop));
        var uri = "";
        await Wait.Until(async () =>
        {
            var listed = await server.McpAsync("resources/list");
            uri = listed
                .Result.GetProperty("resources")
                .EnumerateArray()
                .Select(one => one.GetProperty("uri").GetString()!)
                .FirstOrDefault(one => one.StartsWith("hub://notes/"))
                ?? "";
            return uri.Length > 0;
        });
        var refused = await server.McpAsync("resources/read", new { uri });
        var message = refused.Error.GetProperty("message").GetString();
        Assert.Contains("this call has no signed-in caller", message);
        Assert.Contains($"store your secret at {server.BaseUrl}/connections", message);
    }

    [Theory]
    [InlineData("", "Enter the secret.")]
    [InlineData("a secret\nwith a line", "no HTTP header may have")]
    [InlineData(" space", "a space at an end")]
    [InlineData(null, "longer than 4096 characters")]
    public async Task A_secret_that_cannot_be_sent_is_refused_on_the_page(string? secret, string why)
    {
        await using var server = await StartAsync();
        var (status, text) = await server.SendFormAsync(Alice, "store", secret ?? new string('x', 4097));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Contains(why, text);
        Assert.Contains("No secret is stored.", text);
    }

    private static Task<HttpResponseMessage> RegisterAsync(TestServer server, string key, string config = "{}") =>
        server.PostAsync(
            "/api/v1/servers",
            $$"""
            {"name":"x","transport_type":"http","url":"http://127.0.0.1:9/mcp","auth_type":"per_caller",
             "auth_config":{{config}}}
            """,
            headers: ("Authorization", "Bearer " + key)
        );

    private static async Task<string> PageAsync(TestServer server, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/connections");
        request.Headers.Authorization = key is null ? null : new("Bearer", key);
        using var answer = await server.Http.SendAsync(request, Stop);
        return await answer.Content.ReadAsStringAsync(Stop);
    }
}
