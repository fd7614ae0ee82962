namespace MinimalMcp.Auth.Provider;

/// <summary>What the operator reads about the provider. Never a token, a code or a secret.</summary>
internal static partial class ProviderLog
{
    [LoggerMessage(LogLevel.Warning, "Identity provider: {Sentence}")]
    public static partial void FetchFailed(ILogger logger, string sentence);

    [LoggerMessage(LogLevel.Warning, "UserInfo of the identity provider was not read: {Sentence}")]
    public static partial void NoUserInfo(ILogger logger, string sentence);

    [LoggerMessage(
        LogLevel.Warning,
        "The document at {Address} says issuer {Issuer}, and tokens are accepted of {Configured} "
            + "only, with the keys of OAUTH2_JWKS_URI. Set OAUTH2_OPENID_CONFIG_URL to the document of that issuer"
    )]
    public static partial void DocumentOfAnother(ILogger logger, Uri address, string issuer, string configured);

    [LoggerMessage(
        LogLevel.Warning,
        "MCP clients such as ChatGPT cannot sign in by themselves: the identity "
            + "provider's metadata has {Lacks}. Enter each client at the provider, or let this server sign people in "
            + "there "
            + "(MCP_AUTH_MODE=embedded with OAUTH2_CLIENT_ID)"
    )]
    public static partial void NoNewClients(ILogger logger, string lacks);

    [LoggerMessage(
        LogLevel.Warning,
        "Everybody who can sign in at {Provider} may use this server. Set Auth:Provider:AllowedUsers, AllowedDomains "
            + "or AllowedRoles if these are not all meant"
    )]
    public static partial void EverybodyMayUse(ILogger logger, string provider);
}
