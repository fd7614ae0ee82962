using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using MinimalMcp.Storage;
using MinimalMcp.Tests.Auth.Provider;
using MinimalMcp.Tests.Auth.Server;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Auth;

/// <summary>A caller is known by its name and by who gave it that name (RFC 7519 section 4.1.2).</summary>
[Slow]
public sealed class SubjectTests
{
    private const string Key = OAuthServer.Key,
        Other = OAuthServer.ReaderKey;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_and_a_person_of_the_provider_with_one_name_share_nothing()
    {
        var key = TestKey.New("first", "RS256");
        await using var provider = await FakeProvider.StartAsync(0, key);
        await using var server = Hybrid(
            provider.Issuer,
            TestStores.New(),
            ("Auth:ApiKeys:anna:Key", Other),
            ("Governance:Levels:MEDIUM", "1/hour"),
            ("Governance:Approve", "checkout")
        );
        var token = Token(provider, key, "anna");

        // And its only one this hour.
        Assert.Equal(
            HttpStatusCode.OK,
            (await CallAsync(server, Other, "add_to_cart", """{"productCode":"milk"}""")).Status
        );
        Assert.Equal(0, (await CallAsync(server, token, "view_cart")).Total);
        Assert.Equal(
            HttpStatusCode.OK,
            (await CallAsync(server, token, "add_to_cart", """{"productCode":"milk","quantity":3}""")).Status
        );
        Assert.Equal(
            (1, 3),
            ((await CallAsync(server, Other, "view_cart")).Total, (await CallAsync(server, token, "view_cart")).Total)
        );
        Assert.Equal(
            HttpStatusCode.TooManyRequests,
            (await CallAsync(server, token, "add_to_cart", """{"productCode":"milk"}""")).Status
        );

        // And so one of them may approve what the other asked for.
        Assert.Equal(HttpStatusCode.Accepted, (await CallAsync(server, token, "checkout")).Status);
        var waiting = Assert.Single(await WaitingAsync(server, Other));
        Assert.Equal($"{provider.Issuer}|anna", waiting.GetProperty("subject").GetString());
        Assert.Equal(HttpStatusCode.OK, await ApproveAsync(server, Other, waiting.GetProperty("id").GetString()!));
    }

    [Fact]
    public async Task Whoever_asked_with_a_key_does_not_approve_with_what_the_key_signed_in_for()
    {
        await using var oauth = OAuthServer.Start(
            ("Auth:Mode", "hybrid"),
            ("Governance:Approve", "pick_note"),
            ("Auth:ApiKeys:boss:Key", "nR4vT8wY2zB6cE9gJ3kM7pQ1sU5xA0dF")
        );
        var own = (await oauth.SignInAsync("public", Key, ("scope", "mcp:admin")))
            .GetProperty("access_token")
            .GetString()!;
        var boss = (await oauth.SignInAsync("public", "nR4vT8wY2zB6cE9gJ3kM7pQ1sU5xA0dF", ("scope", "mcp:admin")))
            .GetProperty("access_token")
            .GetString()!;

        // The key asks; its own token does not approve. The token asks; its own key does not.
        foreach (var (asking, approving) in ((string, string)[])[(Key, own), (own, Key), (own, own), (Key, Key)])
        {
            Assert.Equal(
                HttpStatusCode.Accepted,
                (await CallAsync(oauth.Server, asking, "pick_note", """{"code":"milk"}""")).Status
            );
            var id = (await WaitingAsync(oauth.Server, Key))[^1].GetProperty("id").GetString()!;
            Assert.Equal(HttpStatusCode.Conflict, await ApproveAsync(oauth.Server, approving, id));
        }

        // Nor does another person's token that the client which asked holds; what that person holds does.
        var asked = (await WaitingAsync(oauth.Server, Key))
            .First(row => row.GetProperty("client").ValueKind is JsonValueKind.String)
            .GetProperty("id")
            .GetString()!;
        Assert.Equal(HttpStatusCode.Conflict, await ApproveAsync(oauth.Server, boss, asked));
        Assert.Equal(HttpStatusCode.OK, await ApproveAsync(oauth.Server, "nR4vT8wY2zB6cE9gJ3kM7pQ1sU5xA0dF", asked));

        // No client is not one client: two keys are two people.
        var byKey = (await WaitingAsync(oauth.Server, Key))
            .First(row => row.GetProperty("client").ValueKind is not JsonValueKind.String)
            .GetProperty("id")
            .GetString()!;
        Assert.Equal(HttpStatusCode.OK, await ApproveAsync(oauth.Server, "nR4vT8wY2zB6cE9gJ3kM7pQ1sU5xA0dF", byKey));
    }

