using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Server;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Configuration;

namespace MinimalMcp.Auth.Provider;

public static class ProviderSetup
{
    /// <summary>
    /// An identity provider, in one of two parts. With a client of ours there (<c>Auth:Provider:ClientId</c>) and our own authorization server, people sign in
    /// at the provider, and tokens are ours. Otherwise its tokens are taken as they are: in mode oauth2, in mode hybrid beside keys, and in mode mixed from whoever wants to do more than read.
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
        if (signsIn)
        {
            services.AddSingleton<CodeExchange>();
            services.AddSingleton<UserInfo>();
            services.AddSingleton<ISignIn, ProviderSignIn>();
        }

        if (issues)
        {
            services
                .AddOptions<ProviderOptions>()
                .Validate(
                    provider => ProviderOptions.List(provider.Audience).Any(),
                    "Auth:Provider:Audience (OAUTH2_AUDIENCE) is not set. It is what the provider writes into tokens for this server, for example the application's id: a token for somebody else must not open this one."
                );
            services.AddSingleton<Introspection>();
            services.AddSingleton<IAccessTokens, ProviderTokens>();
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
        ISignIn? signIn = null
    ) : IHostedService
    {
        public async Task StartAsync(CancellationToken cancellationToken)
        {
            if (signIn is not null && new AllowedPeople(options.Value).AreEverybody)
            {
                ProviderLog.EverybodyMayUse(logger, signIn.Name);
            }

            await documents.CheckAsync(cancellationToken);
            if (signIn is null && documents.LacksForNewClients() is { } lacks)
            {
                ProviderLog.NoNewClients(logger, lacks);
            }
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
