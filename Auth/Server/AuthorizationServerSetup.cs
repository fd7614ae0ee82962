using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Configuration;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// Registers the built-in authorization server (OAuth 2.1): ChatGPT sends users here to grant access to this server's
/// tools.
/// </summary>
internal static class AuthorizationServerSetup
{
    /// <summary>Does nothing in modes where this server issues no tokens.</summary>
    public static IHostApplicationBuilder AddAuthorizationServer(this IHostApplicationBuilder builder)
    {
        if (!IsOn(builder.Configuration))
        {
            return builder;
        }

        builder.Services.AddSettings<AuthorizationServerOptions>("Auth:Server");
        builder
            .Services.AddOptions<AuthorizationServerOptions>()
            .Configure<IConfiguration>(
                (options, configuration) => configuration.GetSection("Auth:Users").Bind(options.Users)
            );
        builder.Services.AddSingleton<IValidateOptions<AuthorizationServerOptions>, AuthorizationServerCheck>();
        builder.Services.TryAddKeyedSingleton(ClientMetadataDocuments.Key, new SafeFetch());
        foreach (
            var part in (Type[])
                [
                    typeof(Issuer),
                    typeof(ServerSecret),
                    typeof(SigningKeys),
                    typeof(IssuedTokenVerifier),
                    typeof(Grants),
                    typeof(SignInCredentials),
                    typeof(Clients),
                    typeof(ClientMetadataDocuments),
                    typeof(ClientAssertion),
                    typeof(ClientAuthentication),
                    typeof(AuthorizationTickets),
                    typeof(Consent),
                    typeof(ManualCallback),
                    typeof(AuthorizeEndpoint),
                    typeof(TokenEndpoint),
                    typeof(RevocationEndpoint),
                    typeof(UserInfoEndpoint),
                    typeof(AuthorizationServerMetadata),
                ]
        )
        {
            builder.Services.AddSingleton(part);
        }

        builder.Services.AddSingleton(services =>
        {
            // Tokens of those who signed in with a key end with it.
            var cache = new VerifiedTokenCache(services.GetRequiredService<TimeProvider>());
            services.GetRequiredService<ApiKeys>().Ended += cache.Clear;
            return cache;
        });
        builder.Services.AddSingleton<IAccessTokenVerifier>(services =>
            services.GetRequiredService<IssuedTokenVerifier>()
        );
        builder.Services.AddSingleton<IAuthorizationServerMetadata>(services =>
            services.GetRequiredService<AuthorizationServerMetadata>()
        );
        builder.Services.AddHostedService<AuthorizationServerMaintenance>();
        return builder;
    }

    /// <summary>
    /// Maps the endpoints. They are anonymous, since their callers have no token yet; each authenticates by itself.
    /// </summary>
    public static IEndpointRouteBuilder MapAuthorizationServer(this IEndpointRouteBuilder routes)
    {
        if (!IsOn(routes.ServiceProvider.GetRequiredService<IConfiguration>()))
        {
            return routes;
        }

        var group = routes.MapGroup("/auth").AllowAnonymous();
        group.MapGet("/authorize", OAuthResponses.Page(http => The<AuthorizeEndpoint>(http).GetAsync(http)));
        group.MapPost("/authorize", OAuthResponses.Page(http => The<AuthorizeEndpoint>(http).PostAsync(http)));
        group.MapPost("/token", OAuthResponses.Json(async http => await The<TokenEndpoint>(http).PostAsync(http)));
        group.MapPost("/register", OAuthResponses.Json(RegisterAsync, StatusCodes.Status201Created));
        group.MapPost(
            "/introspect",
            OAuthResponses.Json(async http => await The<RevocationEndpoint>(http).IntrospectAsync(http))
        );
        group.MapPost(
            "/revoke",
            OAuthResponses.Json(async http =>
            {
                await The<RevocationEndpoint>(http).RevokeAsync(http);
                return null;
            })
        );
        group.MapGet("/jwks", (RequestDelegate)JwksAsync);
        group.MapMethods(
            "/userinfo",
            [HttpMethods.Get, HttpMethods.Post],
            (RequestDelegate)(http => The<UserInfoEndpoint>(http).GetAsync(http))
        );

        group.AllowHead();
        return routes;
    }

    // In modes hybrid and mixed the identity provider issues the tokens when one is configured without a client id.
    internal static bool IsOn(IConfiguration configuration) =>
        configuration["Auth:Mode"]?.ToLowerInvariant() switch
        {
            "embedded" => true,
            "hybrid" or "mixed" => configuration["Auth:Provider:ClientId"] is { Length: > 0 }
                || configuration["Auth:Provider:Issuer"] is null or "",
            _ => false,
        };

    private static async Task<JsonObject?> RegisterAsync(HttpContext http) =>
        await The<Clients>(http).RegisterAsync(await OAuthResponses.ReadJsonAsync(http), http);

    private static async Task JwksAsync(HttpContext http)
    {
        var keys = await The<SigningKeys>(http).PublishedAsync(http.RequestAborted);
        http.Response.Headers.CacheControl = "public, max-age=300";
        await http.Response.WriteAsJsonAsync(
            new JsonObject { ["keys"] = new JsonArray([.. keys.Select(key => key.ToJwk())]) },
            http.RequestAborted
        );
    }

    private static T The<T>(HttpContext http)
        where T : notnull => http.RequestServices.GetRequiredService<T>();
}
