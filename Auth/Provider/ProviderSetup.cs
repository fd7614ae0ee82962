using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Server;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Configuration;

namespace MinimalMcp.Auth.Provider;

internal static class ProviderSetup
{
    /// <summary>
    /// Adds an identity provider in one of two roles. With <c>Auth:Provider:ClientId</c> and the built-in authorization
    /// server, users sign in at the provider and this server issues the tokens. Otherwise the provider's tokens are
    /// accepted: in mode oauth2; in mode hybrid beside API keys; in mode mixed for everything beyond reading.
    /// </summary>
    public static IHostApplicationBuilder AddIdentityProvider(this IHostApplicationBuilder builder)
    {
        var mode = (builder.Configuration["Auth:Mode"] ?? "none").ToLowerInvariant();
        var signsIn =
            mode is "embedded" or "hybrid" or "mixed"
            && builder.Configuration["Auth:Provider:ClientId"] is { Length: > 0 };
        var issues =
            mode is "oauth2"
            || (
                mode is "hybrid" or "mixed"
                && !signsIn
                && builder.Configuration["Auth:Provider:Issuer"] is { Length: > 0 }
            );
        if (!signsIn && !issues)
        {
            return builder;
        }

        var services = builder.Services;
        services.AddSettings<ProviderOptions>("Auth:Provider");
        services.AddSingleton<ProviderDocuments>();
        services.AddHostedService<ProviderCheck>();
        services.AddHttpClient(CodeExchange.Client);
        // Where the provider issues the tokens, operators can sign in there all the same.
        var adminRoles = builder.Configuration["Auth:Provider:AdminRoles"];
        if (
            signsIn
            || (adminRoles is { Length: > 0 } && builder.Configuration["Auth:Provider:ClientId"] is { Length: > 0 })
        )
        {
            services.AddSingleton<CodeExchange>();
            services.AddSingleton<UserInfo>();
            services.AddSingleton<IExternalSignIn, ProviderSignIn>();
        }

        if (issues)
        {
            services
                .AddOptions<ProviderOptions>()
                .Validate(
                    provider => ProviderOptions.List(provider.Audience).Any(),
                    "Auth:Provider:Audience (OAUTH2_AUDIENCE) is not set. Set it to the audience of tokens for "
                        + "this server, for example the application's id: tokens for other servers must not be "
                        + "accepted."
                );
            services.AddSingleton<Introspection>();
            services.AddSingleton<IAccessTokenVerifier, ProviderTokenVerifier>();
            services.AddSingleton<IAuthorizationServerMetadata>(provider =>
                provider.GetRequiredService<ProviderDocuments>()
            );
        }

        return builder;
    }

    private sealed class ProviderCheck(
        ProviderDocuments documents,
        IOptions<ProviderOptions> options,
        ILogger<ProviderCheck> logger,
        IExternalSignIn? signIn = null,
        IAuthorizationServerMetadata? issuer = null
    ) : IHostedService
    {
        public async Task StartAsync(CancellationToken cancellationToken)
        {
            var issues = issuer is ProviderDocuments;
            if (!issues && signIn is not null && new UserAllowList(options.Value).AreEverybody)
            {
                ProviderLog.EverybodyMayUse(logger, signIn.Name);
            }

            await documents.CheckAsync(cancellationToken);
            if (issues && documents.LacksForNewClients() is { } lacks)
            {
                ProviderLog.NoNewClients(logger, lacks);
            }
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
