namespace MinimalMcp.Auth.Provider;

/// <summary>Log lines about the identity provider. Never a token, a code or a secret.</summary>
internal static partial class ProviderLog
{
    [LoggerMessage(LogLevel.Warning, "Identity provider request failed {Reason}")]
    public static partial void FetchFailed(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Warning, "UserInfo request to the identity provider failed {Reason}")]
    public static partial void NoUserInfo(ILogger logger, string reason);

    [LoggerMessage(
        LogLevel.Warning,
        "Discovery document {Url} has issuer {Issuer}, but tokens are accepted only of {Configured}, with the keys "
            + "of OAUTH2_JWKS_URI. Set OAUTH2_OPENID_CONFIG_URL to that issuer's document"
    )]
    public static partial void DocumentOfAnother(ILogger logger, Uri url, string issuer, string configured);

    [LoggerMessage(
        LogLevel.Warning,
        "MCP clients such as ChatGPT cannot register: the identity provider's metadata has {Lacks}. Register each "
            + "client at the provider, or let this server sign users in there (MCP_AUTH_MODE=embedded with "
            + "OAUTH2_CLIENT_ID)"
    )]
    public static partial void NoNewClients(ILogger logger, string lacks);

    [LoggerMessage(
        LogLevel.Warning,
        "Every user of {Provider} may use this server. Set Auth:Provider:AllowedUsers, AllowedDomains or "
            + "AllowedRoles to restrict access"
    )]
    public static partial void EverybodyMayUse(ILogger logger, string provider);
}
