using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Configuration;

namespace MinimalMcp.WellKnown;

/// <summary>The manifest of ChatGPT's retired plugins, which some clients and guides still request.</summary>
internal static class AiPlugin
{
    public static async Task GetAsync(HttpContext http)
    {
        var configuration = http.RequestServices.GetRequiredService<IConfiguration>();
        var url = PublicUrl.Of(http);
        var name = ServerIdentity.Name(configuration);
        await http.Response.WriteAsJsonAsync(
            new
            {
                schema_version = "v1",
                name_for_human = name,
                name_for_model = new string([
                    .. name.ToLowerInvariant().Select(letter => char.IsAsciiLetterOrDigit(letter) ? letter : '_'),
                ]),
                description_for_human = configuration["Server:Description"] ?? $"The tools of {name}.",
                description_for_model = configuration["Mcp:Instructions"]
                    ?? $"Use {name} to look things up and to change what the user asks to be changed.",
                auth = await AuthAsync(http.RequestServices, http.RequestAborted),
                api = new { type = "openapi", url = $"{url}/.well-known/openapi.json" },
                logo_url = $"{url}/logo.svg",
                contact_email = configuration["Server:ContactEmail"] ?? "",
                legal_info_url = configuration["Server:LegalInfoUrl"] ?? $"{url}/",
            }
        );
    }

    private static async ValueTask<object> AuthAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        var options = services.GetRequiredService<IOptions<AuthOptions>>().Value;
        if (!options.TakesTokens)
        {
            return options.IsOff ? new { type = "none" } : new { type = "user_http", authorization_type = "bearer" };
        }

        // The manifest's own names: client_url is where people sign in, authorization_url where tokens are issued.
        var server = await services.GetRequiredService<IAuthorizationServerMetadata>().DocumentAsync(cancellationToken);
        return new
        {
            type = "oauth",
            client_url = server["authorization_endpoint"]?.ToString() ?? "",
            scope = services.GetRequiredService<ProtectedResource>().Scopes,
            authorization_url = server["token_endpoint"]?.ToString() ?? "",
            authorization_content_type = "application/x-www-form-urlencoded",
            verification_tokens = new { },
        };
    }

    public static Task LogoAsync(HttpContext http)
    {
        http.Response.ContentType = ServerIcon.Type;
        return http.Response.WriteAsync(ServerIcon.Svg);
    }
}
