namespace MinimalMcp.Auth.Provider;

/// <summary>
/// Says what to change when the discovery document is of another issuer than the configured one. Everybody's tokens
/// would be refused one by one otherwise.
/// </summary>
internal static class IssuerMismatch
{
    private const string EntraV1 = "https://sts.windows.net/",
        EntraV2 = "https://login.microsoftonline.com/";

    /// <summary>
    /// Entra's document of version 1.0, beside settings that say all of version 2.0: who issues tokens, and with which
    /// keys. A guide has it so. The document then adds endpoints only.
    /// </summary>
    public static bool IsHarmless(string issuer, ProviderOptions options) =>
        issuer.StartsWith(EntraV1, StringComparison.Ordinal)
        && options is { Issuers.Count: > 0, JwksUri.Length: > 0 }
        && string.IsNullOrEmpty(options.ClientId);

    public static string Explain(string issuer, ProviderOptions options)
    {
        var configured = string.Join("' or '", options.Issuers);
        return $"Auth:Provider:Issuer (OAUTH2_ISSUER) is '{configured}', but the document at {options.Discovery} "
            + $"says issuer '{issuer}'. {Cure(issuer, options)}";
    }

    private static string Cure(string issuer, ProviderOptions options)
    {
        var tenant = Tenant(issuer);
        return issuer switch
        {
            _ when issuer.StartsWith(EntraV1, StringComparison.Ordinal)
                    && options.Issuers.Any(own => own.StartsWith(EntraV2, StringComparison.Ordinal)) =>
                "That is Entra's document of version 1.0, and the issuer is that of version 2.0: set "
                    + $"OAUTH2_OPENID_CONFIG_URL to {EntraV2}{tenant}/v2.0/.well-known/openid-configuration. "
                    + "If the app's tokens are of version 1.0 (requestedAccessTokenVersion is null or 1 in its "
                    + $"manifest), set OAUTH2_ISSUER to '{EntraV2}{tenant}/v2.0,{EntraV1}{tenant}/' to take both.",
            _ when issuer.StartsWith(EntraV2, StringComparison.Ordinal)
                    && options.Issuers.Any(own => own.StartsWith(EntraV1, StringComparison.Ordinal)) =>
                "That is Entra's document of version 2.0, and the issuer is that of version 1.0: set OAUTH2_ISSUER "
                    + $"to '{EntraV2}{tenant}/v2.0,{EntraV1}{tenant}/' to take tokens of both, "
                    + $"or OAUTH2_OPENID_CONFIG_URL to {EntraV2}{tenant}/.well-known/openid-configuration.",
            _ when options.Issuers.Any(own => own.TrimEnd('/') == issuer.TrimEnd('/')) =>
                "They differ in the slash at the end, which counts: set OAUTH2_ISSUER as the document says.",
            "" => "Set OAUTH2_OPENID_CONFIG_URL to the address of the provider's discovery document.",
            _ => "Tokens name the issuer of the document, so set OAUTH2_ISSUER to it, or OAUTH2_OPENID_CONFIG_URL to "
                + "the document of the issuer.",
        };
    }

    private static string Tenant(string issuer) =>
        Uri.TryCreate(issuer, UriKind.Absolute, out var uri) && uri.Segments is [_, var tenant, ..]
            ? tenant.TrimEnd('/')
            : "";
}
