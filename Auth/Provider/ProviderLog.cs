namespace MinimalMcp.Auth.Provider;

/// <summary>What the operator reads about the provider. Never a token, a code or a secret.</summary>
internal static partial class ProviderLog
{
    [LoggerMessage(LogLevel.Warning, "Identity provider: {Sentence}")]
    public static partial void FetchFailed(ILogger logger, string sentence);

    [LoggerMessage(LogLevel.Warning, "The document at {Address} says issuer {Issuer}, and tokens are accepted of {Configured} "
        + "only, with the keys of OAUTH2_JWKS_URI. Set OAUTH2_OPENID_CONFIG_URL to the document of that issuer")]
    public static partial void DocumentOfAnother(ILogger logger, Uri address, string issuer, string configured);

    [LoggerMessage(LogLevel.Warning, "Sign-in failed: {Sentence}")]
    public static partial void SignInFailed(ILogger logger, string sentence);

    [LoggerMessage(LogLevel.Warning, "Sign-in refused: the account is in none of Auth:Provider:AllowedUsers, AllowedDomains and AllowedRoles. Its subject is {Subject}, its object id {ObjectId}, its verified address {Email}")]
    public static partial void NotAllowed(ILogger logger, string subject, string objectId, string email);

    [LoggerMessage(LogLevel.Warning, "Everybody who can sign in at {Provider} may use this server. Set Auth:Provider:AllowedUsers, AllowedDomains or AllowedRoles if these are not all meant")]
    public static partial void EverybodyMayUse(ILogger logger, string provider);
}
