using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Tokens;

namespace MinimalMcp.Auth;

/// <summary>Checks that the configured mode has everything that it needs.</summary>
internal sealed class AuthCheck(IConfiguration configuration, IServiceProviderIsService services)
    : IValidateOptions<AuthOptions>
{
    public ValidateOptionsResult Validate(string? name, AuthOptions options)
    {
        if (
            options.Mode.Equals("oauth2", StringComparison.OrdinalIgnoreCase)
            && !configuration.GetSection("Auth:Provider").Exists()
        )
        {
            return ValidateOptionsResult.Fail(
                "Auth:Mode (MCP_AUTH_MODE) is 'oauth2', but no identity provider is configured. Set OAUTH2_ISSUER "
                    + "and OAUTH2_AUDIENCE (Auth:Provider), and OAUTH2_JWKS_URI if the provider has no discovery "
                    + "document. Or set MCP_AUTH_MODE to embedded, where this server signs users in itself."
            );
        }

        // Without a client id nobody signs in at the provider, so these settings would restrict nobody.
        if (
            options.Mode.Equals("embedded", StringComparison.OrdinalIgnoreCase)
            && configuration["Auth:Provider:ClientId"] is null or ""
            && Set("Issuer", "ConfigUrl", "AllowedUsers", "AllowedDomains", "AllowedRoles", "AllowedClients").ToArray()
                is [_, ..] apart
        )
        {
            return ValidateOptionsResult.Fail(
                $"Auth:Provider has {string.Join(", ", apart)} but no ClientId (OAUTH2_CLIENT_ID), so nobody signs "
                    + "in at the provider in mode embedded. Set OAUTH2_CLIENT_ID and OAUTH2_CLIENT_SECRET, or "
                    + "remove the other settings."
            );
        }

        // In mode hybrid a client with a secret can call without a signed-in user.
        if (options.LacksKeys && !HasOwnClient(options))
        {
            return ValidateOptionsResult.Fail(
                $"Auth:Mode (MCP_AUTH_MODE) is '{options.Mode}', but no API key is configured. Set MCP_API_KEY to "
                    + "at least 32 random characters, for example the output of `openssl rand -hex 32`."
            );
        }

        // Fails closed when a part was left out of the program.
        return
            options.TakesTokens
            && !(
                services.IsService(typeof(IAccessTokenVerifier))
                && services.IsService(typeof(IAuthorizationServerMetadata))
            )
            ? ValidateOptionsResult.Fail(
                $"Auth:Mode (MCP_AUTH_MODE) is '{options.Mode}', but nothing in this program issues or verifies its "
                    + "tokens. Register an IAccessTokenVerifier and an IAuthorizationServerMetadata in AddAuth."
            )
            : ValidateOptionsResult.Success;

        bool HasOwnClient(AuthOptions auth) =>
            auth.TakesTokens
            && Server.AuthorizationServerSetup.IsOn(configuration)
            && (
                configuration["Auth:Server:ClientSecret"] is { Length: > 0 }
                || configuration
                    .GetSection("Auth:Server:Clients")
                    .GetChildren()
                    .Any(client => client["Secret"] is { Length: > 0 })
            );

        IEnumerable<string> Set(params string[] names) =>
            names.Where(name =>
                configuration
                    .GetSection($"Auth:Provider:{name}")
                    .AsEnumerable()
                    .Any(value => !string.IsNullOrEmpty(value.Value))
            );
    }
}
