using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Tokens;

namespace MinimalMcp.Auth;

/// <summary>Whether the mode has its parts.</summary>
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
                "Auth:Mode (MCP_AUTH_MODE) is 'oauth2' and there is no identity provider. Set OAUTH2_ISSUER and "
                    + "OAUTH2_AUDIENCE (Auth:Provider), and OAUTH2_JWKS_URI if it has no discovery document, "
                    + "or MCP_AUTH_MODE to embedded, where this server signs people in itself."
            );
        }

        // They say who may sign in there; without a client of ours nobody is asked to, and everybody with a key gets
        // in.
        if (
            options.Mode.Equals("embedded", StringComparison.OrdinalIgnoreCase)
            && configuration["Auth:Provider:ClientId"] is null or ""
            && Set("Issuer", "ConfigUrl", "AllowedUsers", "AllowedDomains", "AllowedRoles", "AllowedClients").ToArray()
                is [_, ..] apart
        )
        {
            return ValidateOptionsResult.Fail(
                $"Auth:Provider has {string.Join(", ", apart)} and no ClientId (OAUTH2_CLIENT_ID), so in "
                    + "mode embedded nobody signs in at the provider. Set OAUTH2_CLIENT_ID and OAUTH2_CLIENT_SECRET, "
                    + "or remove the others."
            );
        }

        // In mode hybrid a client with a secret can call without anybody who signs in.
        if (options.LacksKeys && !HasOwnClient(options))
        {
            return ValidateOptionsResult.Fail(
                $"Auth:Mode (MCP_AUTH_MODE) is '{options.Mode}' and there is no key. "
                    + "Set MCP_API_KEY to at least 32 random characters, for example what `openssl rand -hex 32` "
                    + "prints."
            );
        }

        // Closed rather than open when a part was left out of the program.
        return
            options.TakesTokens
            && !(
                services.IsService(typeof(IAccessTokenVerifier))
                && services.IsService(typeof(IAuthorizationServerMetadata))
            )
            ? ValidateOptionsResult.Fail(
                $"Auth:Mode (MCP_AUTH_MODE) is '{options.Mode}', and nothing in this program issues or checks its "
                    + "tokens. Register an IAccessTokens and an IAuthorizationServerMetadata in AddAuth."
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
