using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Configuration;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// Looks once whether people can sign in, and clients get their answer; then from time to time: removes what has
/// expired, and looks whether it is time for a new key.
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
                "Nobody could sign in: set MCP_API_KEY to what `openssl rand -hex 32` prints, and type it on the "
                    + "page that asks; or add people under Auth:Users."
            );
        }

        // Some guides say to enter this server's own address, where no client waits for the code.
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
        "The client {Client} could not sign in: its redirect address (OAUTH_REDIRECT_URI) "
            + "{Redirect} is on this server, where a sign-in can only be tried by hand. It must be the client's own. "
            + "ChatGPT shows it for each action: https://chat.openai.com/aip/g-.../oauth/callback"
    )]
    private partial void LogOwnAddress(string client, string redirect);

    [LoggerMessage(LogLevel.Warning, "The authorization server's upkeep has to wait: {Problem}")]
    private partial void LogGone(string problem);
}
