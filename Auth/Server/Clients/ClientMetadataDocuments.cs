using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Tokens;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// Clients whose id is the https URL of their metadata document (OAuth Client ID Metadata Documents, draft 02). Anybody
/// can make this server fetch one, so fetches are limited and go to public addresses only.
/// </summary>
internal sealed partial class ClientMetadataDocuments(
    IOptions<AuthorizationServerOptions> options,
    [FromKeyedServices(ClientMetadataDocuments.Key)] SafeFetch fetch,
    RateLimiters limits,
    TimeProvider time,
    ILogger<ClientMetadataDocuments> log
)
{
    /// <summary>Of the fetch that is ours.</summary>
    public const string Key = "clients";

    private const int MaxBytes = 10 * 1024,
        MostKept = 1000;
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(15),
        Stale = TimeSpan.FromDays(1);

    private readonly ConcurrentDictionary<string, (object Value, DateTimeOffset Fetched)> _kept = new(
        StringComparer.Ordinal
    );

    private readonly Dictionary<string, Client> _pinned = options
        .Value.Documents.Values.Select(Pinned)
        .ToDictionary(client => client.Id, StringComparer.Ordinal);

    /// <summary>
    /// Whether a client id is the URL of a metadata document: https, canonical, with a path, and unambiguous for every
    /// parser.
    /// </summary>
    public bool IsAddress(string id) =>
        Uri.TryCreate(id, UriKind.Absolute, out var uri)
        && (uri.Scheme == "https" || (uri.Scheme == "http" && uri.IsLoopback && fetch.AllowsLoopback))
        && uri.AbsoluteUri == id
        && uri.AbsolutePath != "/"
        && uri is { UserInfo: "", Query: "", Fragment: "" }
        && !id.Contains('#')
        && !id.Contains("/./")
        && !id.Contains("/../");

    public async Task<Client?> FindAsync(string id, HttpContext http)
    {
        try
        {
            return _pinned.GetValueOrDefault(id)
                ?? await KeptAsync(
                    id,
                    new(id),
                    MaxBytes,
                    bytes => Read(id, bytes, address => RedirectAddress.IsAllowed(address, options.Value.Hosts)),
                    http
                );
        }
        catch (OAuthException unfit) when (unfit.Status == StatusCodes.Status400BadRequest)
        {
            LogUnfit(id, unfit.Message);
            return null;
        }
    }

    /// <summary>The keys that verify the client's assertions.</summary>
    /// <param name="newer">Fetch again, because the cached keys did not verify.</param>
    public async Task<JsonWebKeySet?> KeysAsync(Client client, bool newer, HttpContext http)
    {
        if (client.Metadata.Jwks is { } jwks)
        {
            return JsonWebKeySet.Parse(Encoding.UTF8.GetBytes(jwks));
        }

        return client.Metadata.JwksUri is { } address
            ? await KeptAsync(
                address.AbsoluteUri,
                address,
                JsonWebKeySet.MaxBytes,
                bytes => JsonWebKeySet.Parse(bytes),
                http,
                newer
            )
            : null;
    }

    private async Task<T?> KeptAsync<T>(
        string id,
        Uri address,
        int maxBytes,
        Func<byte[], T> read,
        HttpContext http,
        bool newer = false
    )
        where T : class
    {
        var now = time.GetUtcNow();
        var (value, fetched) = _kept.GetValueOrDefault(id);
        var kept = value as T;
        if (kept is not null && now < fetched + Fresh && !newer)
        {
            return kept;
        }

        var wait = limits.Fetches.TryTake(CallerAddress.Of(http))
            ?? limits.AllFetches.TryTake(System.Net.IPAddress.None);
        if (wait is not null)
        {
            return kept
                ?? throw OAuthException.BusyFor(
                    wait.Value,
                    "Too many client metadata documents were requested. Try again in a minute."
                );
        }

        try
        {
            var answer = read(await fetch.GetAsync(address, maxBytes, http.RequestAborted));
            if (_kept.Count >= MostKept)
            {
                _kept.Clear();
            }

            _kept[id] = (answer, now);
            return answer;
        }
        catch (Exception gone) when (gone is HttpRequestException or FormatException)
        {
            LogGone(gone.Message);
            return now < fetched + Stale ? kept : null; // an outage of the client's host must not end every connection
        }
    }

    /// <summary>A configured document: the operator is responsible for its redirect URIs.</summary>
    public static Client Pinned(string document)
    {
        var bytes = Encoding.UTF8.GetBytes(document);
        return Strict(bytes).TryGetProperty("client_id", out var id) && id.ValueKind is JsonValueKind.String
            ? Read(id.GetString()!, bytes, _ => true)
            : throw ClientMetadata.Invalid("The document has no client_id.");
    }

    private static Client Read(string id, byte[] bytes, Func<string, bool> takes)
    {
        var document = Strict(bytes);
        var metadata = ClientMetadata.Parse(bytes, id, takes);
        if (
            !(
                document.TryGetProperty("client_id", out var named)
                && named.ValueKind is JsonValueKind.String
                && named.GetString() == id
            )
        )
        {
            throw ClientMetadata.Invalid("The document's client_id is not its own URL.");
        }

        if (
            document.TryGetProperty("client_secret", out _)
            || document.TryGetProperty("client_secret_expires_at", out _)
        )
        {
            throw ClientMetadata.Invalid("A public document must not contain a client secret.");
        }

        if (!document.TryGetProperty("client_name", out _))
        {
            throw ClientMetadata.Invalid("The document has no client_name.");
        }

        // The document is public, so it cannot authenticate by a shared secret.
        string[] methods = metadata.Methods is []
            ? [ClientMetadata.None]
            : [.. metadata.Methods.Intersect([ClientMetadata.None, ClientMetadata.PrivateKey])];
        return methods.Length == 0
                ? throw ClientMetadata.Invalid(
                    "The document's token_endpoint_auth_method must be none or private_key_jwt."
                )
            : metadata.JwksUri is { } jwks
            && jwks.GetLeftPart(UriPartial.Authority) != new Uri(id).GetLeftPart(UriPartial.Authority)
                ? throw ClientMetadata.Invalid("jwks_uri must be on the document's own host.")
            : new(id, ClientOrigin.Document, metadata with { Methods = methods });
    }

    private static JsonElement Strict(byte[] bytes)
    {
        try
        {
            return StrictJson.ParseObject(bytes);
        }
        catch (FormatException wrong)
        {
            throw ClientMetadata.Invalid($"The document {wrong.Message}.");
        }
    }

    [LoggerMessage(LogLevel.Warning, "Client metadata document rejected {Url} {Reason}")]
    private partial void LogUnfit(string url, string reason);

    [LoggerMessage(LogLevel.Warning, "Client metadata document fetch failed {Reason}")]
    private partial void LogGone(string reason);
}
