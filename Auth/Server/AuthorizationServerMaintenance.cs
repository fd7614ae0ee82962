using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Configuration;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// Checks at the start that users can sign in and clients get their response. Then deletes expired grants, codes and
/// tokens periodically, and rotates the signing keys.
/// </summary>
internal sealed partial class AuthorizationServerMaintenance(
    Store store,
    SigningKeys keys,
    SignInCredentials credentials,
    IAccessTokenVerifier tokens,
    IOptions<AuthorizationServerOptions> options,
    IConfiguration configuration,
    TimeProvider time,
    ILogger<AuthorizationServerMaintenance> log,
    IExternalSignIn? signIn = null
) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(10);

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        if (
            signIn is null
            && !credentials.AreThere
            && tokens is IssuedTokenVerifier
            && !options.Value.HasConfidentialClient
        )
        {
            throw new StartupException(
                "Nobody can sign in: no API key, user or identity provider is configured. Set MCP_API_KEY to the "
                    + "output of `openssl rand -hex 32` and enter it on the sign-in page, or add users under "
                    + "Auth:Users."
            );
        }

        // Some guides use this server's own URL as redirect URI, where no client receives the code.
        if (PublicUrl.Configured(configuration) is { } own)
        {
            foreach (
                var (client, redirect) in options.Value.StaticClients.SelectMany(client =>
                    client.Value.Redirects.Select(redirect => (client.Key, redirect))
                )
            )
            {
                if (new Uri(redirect).Authority == new Uri(own).Authority)
                {
                    LogOwnAddress(client, redirect);
                }
            }
        }

        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        do
        {
            try
            {
                await keys.ReadAsync(stoppingToken);
                await store.PruneOAuthAsync(time.GetUtcNow().ToUnixTimeMilliseconds(), stoppingToken);
            }
            catch (StorageException gone)
            {
                LogGone(gone.Message);
            }
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(
        LogLevel.Warning,
        "Redirect URI (OAUTH_REDIRECT_URI) of the client is on this server, so the client cannot sign in {Client} "
            + "{RedirectUri}. Set it to the client's own: ChatGPT shows it for each action, as "
            + "https://chat.openai.com/aip/g-.../oauth/callback"
    )]
    private partial void LogOwnAddress(string client, string redirectUri);

    [LoggerMessage(
        LogLevel.Warning,
        "Authorization server cleanup failed, because the store is unavailable " + "{Reason}"
    )]
    private partial void LogGone(string reason);
}
