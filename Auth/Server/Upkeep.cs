using MinimalMcp.Auth.Tokens;
using MinimalMcp.Configuration;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth.Server;

/// <summary>From time to time: removes what has expired, and looks whether it is time for a new key.</summary>
internal sealed partial class Upkeep(Store store, SigningKeys keys, Credentials credentials, IAccessTokens tokens, TimeProvider time, ILogger<Upkeep> log, ISignIn? signIn = null) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(10);

    public override Task StartAsync(CancellationToken cancellationToken) => signIn is null && !credentials.AreThere && tokens is OwnTokens
        ? throw new StartException("Nobody could sign in: set MCP_API_KEY to what `openssl rand -hex 32` prints, and type it on the page that asks; or add people under Auth:Users.")
        : base.StartAsync(cancellationToken);

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
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(LogLevel.Warning, "The authorization server's upkeep has to wait: {Problem}")]
    private partial void LogGone(string problem);
}
