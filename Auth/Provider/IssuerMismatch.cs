namespace MinimalMcp.Auth.Provider;

/// <summary>
/// Explains how to fix an issuer in the settings that differs from the discovery document. Otherwise every token would
/// be refused without a reason.
/// </summary>
internal static class IssuerMismatch
{
    private const string EntraV1 = "https://sts.windows.net/",
        EntraV2 = "https://login.microsoftonline.com/";

    /// <summary>
    /// Entra's version 1.0 document beside settings that are complete for version 2.0 (issuer and keys), as one guide
    /// has it. The document then only adds endpoints.
    /// </summary>
    public static bool IsHarmless(string issuer, ProviderOptions options) =>
        issuer.StartsWith(EntraV1, StringComparison.Ordinal)
        && options is { Issuers.Count: > 0, JwksUri.Length: > 0 }
        && string.IsNullOrEmpty(options.ClientId);

    public static string Explain(string issuer, ProviderOptions options)
    {
        var configured = string.Join("' or '", options.Issuers);
        return $"Auth:Provider:Issuer (OAUTH2_ISSUER) is '{configured}', but the document at {options.Discovery} "
            + $"has the issuer '{issuer}'. {Cure(issuer, options)}";
    }

    private static string Cure(string issuer, ProviderOptions options)
    {
        var tenant = Tenant(issuer);
        return issuer switch
        {
            _ when issuer.StartsWith(EntraV1, StringComparison.Ordinal)
                    && options.Issuers.Any(own => own.StartsWith(EntraV2, StringComparison.Ordinal)) =>
                "That is Entra's version 1.0 document, but the issuer is of version 2.0. Set "
                    + $"OAUTH2_OPENID_CONFIG_URL to {EntraV2}{tenant}/v2.0/.well-known/openid-configuration. If the "
                    + "app's tokens are of version 1.0 (requestedAccessTokenVersion is null or 1 in its manifest), "
                    + $"set OAUTH2_ISSUER to '{EntraV2}{tenant}/v2.0,{EntraV1}{tenant}/' to accept both.",
            _ when issuer.StartsWith(EntraV2, StringComparison.Ordinal)
                    && options.Issuers.Any(own => own.StartsWith(EntraV1, StringComparison.Ordinal)) =>
                "That is Entra's version 2.0 document, but the issuer is of version 1.0. Set OAUTH2_ISSUER to "
                    + $"'{EntraV2}{tenant}/v2.0,{EntraV1}{tenant}/' to accept tokens of both versions, or "
                    + $"OAUTH2_OPENID_CONFIG_URL to {EntraV2}{tenant}/.well-known/openid-configuration.",
            _ when options.Issuers.Any(own => own.TrimEnd('/') == issuer.TrimEnd('/')) =>
                "They differ only in the trailing slash, which is significant: set OAUTH2_ISSUER to the document's "
                    + "issuer.",
            "" => "Set OAUTH2_OPENID_CONFIG_URL to the URL of the provider's discovery document.",
            _ => "Tokens have the document's issuer, so set OAUTH2_ISSUER to it, or OAUTH2_OPENID_CONFIG_URL to "
                + "the document of the configured issuer.",
        };
    }

    private static string Tenant(string issuer) =>
        Uri.TryCreate(issuer, UriKind.Absolute, out var uri) && uri.Segments is [_, var tenant, ..]
            ? tenant.TrimEnd('/')
            : "";
}
