using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using MinimalMcp.Auth;
using MinimalMcp.Auth.Server;
using MinimalMcp.Configuration;
using MinimalMcp.Hub.Remote;
using MinimalMcp.Storage;

namespace MinimalMcp.Hub.SignIn;

/// <summary>
/// An operator's sign-in at a server, in a browser: begun on one replica, finished on any, once and within ten minutes.
/// </summary>
internal sealed class UpstreamSignIn(
    ServerRegistry registry,
    OAuthDiscovery discovery,
    OAuthRequests requests,
    UpstreamTokens tokens,
    Store store,
    ServerKeys keys,
    HubAddress address,
    IServiceProvider services,
    TimeProvider time
)
{
    public const string Callback = "/sign-in/callback";

    private const string Cookie = "hub-sign-in";
    private const int MaxCode = 8 * 1024;

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private readonly Lazy<SealingKey> _key = new(
        () => keys.Sealing("minimal hub: sign-ins"),
        LazyThreadSafetyMode.PublicationOnly
    );

    /// <summary>
    /// The address of the authorization server's page. A browser gets a cookie that the callback needs.
    /// </summary>
    public async Task<Uri> BeginAsync(HttpContext http, ServerDefinition server, bool inBrowser)
    {
        if (server.Auth is not AuthType.Oauth || server.Address is null)
        {
            throw new ServerRefusedException(409, "Nobody signs in at this server: its auth_type is not oauth.");
        }

        try
        {
            var at = await discovery.FindAsync(server, http.RequestAborted);
            var redirectUri = address.Callback;
            var client = await discovery.ClientAsync(server, at, redirectUri, http.RequestAborted);
            var (state, verifier) = (ReferenceTokens.New(), ReferenceTokens.New());
            var browser = inBrowser ? ReferenceTokens.New() : null;
            var begun = new BegunSignIn(
                server.Id,
                server.Address.AbsoluteUri,
                at.Resource,
                at.Issuer,
                at.NamesItself,
                at.Token,
                client,
                redirectUri,
                verifier,
                browser
            );
            var now = time.GetUtcNow();
            if (
                !await store.BeginServerSignInAsync(
                    ReferenceTokens.Hash(state),
                    _key.Value.Seal(JsonSerializer.SerializeToUtf8Bytes(begun, RecordJson.Default.BegunSignIn)),
                    now.ToUnixTimeMilliseconds(),
                    (now + Lifetime).ToUnixTimeMilliseconds(),
                    http.RequestAborted
                )
            )
            {
                throw new ServerRefusedException(429, "Too many sign-ins are under way. Try again in ten minutes.");
            }

            if (browser is not null)
            {
                SetCookie(http, browser);
            }

            return new(
                QueryHelpers.AddQueryString(
                    at.Authorize.AbsoluteUri,
                    new Dictionary<string, string?>
                    {
                        ["response_type"] = "code",
                        ["client_id"] = client.Id,
                        ["redirect_uri"] = redirectUri,
                        ["state"] = state,
                        ["code_challenge"] = Base64Url.EncodeToString(
                            SHA256.HashData(Encoding.ASCII.GetBytes(verifier))
                        ),
                        ["code_challenge_method"] = "S256",
                        ["resource"] = begun.Resource,
                        ["scope"] = at.Scope,
                    }.Where(parameter => parameter.Value is not null)
                )
            );
        }
        catch (Exception failure) when (failure is UpstreamRefusedException or UpstreamLostException)
        {
            throw new ServerRefusedException(StatusCodes.Status502BadGateway, failure.Message);
        }
    }

    /// <summary>What the authorization server's page sends the browser back with. Gives the server's name.</summary>
    public async Task<string> FinishAsync(HttpContext http)
    {
        var answer = http.Request.Query;
        var begun = await TakeAsync(http, answer["state"].ToString());
        var server = await registry.FindAsync(begun.ServerId, http.RequestAborted)
            ?? throw ServerRefusedException.NotFound();
        var iss = answer["iss"];
        if (
            answer.Any(member => member.Value.Count > 1)
            // RFC 9207: the answer of another server is not for us.
            || (iss.Count == 0 ? begun.NamesItself : iss.ToString() != begun.Issuer)
            || server.Address?.AbsoluteUri != begun.Address
        )
        {
            throw Failed("The answer is of another server, or the server's address has changed.");
        }

        if (answer["error"].ToString() is { Length: > 0 } error)
        {
            throw Failed(
                error == "access_denied" ? "The sign-in was declined." : "The authorization server refused the sign-in."
            );
        }

        if (answer["code"].ToString() is not { Length: > 0 and <= MaxCode } code)
        {
            throw Failed("The authorization server gave no code.");
        }

        await tokens.SetAsync(server.Id, await RedeemAsync(server, begun, code, http.RequestAborted), default);
        return server.Name;
    }

    private async Task<ServerTokens> RedeemAsync(
        ServerDefinition server,
        BegunSignIn begun,
        string code,
        CancellationToken cancellationToken
    )
    {
        var form = new Dictionary<string, string>
        {
            ["grant_type"] = "authorization_code",
            ["code"] = code,
            ["redirect_uri"] = begun.RedirectUri,
            ["code_verifier"] = begun.Verifier,
            ["resource"] = begun.Resource,
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, begun.Token);
        OAuthRequests.Authenticate(request, form, begun.Client);
        try
        {
            var (status, body) = await requests.SendAsync(request, server.Address!, cancellationToken);
            var before = new ServerTokens(
                begun.Address,
                begun.Resource,
                begun.Issuer,
                begun.Token,
                begun.Client,
                "",
                null,
                0,
                null
            );
            return status is HttpStatusCode.OK && tokens.Read(body, before) is { } given
                ? given
                : throw Failed($"The authorization server gave no token ({(int)status}).");
        }
        catch (Exception failure) when (failure is UpstreamRefusedException or UpstreamLostException)
        {
            throw Failed($"The authorization server gave no token: {failure.Message}.");
        }
    }

    private async Task<BegunSignIn> TakeAsync(HttpContext http, string state)
    {
        var found =
            state.Length is > 0 and < 200
            && await store.TakeServerSignInAsync(
                ReferenceTokens.Hash(state),
                time.GetUtcNow().ToUnixTimeMilliseconds(),
                http.RequestAborted
            )
                is { } row
            && _key.Value.Open(row) is { } opened
                ? JsonSerializer.Deserialize(opened, RecordJson.Default.BegunSignIn)
                : null;
        var isSame =
            found?.Browser is null
            || (http.Request.Cookies[Cookie] is { } shown && ReferenceTokens.Same(shown, found.Browser));
        return found is not null && isSame
            ? found
            : throw Failed("This sign-in was finished already, took longer than ten minutes, or began elsewhere.");
    }

    private void SetCookie(HttpContext http, string browser) =>
        http.Response.Cookies.Append(
            Cookie,
            browser,
            new()
            {
                HttpOnly = true,
                SameSite = SameSiteMode.Lax, // the authorization server sends the browser back
                Secure = PublicUrl.Fixed(services).StartsWith("https:", StringComparison.Ordinal),
                Path = address.Pattern + Callback,
                MaxAge = Lifetime,
            }
        );

    private static ServerRefusedException Failed(string why) =>
        new(StatusCodes.Status400BadRequest, why + " Start again at the server's sign-in.");

    internal sealed record BegunSignIn(
        long ServerId,
        string Address,
        string Resource,
        string Issuer,
        bool NamesItself,
        Uri Token,
        OAuthClient Client,
        string RedirectUri,
        string Verifier,
        string? Browser
    );
}
