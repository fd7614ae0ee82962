namespace MinimalMcp.Auth.Server;

/// <summary>How a client became known, which the person who is asked is told.</summary>
internal enum ClientOrigin
{
    /// <summary>The operator entered it.</summary>
    Settings,

    /// <summary>It registered itself (RFC 7591): nothing about it was checked.</summary>
    Registration,

    /// <summary>
    /// Its id is the address of a document about it (Client ID Metadata Documents): whoever has the host is the client.
    /// </summary>
    Document,
}

/// <summary>A program that asks a person for access.</summary>
internal sealed record Client(string Id, ClientOrigin From, ClientMetadata Metadata)
{
    public string? SecretHash { get; init; }

    /// <summary>The secret that replaces it; both are good meanwhile.</summary>
    public string? NextSecretHash { get; init; }

    /// <summary>
    /// What it may do by itself (client credentials). Reading, unless the operator says otherwise: nobody consents.
    /// </summary>
    public string[] OwnScopes { get; init; } = [Scopes.Read];

    /// <summary>It can keep a secret, so that nobody else can use its codes.</summary>
    public bool IsConfidential => !Metadata.Methods.Contains(ClientMetadata.None);

    /// <summary>A GPT Action knows no PKCE: it authenticates with its secret, and its addresses are exact.</summary>
    public bool NeedsChallenge => From is not ClientOrigin.Settings || !IsConfidential;

    public bool MayRedirectTo(string address) =>
        Metadata.RedirectUris.Any(known => RedirectAddress.Matches(known, address));
}
