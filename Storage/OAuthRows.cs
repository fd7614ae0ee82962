namespace MinimalMcp.Storage;

/// <summary>A client that registered itself.</summary>
internal sealed record StoredClient
{
    public required string ClientId { get; init; }

    public required string Metadata { get; init; }

    public string? SecretHash { get; init; }
}

/// <summary>What a person allowed a client, or what a client may by itself.</summary>
internal sealed record StoredGrant
{
    public required string GrantId { get; init; }

    public required string ClientId { get; init; }

    public required string Subject { get; init; }

    public required string Scope { get; init; }

    public string? Person { get; init; }

    public string? Credential { get; init; }
}

/// <summary>A question that a browser was shown.</summary>
internal sealed record StoredTicket
{
    public required string TicketHash { get; init; }

    public required string BrowserHash { get; init; }

    public required string Address { get; init; }

    public required string Request { get; init; }

    public long Expires { get; init; }
}

/// <summary>A code of a grant: where it may be redeemed, and the challenge that its verifier must meet.</summary>
internal sealed record StoredCode
{
    public required string CodeHash { get; init; }

    public required string RedirectUri { get; init; }

    public string? Challenge { get; init; }

    public long Expires { get; init; }
}

/// <summary>A key for signing.</summary>
internal sealed record StoredKey
{
    public required string Kid { get; init; }

    public required string PrivateKey { get; init; }

    public long Created { get; init; }
}
