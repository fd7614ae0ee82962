using System.Net;
using System.Text.Json;

namespace MinimalMcp.Tests.Auth.Server;

/// <summary>Signing in with the server's own page, from the first look at the documents to the last refresh.</summary>
public sealed class FlowTests
{
    [Fact]
    public async Task A_client_that_registered_itself_gets_tokens_that_call_tools()
    {
        await using var oauth = OAuthServer.Start();
        var client = await oauth.RegisterAsync();

        var answer = await oauth.AuthorizeAsync(client);
        Assert.Equal(("s&t=1", oauth.Issuer), (answer["state"], answer["iss"]));
        using var token = await oauth.TokenAsync(
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", answer["code"]),
            ("code_verifier", OAuthServer.Verifier),
            ("resource", oauth.Resource)
        );
        var tokens = await OAuthServer.JsonAsync(token);

        Assert.Equal("no-store", token.Headers.CacheControl!.ToString());
        Assert.Equal(
            ("Bearer", 3600, "mcp:read mcp:write"),
            (
                tokens.GetProperty("token_type").GetString(),
                tokens.GetProperty("expires_in").GetInt32(),
                tokens.GetProperty("scope").GetString()
            )
        );
        var claims = OAuthServer.Claims(tokens.GetProperty("access_token").GetString()!);
        Assert.Equal(
            (oauth.Issuer, oauth.Resource, "default", client),
            (
                claims.GetProperty("iss").GetString(),
                claims.GetProperty("aud").GetString(),
                claims.GetProperty("sub").GetString(),
                claims.GetProperty("client_id").GetString()
            )
        );
        Assert.Equal(HttpStatusCode.OK, await oauth.CallAsync(tokens.GetProperty("access_token").GetString()!));
        Assert.Equal(
            HttpStatusCode.OK,
            await oauth.CallAsync(tokens.GetProperty("access_token").GetString()!, "pick_note", """{"code":"milk"}""")
        );
    }

    [Fact]
    public async Task Refreshing_gives_a_new_pair_and_the_old_one_is_taken_again_for_a_moment()
    {
        await using var oauth = OAuthServer.Start();
        var client = await oauth.RegisterAsync();
        var first = (await oauth.SignInAsync(client)).GetProperty("refresh_token").GetString()!;

        using var answer = await oauth.RefreshAsync(client, first);
        using var again = await oauth.RefreshAsync(client, first); // the first answer was lost
        var (second, repeated) = (await OAuthServer.JsonAsync(answer), await OAuthServer.JsonAsync(again));

        Assert.NotEqual(first, second.GetProperty("refresh_token").GetString());
        Assert.Equal(
            second.GetProperty("refresh_token").GetString(),
            repeated.GetProperty("refresh_token").GetString()
        );
        Assert.Equal(HttpStatusCode.OK, await oauth.CallAsync(repeated.GetProperty("access_token").GetString()!));
        using var third = await oauth.RefreshAsync(
            client,
            second.GetProperty("refresh_token").GetString()!,
            "mcp:read"
        );
        var narrow = await OAuthServer.JsonAsync(third);
        Assert.Equal("mcp:read", narrow.GetProperty("scope").GetString());
        Assert.Equal(
            HttpStatusCode.Forbidden,
            await oauth.CallAsync(narrow.GetProperty("access_token").GetString()!, "pick_note", """{"code":"milk"}""")
        );
        using var wide = await oauth.RefreshAsync(client, narrow.GetProperty("refresh_token").GetString()!);
        // the refresh token kept all of it
        Assert.Equal("mcp:read mcp:write", (await OAuthServer.JsonAsync(wide)).GetProperty("scope").GetString());
    }
}
