using System.Net;
using MinimalMcp.Tests.Auth.Server;
using MinimalMcp.Tests.Storage;

namespace MinimalMcp.Tests.Replicas;

/// <summary>A sign-in whose requests go to two replicas by turns, as a load balancer may send them.</summary>
public sealed class ReplicaSignInTests(PostgresServer postgres)
{
    [Fact]
    public async Task Each_step_of_a_sign_in_may_be_at_another_replica_and_a_code_is_taken_once()
    {
        (string, string)[] settings =
        [
            ("Server:PublicUrl", "https://mcp.example.com"),
            ("Auth:Server:SecretKey", OAuthServer.Secret + "3"),
            ("Storage:ConnectionString", await postgres.NewDatabaseAsync()),
        ];
        await using var one = OAuthServer.Start(settings);
        await using var two = OAuthServer.Start(settings);
        var client = await one.RegisterAsync();
        var ticket = await two.OpenPageAsync(client);
        one.Cookie = two.Cookie; // it is one browser
        using var allowed = await one.AnswerAsync(ticket);
        Assert.Equal(HttpStatusCode.SeeOther, allowed.StatusCode);
        (string, string)[] form =
        [
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", OAuthServer.Query(allowed)["code"]),
            ("code_verifier", OAuthServer.Verifier),
        ];

        using var answer = await two.TokenAsync(form);
        var tokens = await OAuthServer.JsonAsync(answer);
        Assert.True(answer.IsSuccessStatusCode, tokens.ToString());
        Assert.Equal(HttpStatusCode.OK, await one.CallAsync(tokens.GetProperty("access_token").GetString()!));
        var refresh = tokens.GetProperty("refresh_token").GetString()!;
        using var refreshed = await one.RefreshAsync(client, refresh);
        var renewed = await OAuthServer.JsonAsync(refreshed);
        Assert.True(refreshed.IsSuccessStatusCode, renewed.ToString());
        Assert.Equal(HttpStatusCode.OK, await two.CallAsync(renewed.GetProperty("access_token").GetString()!));

        using var again = await one.TokenAsync(form);
        Assert.Equal("invalid_grant", (await OAuthServer.JsonAsync(again)).GetProperty("error").GetString());
    }
}
