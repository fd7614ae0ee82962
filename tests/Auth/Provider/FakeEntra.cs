using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace MinimalMcp.Tests.Auth.Provider;

/// <summary>
/// Entra's rules as far as they trip MCP clients up: two versions with two issuers, metadata without S256, no
/// registration, <c>resource</c> refused, scopes of nobody refused, keys without <c>alg</c>, and people whose address
/// is not verified. Its issuers are the real ones; only its addresses are on loopback.
/// </summary>
internal sealed class FakeEntra : FakeProvider
{
    public const string Tenant = "11111111-2222-3333-4444-555555555555",
        ClientId = "99999999-8888-7777-6666-555555555555",
        Secret = "Xq8~entra-secret-of-the-test";
    public const string V1 = $"https://sts.windows.net/{Tenant}/",
        V2 = $"https://login.microsoftonline.com/{Tenant}/v2.0";

    private readonly ConcurrentDictionary<string, IQueryCollection> _codes = new();

    private FakeEntra(TestKey key)
    {
        Key = key;
        Keys.Add(key);
        KeysSayAlgorithm = false;
        Map($"/{Tenant}/.well-known/openid-configuration", () => Metadata(V1, $"/{Tenant}/oauth2"));
        Map($"/{Tenant}/v2.0/.well-known/openid-configuration", () =>
        {
            var metadata = Metadata(V2, $"/{Tenant}/oauth2/v2.0");
            if (UserInfo is not null)
            {
                metadata["userinfo_endpoint"] = Url + "/userinfo";
            }

            metadata["token_endpoint_auth_methods_supported"] = new JsonArray("client_secret_post", "private_key_jwt");
            return metadata;
        });
        Map("/organizations/v2.0/.well-known/openid-configuration", () =>
            Metadata("https://login.microsoftonline.com/{tenantid}/v2.0", $"/{Tenant}/oauth2/v2.0")
        );
        App.MapGet("/userinfo", http =>
            http.Request.Headers.Authorization == "Bearer a-token-for-graph"
                ? UserInfo!(http)
                : Results.Unauthorized().ExecuteAsync(http)
        );
        App.MapGet($"/{Tenant}/oauth2/v2.0/authorize", (Delegate)Authorize);
        App.MapPost($"/{Tenant}/oauth2/v2.0/token", (Delegate)TokenAsync);
    }

    public TestKey Key { get; }

    public string V1Config => $"{Url}/{Tenant}/.well-known/openid-configuration";

    public string V2Config => $"{Url}/{Tenant}/v2.0/.well-known/openid-configuration";

    /// <summary>Changes what the ID token says.</summary>
    public Action<JsonObject>? IdToken { get; set; }

    /// <summary>Answers what the ID token leaves out; null when there is no such endpoint.</summary>
    public RequestDelegate? UserInfo { get; set; }

    /// <summary>The redirect addresses that are registered.</summary>
    public HashSet<string> RedirectUris { get; } = [];

    public ConcurrentQueue<string> Forms { get; } = [];

    public static async Task<FakeEntra> StartAsync()
    {
        var entra = new FakeEntra(TestKey.New("entra-1", "RS256"));
        await entra.ListenAsync();
        return entra;
    }

    /// <summary>A server whose people and operators sign in here.</summary>
    /// <param name="here">
    /// Its address, another site than this provider's: the answer comes without cookies that are SameSite=Strict.
    /// </param>
    public TestServer StartServer(out string here)
    {
        var port = FreePort.Find();
        here = $"http://localhost:{port}";
        RedirectUris.Add(here + "/auth/callback");
        return TestServer.Start(
            ("urls", $"http://127.0.0.1:{port}"),
            ("Server:PublicUrl", here),
            ("Auth:Mode", "oauth2"),
            ("Auth:Provider:Issuer", V2),
            ("Auth:Provider:ConfigUrl", V2Config),
            ("Auth:Provider:Audience", ClientId),
            ("Auth:Provider:ClientId", ClientId),
            ("Auth:Provider:ClientSecret", Secret),
            ("Auth:Provider:Name", "Contoso"),
            ("Auth:Provider:AdminRoles", "Operators")
        );
    }

