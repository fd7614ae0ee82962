using System.Collections.Concurrent;
using System.Security.Claims;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Auth;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Configuration;

namespace MinimalMcp.Tests.Auth;

/// <summary>
/// Stands in for whoever issues tokens, where a test is about what happens before and after: "ann.read+write.x" is a
/// token of ann.
/// </summary>
internal sealed class TestTokens : IAccessTokenVerifier
{
    private readonly ConcurrentDictionary<string, ClaimsPrincipal> _seen = new();

    public static void AddTo(IServiceCollection services) =>
        services
            .AddSingleton<IAccessTokenVerifier, TestTokens>()
            .AddSingleton<IAuthorizationServerMetadata, TestMetadata>();

    public static void WithNotes(IServiceCollection services)
    {
        NotesTools.Alone(services);
        AddTo(services);
    }

    /// <summary>Seen tokens, as the real ones have them: the short cut admits them.</summary>
    public ClaimsPrincipal? Known(string token) => _seen.GetValueOrDefault(token);

    public async ValueTask<ClaimsPrincipal> CheckAsync(string token, CancellationToken cancellationToken)
    {
        if (token.StartsWith("slow.", StringComparison.Ordinal))
        {
            await Task.Yield(); // not known yet
        }

        return token.Split('.') switch
        {
            ["expired", ..] => throw new TokenRefusedException("The token has expired."),
            ["foreign", ..] => throw new TokenRefusedException("The token is for another audience."),
            ["stranger", ..] => throw new TokenRefusedException(
                "This client is not one of those that may use this server."
            )
            {
                IsForbidden = true,
            },
            ["offline", ..] => throw new HttpRequestException("No route to host."),
            [var name, var scopes, "x"] => _seen.GetOrAdd(token, _ =>
                new(
                    new ClaimsIdentity(
                        [
                            new("sub", name),
                            new("client_id", "app"),
                            .. scopes.Split('+').Select(scope => new Claim("scope", "mcp:" + scope)),
                        ],
                        "test"
                    )
                )
            ),
            _ => throw new TokenRefusedException("This is no access token.\"\r\n"),
        };
    }

    private sealed class TestMetadata(IServiceProvider services) : IAuthorizationServerMetadata
    {
        public string Issuer => PublicUrl.Fixed(services);

        public ValueTask<JsonObject> DocumentAsync(CancellationToken cancellationToken) =>
            new(
                new JsonObject
                {
                    ["issuer"] = Issuer,
                    ["authorization_endpoint"] = Issuer + "/auth/authorize",
                    ["token_endpoint"] = Issuer + "/auth/token",
                    ["registration_endpoint"] = Issuer + "/auth/register",
                    ["jwks_uri"] = Issuer + "/auth/jwks",
                    ["response_types_supported"] = new JsonArray("code"),
                    ["code_challenge_methods_supported"] = new JsonArray("S256"),
                }
            );
    }
}

/// <summary>A server in each mode.</summary>
public static class Modes
{
    public const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa";
    public const string Reader = "Zk7Qw2Rt9Yb4Nm6Xc1Vp8Ls3Hd5Jf0Ga";

    public static readonly string[] All = ["none", "api-key", "oauth2", "embedded", "hybrid", "mixed"];

    public static readonly string[] OAuth = ["oauth2", "embedded", "hybrid", "mixed"];

    internal static TestServer Start(string mode, params (string, string)[] settings) =>
        Start(TestTokens.WithNotes, mode, settings);

    internal static TestServer Start(
        Action<IServiceCollection> services,
        string mode,
        params (string, string)[] settings
    ) =>
        TestServer.Start(
            services,
            [
                ("Auth:Mode", mode),
                .. mode != "none"
                    ?
                    [
                        ("Auth:ApiKey", Key),
                        ("Auth:ApiKeys:reader:Key", Reader),
                        ("Auth:ApiKeys:reader:Scopes", "mcp:read"),
                    ]
                    : Array.Empty<(string, string)>(), // to call with, or to sign in with
                .. mode == "oauth2"
                    ?
                    [
                        ("Auth:Provider:Issuer", "http://127.0.0.1:9"),
                        ("Auth:Provider:JwksUri", "http://127.0.0.1:9/keys"),
                        ("Auth:Provider:Audience", "tools"),
                    ]
                    : Array.Empty<(string, string)>(), // nobody listens there
                .. settings,
            ]
        );
}
