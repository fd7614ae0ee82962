using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Auth;
using MinimalMcp.Auth.Server;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Auth.Server;

/// <summary>
/// Clients of every kind: other people's libraries, GPT Actions, documents, programs that call by themselves.
/// </summary>
[Slow]
public sealed class OAuthClientTests
{
    private const string Registration = $$"""{"redirect_uris":["{{OAuthServer.ChatGpt}}"]}""";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("oauth-sdk.mjs", "@modelcontextprotocol/sdk/package.json")]
    [InlineData("oauth4webapi.mjs", "oauth4webapi/package.json")]
    public async Task A_library_that_other_people_wrote_signs_in(string script, string package)
    {
        Needs.NodePackage(package);
        await using var oauth = OAuthServer.Start();

        var (exitCode, output) = await ClientProcess.RunAsync(
            ClientProcess.Node,
            [script, oauth.Issuer, OAuthServer.Key]
        );

        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public async Task The_metadata_says_what_there_is_and_every_place_says_the_same()
    {
        await using var oauth = OAuthServer.Start();
        var metadata = await oauth.Server.GetJsonAsync("/.well-known/oauth-authorization-server");

        Assert.Equal(oauth.Issuer, metadata.GetProperty("issuer").GetString());
        Assert.Equal(["S256"], Texts(metadata, "code_challenge_methods_supported"));
        Assert.True(metadata.GetProperty("authorization_response_iss_parameter_supported").GetBoolean());
        Assert.True(metadata.GetProperty("client_id_metadata_document_supported").GetBoolean());
        Assert.Equal(
            ["mcp:read", "mcp:write", "mcp:execute", "mcp:admin", "offline_access", "profile", "email"],
            Texts(metadata, "scopes_supported")
        );
        Assert.Equal(
            ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"],
            Texts(metadata, "token_endpoint_auth_methods_supported")
        );
        foreach (
            var endpoint in metadata
                .EnumerateObject()
                .Where(member =>
                    member.Name.EndsWith("_endpoint", StringComparison.Ordinal) || member.Name == "jwks_uri"
                )
        )
        {
            var address = endpoint.Value.GetString()!;
            Assert.StartsWith(oauth.Issuer + "/auth/", address);
            using var there = await oauth.GetAsync(address);
            Assert.NotEqual(HttpStatusCode.NotFound, there.StatusCode);
        }

        await using var closed = OAuthServer.Start(("Auth:Server:Registration", "closed"));
        Assert.False(
            (await closed.Server.GetJsonAsync("/.well-known/oauth-authorization-server")).TryGetProperty(
                "registration_endpoint",
                out _
            )
        );
        using var refused = await closed.PostJsonAsync(
            "/auth/register",
            """{"redirect_uris":["http://127.0.0.1/cb"]}"""
        );
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task A_program_with_a_secret_calls_by_itself_and_is_told_apart_from_people()
    {
        await using var oauth = OAuthServer.Start();
        using var answer = await oauth.PostFormAsync(
            "/auth/token",
            [("grant_type", "client_credentials"), ("scope", "mcp:read")],
            OAuthServer.Basic("machine", OAuthServer.Secret + "2")
        );
        var tokens = await OAuthServer.JsonAsync(answer);
        var access = tokens.GetProperty("access_token").GetString()!;

        Assert.False(tokens.TryGetProperty("refresh_token", out _));
        Assert.Equal("client:machine", OAuthServer.Claims(access).GetProperty("sub").GetString());
        Assert.Equal(
            (HttpStatusCode.OK, HttpStatusCode.Forbidden),
            (await oauth.CallAsync(access), await oauth.CallAsync(access, "pick_note", """{"code":"milk"}"""))
        );
        using var introspected = await oauth.PostFormAsync(
            "/auth/introspect",
            [("token", access)],
            OAuthServer.Basic("gpt-action", OAuthServer.Secret)
        );
        var told = await OAuthServer.JsonAsync(introspected);
        Assert.Equal(
            ("client:machine", "mcp:read", oauth.Resource),
            (
                told.GetProperty("sub").GetString(),
                told.GetProperty("scope").GetString(),
                told.GetProperty("aud").GetString()
            )
        );
    }

    [Fact]
    public async Task A_client_that_registered_may_not_ask_about_tokens_of_others()
    {
        await using var oauth = OAuthServer.Start();
        using var registered = await oauth.PostJsonAsync(
            "/auth/register",
            JsonSerializer.Serialize(new { redirect_uris = new[] { OAuthServer.ChatGpt } })
        );
        var client = await OAuthServer.JsonAsync(registered);
        var access = (await oauth.SignInAsync("public")).GetProperty("access_token").GetString()!;

        using var answer = await oauth.PostFormAsync(
            "/auth/introspect",
            [("token", access)],
            OAuthServer.Basic(
                client.GetProperty("client_id").GetString()!,
                client.GetProperty("client_secret").GetString()!
            )
        );

        Assert.Equal("""{"active":false}""", await answer.Content.ReadAsStringAsync(Stop));
        Assert.Equal(0, client.GetProperty("client_secret_expires_at").GetInt32());
    }

    [Fact]
    public async Task ChatGpts_document_is_fetched_once_and_its_client_may_sign_or_not()
    {
        await using var documents = await DocumentHost.StartAsync();
        await using var oauth = OAuthServer.Start(services =>
            services.AddKeyedSingleton(ClientMetadataDocuments.Key, new SafeFetch(UrlSource.Test))
        );
        var client = documents.NewAddress();
        var document = documents.Document(client, "private_key_jwt");
        document["token_endpoint_auth_methods_supported"] = new JsonArray("none", "private_key_jwt");
        documents.Put(document);

        var tokens = await oauth.SignInAsync(client); // without an assertion
        foreach (var audience in new[] { oauth.Issuer, oauth.Issuer + "/auth/token" })
        {
            var assertion = Jwt.Sign(
                new() { ["alg"] = "ES256", ["kid"] = "k1" },
                Jwt.Assertion(client, audience, ReferenceTokens.New()),
                documents.Key
            );
            using var answer = await oauth.TokenAsync(
                ("grant_type", "refresh_token"),
                ("refresh_token", tokens.GetProperty("refresh_token").GetString()!),
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", assertion)
            );
            tokens = await OAuthServer.JsonAsync(answer);
            Assert.True(answer.IsSuccessStatusCode, tokens.ToString());
        }

        Assert.Equal(2, documents.Fetches); // the document and the keys
    }

    [Fact]
    public async Task A_document_that_cannot_be_fetched_for_a_while_ends_no_connection()
    {
        var time = new ShiftedTime();
        await using var documents = await DocumentHost.StartAsync();
        await using var oauth = OAuthServer.Start(services =>
            services
                .AddSingleton<TimeProvider>(time)
                .AddKeyedSingleton(ClientMetadataDocuments.Key, new SafeFetch(UrlSource.Test))
        );
        var client = documents.NewAddress();
        documents.Put(documents.Document(client));
        var tokens = await oauth.SignInAsync(client);

        documents.Put(client, [], response => response.StatusCode = 503);
        time.Advance(TimeSpan.FromHours(2));

        using var answer = await oauth.RefreshAsync(client, tokens.GetProperty("refresh_token").GetString()!);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        using var stranger = await oauth.GetAsync(oauth.AuthorizeAddress(documents.NewAddress()));
        Assert.Equal(HttpStatusCode.BadRequest, stranger.StatusCode);
    }

    [Fact]
    public async Task A_document_of_the_settings_is_not_fetched()
    {
        await using var documents = await DocumentHost.StartAsync();
        var client = documents.NewAddress();
        await using var oauth = OAuthServer.Start(
            (
                "Auth:Server:Documents:chatgpt",
                documents
                    .Document("https://chatgpt.com/oauth/client.json")
                    .ToJsonString()
                    .Replace(documents.Url, "https://chatgpt.com", StringComparison.Ordinal)
            )
        );

        Assert.Equal(
            "mcp:read mcp:write",
            (await oauth.SignInAsync("https://chatgpt.com/oauth/client.json")).GetProperty("scope").GetString()
        );
        Assert.Equal(0, documents.Fetches);
        Assert.NotEmpty(client);
    }

    [Fact]
    public async Task Of_a_hundred_strangers_documents_in_a_minute_ten_are_fetched()
    {
        await using var documents = await DocumentHost.StartAsync();
        await using var oauth = OAuthServer.Start(services =>
            services.AddKeyedSingleton(ClientMetadataDocuments.Key, new SafeFetch(UrlSource.Test))
        );

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 100).Select(_ => oauth.GetAsync(oauth.AuthorizeAddress(documents.NewAddress())))
        );

        Assert.Equal(
            (10, 10, 90),
            (
                documents.Fetches,
                answers.Count(answer => answer.StatusCode == HttpStatusCode.BadRequest),
                answers.Count(answer => answer.StatusCode == HttpStatusCode.TooManyRequests)
            )
        );
        Assert.All(answers.Where(answer => answer.StatusCode == HttpStatusCode.TooManyRequests), answer =>
            Assert.InRange(answer.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60)
        );
    }

    [Fact]
    public async Task An_address_registers_twenty_clients_in_an_hour()
    {
        await using var oauth = OAuthServer.Start();
        for (var n = 0; n < 20; n++)
        {
            await oauth.RegisterAsync();
        }

        using var refused = await oauth.PostJsonAsync("/auth/register", Registration);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        await using var other = oauth.Visitor("203.0.113.9");
        await other.RegisterAsync();
    }

    [Fact]
    public async Task The_wait_for_another_registration_ends()
    {
        await using var oauth = OAuthServer.Start(services =>
            services.AddSingleton(new RateLimitPolicies { Registrations = new(1, TimeSpan.FromSeconds(3)) })
        );
        await oauth.RegisterAsync();

        HttpStatusCode status;
        do
        {
            using var answer = await oauth.PostJsonAsync("/auth/register", Registration);
            status = answer.StatusCode;
        } while (status == HttpStatusCode.TooManyRequests);

        Assert.Equal(HttpStatusCode.Created, status);
    }

    private static IEnumerable<string> Texts(JsonElement json, string name) =>
        json.GetProperty(name).EnumerateArray().Select(item => item.GetString()!);
}