    // The person is signed in already, so the answer comes at once.
    private IResult Authorize(HttpContext http)
    {
        var query = http.Request.Query;
        if (query["client_id"] != ClientId)
        {
            return Results.Text("AADSTS700016: Application was not found in the directory.", statusCode: 400);
        }

        if (!RedirectUris.Contains(query["redirect_uri"].ToString()))
        {
            return Results.Text(
                "AADSTS50011: The redirect URI specified in the request does not match the redirect URIs configured "
                    + "for the application.",
                statusCode: 400
            );
        }

        if (query.ContainsKey("resource"))
        {
            return Refuse(
                query,
                "invalid_request",
                "AADSTS9010010: The resource parameter provided in the request doesn't match with the requested scopes."
            );
        }

        if (
            query["scope"]
                .ToString()
                .Split(' ')
                .Except(["openid", "profile", "email", "offline_access"])
                .FirstOrDefault() is
            { } unknown
        )
        {
            return Refuse(
                query,
                "invalid_client",
                $"AADSTS650053: The application 'Tools' asked for scope '{unknown}' that doesn't exist on the "
                    + "resource '00000003-0000-0000-c000-000000000000'."
            );
        }

        var code = "1.AXoA" + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(300));
        _codes[code] = query;
        return Results.Redirect(
            QueryHelpers.AddQueryString(
                query["redirect_uri"]!,
                new Dictionary<string, string?>
                {
                    ["code"] = code,
                    ["state"] = query["state"],
                    ["session_state"] = Guid.Empty.ToString(),
                }
            )
        );
    }

    private async Task<IResult> TokenAsync(HttpContext http)
    {
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        Forms.Enqueue(string.Join('&', form.Keys));
        var (id, secret) = Credentials(http, form);
        if (id != ClientId || secret != Secret)
        {
            return Results.Json(
                new { error = "invalid_client", error_description = "AADSTS7000215: Invalid client secret provided." },
                statusCode: 401
            );
        }

        if (form.ContainsKey("resource"))
        {
            return Results.Json(
                new
                {
                    error = "invalid_request",
                    error_description = "AADSTS9010010: The resource parameter provided in the request doesn't match "
                        + "with the requested scopes.",
                },
                statusCode: 400
            );
        }

        if (
            !_codes.TryRemove(form["code"].ToString(), out var asked)
            || asked["redirect_uri"] != form["redirect_uri"]
            || asked["code_challenge"]
                != Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString())))
        )
        {
            return Results.Json(
                new
                {
                    error = "invalid_grant",
                    error_description = "AADSTS501481: The Code_Verifier does not match the code_challenge supplied "
                        + "in the authorization request.",
                },
                statusCode: 400
            );
        }

        var forge = new Forge(V2, Key);
        var claims = new JsonObject
        {
            ["iss"] = V2,
            ["aud"] = ClientId,
            ["tid"] = Tenant,
            ["sub"] = "pairwise-anna",
            ["oid"] = "aaaaaaaa-0000-0000-0000-000000000001",
            ["name"] = "Anna Example",
            ["preferred_username"] = "anna@contoso.example",
            ["email"] = "anna@contoso.example",
            ["nonce"] = asked["nonce"].ToString(),
            ["ver"] = "2.0",
            ["iat"] = Forge.Now,
            ["nbf"] = Forge.Now,
            ["exp"] = Forge.Now + 3600,
        };
        IdToken?.Invoke(claims);
        return Results.Json(
            new
            {
                token_type = "Bearer",
                scope = "openid profile email",
                expires_in = 3600,
                access_token = "a-token-for-graph",
                id_token = forge.Sign(forge.Header(), claims),
            }
        );
    }

    private static (string? Id, string? Secret) Credentials(HttpContext http, IFormCollection form)
    {
        if (http.Request.Headers.Authorization.ToString() is { Length: > 6 } basic)
        {
            var pair = Encoding
                .UTF8.GetString(Convert.FromBase64String(basic[6..]))
                .Split(':')
                .Select(Uri.UnescapeDataString)
                .ToArray();
            return (pair[0], pair[1]);
        }

        return (form["client_id"], form["client_secret"]);
    }

    private static IResult Refuse(IQueryCollection query, string error, string description) =>
        Results.Redirect(
            QueryHelpers.AddQueryString(
                query["redirect_uri"]!,
                new Dictionary<string, string?>
                {
                    ["error"] = error,
                    ["error_description"] = description,
                    ["state"] = query["state"],
                }
            )
        );
}
