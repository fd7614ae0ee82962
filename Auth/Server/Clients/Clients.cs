using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// All clients: configured ones, registered ones, and those whose id is the URL of their metadata document.
/// </summary>
internal sealed class Clients(
    IOptions<AuthorizationServerOptions> options,
    Store store,
    ClientMetadataDocuments documents,
    RateLimiters limits,
    TimeProvider time
)
{
    private const int Most = 10_000,
        MaxId = 500;

    // The lifetime of a pending sign-in: a client that registered a moment ago is about to be used.
    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(10);

    private readonly Dictionary<string, Client> _static = options.Value.StaticClients.ToDictionary(
        client => client.Key,
        client => Entered(client.Key, client.Value),
        StringComparer.Ordinal
    );

    /// <summary>Returns null when the client is unknown or its metadata document is invalid.</summary>
    /// <exception cref="OAuthException">Too many metadata documents were fetched.</exception>
    public async ValueTask<Client?> FindAsync(string id, HttpContext http)
    {
        if (id.Length is 0 or > MaxId)
        {
            return null;
        }

        if (_static.TryGetValue(id, out var known))
        {
            return known;
        }

        if (documents.IsAddress(id))
        {
            return await documents.FindAsync(id, http);
        }

        return await store.FindClientAsync(id, http.RequestAborted) is { } stored
            ? new(id, ClientOrigin.Registration, ClientMetadata.Parse(Encoding.UTF8.GetBytes(stored.Metadata), id))
            {
                SecretHash = stored.SecretHash,
            }
            : null;
    }

    /// <summary>Registers a client (RFC 7591) and returns its registration.</summary>
    public async Task<JsonObject> RegisterAsync(ReadOnlyMemory<byte> json, HttpContext http)
    {
        if (!options.Value.IsOpen)
        {
            throw new OAuthException(
                "access_denied",
                "Client registration is disabled. Ask the operator for a client id.",
                StatusCodes.Status403Forbidden
            );
        }

        var (id, secret) = (ReferenceTokens.New(), ReferenceTokens.New());
        var metadata = ClientMetadata.Parse(json.Span, id);
        if (
            metadata.RedirectUris.FirstOrDefault(address => !RedirectAddress.IsAllowed(address, options.Value.Hosts)) is
            { } refused
        )
        {
            throw new OAuthException(
                "invalid_redirect_uri",
                $"The redirect URI {Diagnostics.RedactedRequest.Text(refused, 200)} is not allowed. A client that "
                    + "registers itself may use ChatGPT's URLs, loopback addresses and hosts that the operator "
                    + "allowed (Auth:Server:RedirectHosts)."
            );
        }

        // RFC 7591 section 2: the default is client_secret_basic.
        var method = metadata.Methods is [var first, ..] ? first : ClientMetadata.Basic;
        metadata = metadata with
        {
            Methods =
                method != ClientMetadata.PrivateKey
                    ? [method]
                    : throw ClientMetadata.Invalid(
                        "private_key_jwt requires a client id that is the URL of a metadata document. Use none, "
                            + "client_secret_basic or client_secret_post."
                    ),
        };
        if (limits.Registrations.TryTake(CallerAddress.Of(http)) is { } wait)
        {
            throw OAuthException.BusyFor(
                wait,
                "Too many clients were registered from this address. Try again " + "later."
            );
        }

        var isPublic = method == ClientMetadata.None;
        var now = time.GetUtcNow();
        var answer = metadata.ToJson();
        var client = new StoredClient
        {
            ClientId = id,
            Metadata = answer.ToJsonString(),
            SecretHash = isPublic ? null : ReferenceTokens.Hash(secret),
        };
        if (
            !await store.RegisterClientAsync(
                client,
                now.ToUnixTimeMilliseconds(),
                Most,
                (now - Settled).ToUnixTimeMilliseconds(),
                http.RequestAborted
            )
        )
        {
            throw OAuthException.BusyFor(Settled, "Too many clients are registered. Try again later.");
        }

        answer["client_id"] = id;
        answer["client_id_issued_at"] = now.ToUnixTimeSeconds();
        if (!isPublic)
        {
            answer["client_secret"] = secret;
            answer["client_secret_expires_at"] = 0; // never: a client in use must not lose its way back
        }

        return answer;
    }

    private static Client Entered(string id, StaticClientOptions options)
    {
        var isPublic = string.IsNullOrEmpty(options.Secret);
        string[] grants =
            options.Redirects.Length == 0 ? [ClientMetadata.ClientGrant]
            : isPublic ? [ClientMetadata.CodeGrant, ClientMetadata.RefreshGrant]
            : [ClientMetadata.CodeGrant, ClientMetadata.RefreshGrant, ClientMetadata.ClientGrant];
        string[] methods = isPublic ? [ClientMetadata.None] : [ClientMetadata.Basic, ClientMetadata.Post];
        string[]? entered = string.IsNullOrWhiteSpace(options.Scope)
            ? null
            : [.. Scopes.Split(options.Scope).Append(GrantableScopes.Offline).Distinct()];
        string[] scopes = entered ?? GrantableScopes.All;
        return new(id, ClientOrigin.Settings, new(options.Name ?? id, options.Redirects, grants, methods, scopes))
        {
            SecretHash = isPublic ? null : ReferenceTokens.Hash(options.Secret!),
            NextSecretHash = string.IsNullOrEmpty(options.NextSecret) ? null : ReferenceTokens.Hash(options.NextSecret),
            OwnScopes = entered ?? [Scopes.Read],
        };
    }
}