    [Theory]
    [InlineData("Auth__ApiKeys__local__Key", "api-key")]
    [InlineData("Auth__ApiKeys__anonymous__Key", "hybrid")]
    [InlineData("Auth__ApiKeys__https|anna__Key", "api-key")]
    [InlineData("Auth__Users__local__Password", "embedded")]
    public async Task A_name_that_stands_for_other_callers_is_not_given_to_a_key_or_a_user(string variable, string mode)
    {
        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            [],
            new Dictionary<string, string>
            {
                ["MCP_AUTH_MODE"] = mode,
                ["MCP_API_KEY"] = Key,
                [variable] = Other,
            }
        );

        Assert.Equal(1, exitCode);
        Assert.Contains("is reserved", errors);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // a key has the same name, and keeps what it has
    public async Task What_an_older_version_kept_for_people_of_the_provider_is_theirs_once(bool shared)
    {
        var key = TestKey.New("first", "RS256");
        await using var provider = await FakeProvider.StartAsync(0, key);
        var database = TestStores.New();
        string waits;
        await using (
            var before = TestServer.Start(
                null,
                ("Storage:Path", database),
                ("Auth:Mode", "api-key"),
                ("Auth:ApiKeys:u1:Key", Other),
                ("Governance:Levels:MEDIUM", "2/hour"),
                ("Governance:Approve", "checkout")
            )
        )
        {
            Assert.Equal(
                HttpStatusCode.OK,
                (await CallAsync(before, Other, "add_to_cart", """{"productCode":"milk"}""")).Status
            );
            waits = (await CallAsync(before, Other, "checkout")).Body["confirmation_token"]!.GetValue<string>();
        }

        MakeOlder(database);
        (string, string)[] settings =
        [
            ("Governance:Levels:MEDIUM", "2/hour"),
            ("Governance:Approve", "checkout"),
            .. shared ? [("Auth:ApiKeys:u1:Key", Other)] : Array.Empty<(string, string)>(),
        ];
        await using (var server = Hybrid(provider.Issuer, database, settings))
        {
            var token = Token(provider, key, "u1");
            Assert.Equal(shared ? 0 : 1, (await CallAsync(server, token, "view_cart")).Total);
            if (shared)
            {
                Assert.Equal(1, (await CallAsync(server, Other, "view_cart")).Total);
            }

            // One of two this hour was used up, whoever of the two it was.
            Assert.Equal(
                HttpStatusCode.OK,
                (await CallAsync(server, token, "add_to_cart", """{"productCode":"milk"}""")).Status
            );
            Assert.Equal(
                HttpStatusCode.TooManyRequests,
                (await CallAsync(server, token, "add_to_cart", """{"productCode":"milk"}""")).Status
            );

            var waiting = Assert.Single(await WaitingAsync(server, Key));
            Assert.Equal(shared ? "u1" : $"{provider.Issuer}|u1", waiting.GetProperty("subject").GetString());
            Assert.Equal(HttpStatusCode.OK, await ApproveAsync(server, Key, waiting.GetProperty("id").GetString()!));
            Assert.Equal(
                HttpStatusCode.OK,
                (
                    await CallAsync(
                        server,
                        shared ? Other : token,
                        "checkout",
                        new JsonObject { ["confirmation_token"] = waits }.ToJsonString()
                    )
                ).Status
            );
            Assert.Equal(
                $"{provider.Issuer}|u1",
                Read(database, "select subject from oauth_grants where grant_id = 'theirs'")
            );
            Assert.Equal("u1", Read(database, "select subject from oauth_grants where grant_id = 'of a key'"));
            Assert.Equal(
                "client:job",
                Read(database, "select subject from oauth_grants where grant_id = 'of a client'")
            );
        }

        var (exitCode, output, errors) = await ServerProcess.RunAsync(
            ["verify-audit"],
            new Dictionary<string, string> { ["Storage__Path"] = database }
        );
        Assert.True(exitCode == 0, output + errors);
        Assert.Equal("u1", Read(database, "select subject from audit where seq = 1"));
    }

