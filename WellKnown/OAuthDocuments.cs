using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Auth;
using MinimalMcp.Configuration;

namespace MinimalMcp.WellKnown;

/// <summary>
/// OAuth discovery documents: the protected resource (RFC 9728) and its authorization server (RFC 8414). Clients
/// request both at every location that any of these standards names, the second one here even when the server is
/// elsewhere. They are not served while OAuth is disabled: a client that finds one asks for a login.
/// </summary>
internal static class OAuthDocuments
{
    private static readonly JsonSerializerOptions Json = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static void Map(IEndpointRouteBuilder open)
    {
        foreach (
            var (transport, suffixes) in ((string, string[])[])
                [(ProtectedResource.Mcp, ["", "/mcp", "/mcp/{profile}"]), (ProtectedResource.Sse, ["/sse"])]
        )
        {
            var resource = ProviderUnavailable.Answered(http => ResourceAsync(http, transport));
            foreach (var suffix in suffixes)
            {
                open.MapGet(ProtectedResource.WellKnown + suffix, resource);
            }

            // The path before the well-known part instead of behind it: OpenID's order, which one of the guides uses
            // for both.
            open.MapGet(transport + ProtectedResource.WellKnown, resource);
        }

        foreach (var name in (string[])["oauth-authorization-server", "openid-configuration"])
        {
            foreach (
                var path in (string[])
                    [
                        $"/.well-known/{name}",
                        $"/.well-known/{name}/mcp",
                        $"/.well-known/{name}/sse",
                        $"/mcp/.well-known/{name}",
                        $"/sse/.well-known/{name}",
                    ]
            )
            {
                open.MapGet(path, ProviderUnavailable.Answered(ServerAsync));
            }
        }

        open.MapGet("/.well-known/openai-apps-challenge", (RequestDelegate)DomainAsync);
    }

    private static async Task ResourceAsync(HttpContext http, string transport)
    {
        var services = http.RequestServices;
        var resource = services.GetRequiredService<ProtectedResource>();
        if (!resource.IsOn)
        {
            await NotThereAsync(http);
            return;
        }

        // Where the settings do not name the issuer, only the provider's own document does.
        var metadata = services.GetRequiredService<IAuthorizationServerMetadata>();
        var issuer = metadata.Issuer is { Length: > 0 } known
            ? known
            : (await metadata.DocumentAsync(http.RequestAborted))["issuer"]!.GetValue<string>();
        await WriteAsync(
            http,
            new JsonObject
            {
                ["resource"] = ProtectedResource.Identifier(http, transport),
                ["authorization_servers"] = new JsonArray(issuer),
                ["scopes_supported"] = new JsonArray([
                    .. Scopes.Split(resource.ScopesOf(http)).Select(scope => JsonValue.Create(scope)),
                ]),
                ["bearer_methods_supported"] = new JsonArray("header"),
                ["resource_name"] = ServerIdentity.Name(services.GetRequiredService<IConfiguration>()),
                ["resource_documentation"] = PublicUrl.OfDocuments(http) + "/",
            }
        );
    }

    private static async Task ServerAsync(HttpContext http)
    {
        var services = http.RequestServices;
        if (!services.GetRequiredService<ProtectedResource>().IsOn)
        {
            await NotThereAsync(http);
            return;
        }

        var metadata = services.GetRequiredService<IAuthorizationServerMetadata>();
        await WriteAsync(http, await metadata.DocumentAsync(http.RequestAborted));
    }

    /// <summary>Proves to OpenAI that the publisher of an app owns the domain.</summary>
    private static Task DomainAsync(HttpContext http)
    {
        var token = http.RequestServices.GetRequiredService<IConfiguration>()["Server:OpenAiAppsChallenge"];
        if (string.IsNullOrWhiteSpace(token))
        {
            return NotThereAsync(http);
        }

        http.Response.ContentType = "text/plain; charset=utf-8";
        return http.Response.WriteAsync(token.Trim());
    }

    public static Task NotThereAsync(HttpContext http)
    {
        http.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    private static Task WriteAsync(HttpContext http, JsonObject document) =>
        http.Response.WriteAsJsonAsync(document, Json);
}
