namespace MinimalMcp.Auth.Server;

/// <summary>How a client became known, which the consent page shows.</summary>
internal enum ClientOrigin
{
    /// <summary>Configured by the operator.</summary>
    Settings,

    /// <summary>Registered itself (RFC 7591); nothing about it is verified.</summary>
    Registration,

    /// <summary>
    /// Identified by the URL of its metadata document (Client ID Metadata Documents): whoever controls the host is the
    /// client.
    /// </summary>
    Document,
}

/// <summary>An OAuth client.</summary>
internal sealed record Client(string Id, ClientOrigin From, ClientMetadata Metadata)
{
    public string? SecretHash { get; init; }

    /// <summary>The hash of the secret that replaces it. Both are accepted during the rotation.</summary>
    public string? NextSecretHash { get; init; }

    /// <summary>The scopes of the client credentials grant. Read-only by default, because no user consents.</summary>
    public string[] OwnScopes { get; init; } = [Scopes.Read];

    /// <summary>The client authenticates, so nobody else can use its codes.</summary>
    public bool IsConfidential => !Metadata.Methods.Contains(ClientMetadata.None);

    /// <summary>
    /// GPT Actions do not support PKCE: such a client authenticates with its secret, and its redirect URIs are exact.
    /// </summary>
    public bool NeedsChallenge => From is not ClientOrigin.Settings || !IsConfidential;

    public bool MayRedirectTo(string address) =>
        Metadata.RedirectUris.Any(known => RedirectAddress.Matches(known, address));
}