    private static TestServer Hybrid(string issuer, string database, params (string, string)[] settings) =>
        TestServer.Start(
            null,
            [
                ("Storage:Path", database),
                ("Auth:Mode", "hybrid"),
                ("Auth:ApiKey", Key),
                ("Auth:Provider:Issuer", issuer),
                ("Auth:Provider:Audience", Forge.Audience),
                .. settings,
            ]
        );

    private static string Token(FakeProvider provider, TestKey key, string subject)
    {
        var forge = new Forge(provider.Issuer, key);
        var claims = forge.Claims();
        (claims["sub"], claims["scope"]) = (subject, "mcp:execute");
        claims.Remove("azp"); // as the older version's caller, of no client
        return forge.Sign(forge.Header(), claims);
    }

    private static async Task<(HttpStatusCode Status, JsonNode Body, int Total)> CallAsync(
        TestServer server,
        string credential,
        string tool,
        string arguments = "{}"
    )
    {
        using var answer = await server.PostAsync(
            "/tools/" + tool,
            arguments,
            headers: ("Authorization", "Bearer " + credential)
        );
        var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Stop))!;
        return (answer.StatusCode, body, body["cart"]?["totalItems"]?.GetValue<int>() ?? 0);
    }

    private static async Task<JsonElement[]> WaitingAsync(TestServer server, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/approvals");
        request.Headers.Authorization = new("Bearer", key);
        using var answer = await server.Http.SendAsync(request, Stop);
        return
        [
            .. JsonElement
                .Parse(await answer.Content.ReadAsStringAsync(Stop))
                .GetProperty("approvals")
                .EnumerateArray(),
        ];
    }

    private static async Task<HttpStatusCode> ApproveAsync(TestServer server, string credential, string id)
    {
        using var answer = await server.PostAsync(
            $"/api/v1/approvals/{id}/approve",
            "{}",
            headers: ("Authorization", "Bearer " + credential)
        );
        return answer.StatusCode;
    }

    // As version 2 of the schema left it, with a grant of a person, one of a key and one of a client.
    private static void MakeOlder(string database)
    {
        Read(
            database,
            """
            alter table audit drop column trace_id;
            alter table approvals drop column preview;
            drop table ended_sessions;
            update meta set value = '2' where name = 'schema';
            delete from meta where name = 'subjects';
            drop table oauth_tickets;
            create table oauth_tickets (ticket_hash text primary key, browser_hash text not null,
                request text not null, expires bigint not null);
            insert into oauth_grants (grant_id, client_id, subject, scope, credential, expires) values
                ('theirs', 'c', 'u1', 'mcp:read', null, 9000000000000),
                ('of a client', 'job', 'client:job', 'mcp:read', null, 9000000000000),
                ('of a key', 'c', 'u1', 'mcp:read', 'key 00', 9000000000000);
            select 1
            """
        );
    }

    private static object? Read(string database, string statement)
    {
        using var connection = new SqliteConnection($"Data Source={database};Pooling=False");
        connection.Open();
        return connection.Run(statement);
    }
}
