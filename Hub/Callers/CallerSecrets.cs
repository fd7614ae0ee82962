using System.Text;
using MinimalMcp.Auth;
using MinimalMcp.Hub.SignIn;
using MinimalMcp.Storage;

namespace MinimalMcp.Hub.Callers;

/// <summary>A caller's secret for a server.</summary>
internal sealed record CallerSecret(string Value, long Version);

/// <summary>What a caller sees of the own secret for a server.</summary>
/// <param name="IsUsable">False when it was stored for another address of the server, or with another key.</param>
internal sealed record StoredCallerSecret(DateTimeOffset StoredAt, bool IsUsable);

/// <summary>
/// The secrets that callers stored for servers with <c>auth_type</c> per_caller. Each is encrypted for one server, one
/// address and one caller: it is of no use in another row, and is not sent to an address that the server gets later.
/// </summary>
internal sealed partial class CallerSecrets(
    Store store,
    ServerKeys keys,
    HubAddress address,
    TimeProvider time,
    ILogger<CallerSecrets> logger
)
{
    /// <summary>The number of secrets that one caller may have.</summary>
    public const int Most = 100;

    public const int MaxLength = 4096;

    private readonly Lazy<SealingKey> _key = new(
        () => keys.Sealing("minimal hub: caller secrets"),
        LazyThreadSafetyMode.PublicationOnly
    );

    /// <summary>Raised with the server and the caller when a secret was stored or deleted here.</summary>
    public event Action<long, string>? Changed;

    /// <summary>The page on which callers store their secrets.</summary>
    public string Page => address.Connections;

    /// <summary>Why a secret cannot be stored; null when it can.</summary>
    public static string? Problem(string? secret) =>
        secret is null or "" ? "Enter the secret."
        : secret.Length > MaxLength ? $"The secret is longer than {MaxLength} characters, which is the limit."
        : secret != secret.Trim() || secret.Any(letter => letter is < ' ' or > '~')
            ? "The secret has a space at an end, or a character that no HTTP header may have. Copy it again."
        : null;

    /// <summary>The secret that is good for the server as it is registered now; null when there is none.</summary>
    public async ValueTask<CallerSecret?> FindAsync(
        ServerDefinition server,
        string subject,
        CancellationToken cancellationToken
    ) =>
        await store.CallerSecretAsync(server.Id, subject, cancellationToken) is { } row
        && _key.Value.Open(row.Sealed, Place(server, subject)) is { } opened
            ? new(Encoding.UTF8.GetString(opened), row.Version)
            : null;

    /// <summary>Which servers the caller stored a secret for, by their numbers.</summary>
    public async Task<IReadOnlyDictionary<long, StoredCallerSecret>> ListAsync(
        IReadOnlyList<ServerDefinition> servers,
        string subject,
        CancellationToken cancellationToken
    ) =>
        (await store.CallerSecretsAsync(subject, cancellationToken)).ToDictionary(
            row => row.ServerId,
            row => new StoredCallerSecret(
                DateTimeOffset.FromUnixTimeMilliseconds(row.Stored),
                servers.FirstOrDefault(server => server.Id == row.ServerId) is { Address: not null } server
                    && _key.Value.Open(row.Sealed, Place(server, subject)) is not null
            )
        );

    /// <summary>Stores a secret in place of the one before. Throws when it cannot be.</summary>
    public async Task SetAsync(
        ServerDefinition server,
        string subject,
        string? secret,
        CancellationToken cancellationToken
    )
    {
        if (Problem(secret) is { } wrong)
        {
            throw new ServerRefusedException(StatusCodes.Status422UnprocessableEntity, wrong);
        }

        if (server.Auth is not AuthType.PerCaller || server.Address is null)
        {
            throw new ServerRefusedException(
                StatusCodes.Status409Conflict,
                $"{server.Name} takes no secrets of callers (any more). Ask the operator of this server."
            );
        }

        var text = _key.Value.Seal(Encoding.UTF8.GetBytes(secret!), Place(server, subject));
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        if (!await store.SetCallerSecretAsync(server.Id, subject, text, now, Most, cancellationToken))
        {
            throw new ServerRefusedException(
                StatusCodes.Status409Conflict,
                $"You have {Most} secrets, which is the limit, or the server was deleted. Delete a secret that you "
                    + "do not need."
            );
        }

        LogStored(server.Name, subject);
        Changed?.Invoke(server.Id, subject);
    }

    public async Task DeleteAsync(long serverId, string subject, CancellationToken cancellationToken)
    {
        if (await store.DeleteCallerSecretAsync(serverId, subject, cancellationToken))
        {
            LogDeleted(serverId, subject);
        }

        Changed?.Invoke(serverId, subject);
    }

    // A subject may have any character, so it comes last.
    private static string Place(ServerDefinition server, string subject) =>
        $"hub_caller_secrets {server.Id}\n{server.Address!.AbsoluteUri}\n{subject}";

    [LoggerMessage(LogLevel.Information, "A caller stored a secret for a server {Server} {Caller}")]
    private partial void LogStored(string server, string caller);

    [LoggerMessage(LogLevel.Information, "A caller deleted a secret for a server {ServerId} {Caller}")]
    private partial void LogDeleted(long serverId, string caller);
}
