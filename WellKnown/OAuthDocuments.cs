using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Auth;
using MinimalMcp.Configuration;

namespace MinimalMcp.WellKnown;

/// <summary>
/// Where to sign in: the protected resource (RFC 9728) and its authorization server (RFC 8414). Clients look for both at every place that any of these standards names, and for the
/// second one here even when it is elsewhere. While OAuth is off none is there: a host that finds one asks for a login.
/// </summary>
internal static class OAuthDocuments
{
    private static readonly JsonSerializerOptions Json = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Map(IEndpointRouteBuilder open)
    {
        foreach (var (transport, suffixes) in ((string, string[])[])[(ProtectedResource.Mcp, ["", "/mcp", "/mcp/{profile}"]), (ProtectedResource.Sse, ["/sse"])])
        {
            foreach (var suffix in suffixes)
            {
                open.MapGet(ProtectedResource.WellKnown + suffix, http => ResourceAsync(http, transport));
            }

            // The path before the well-known part instead of behind it: OpenID's order, which one of the guides uses for both.
            open.MapGet(transport + ProtectedResource.WellKnown, http => ResourceAsync(http, transport));
        }

        foreach (var name in (string[])["oauth-authorization-server", "openid-configuration"])
        {
            foreach (var path in (string[])[$"/.well-known/{name}", $"/.well-known/{name}/mcp", $"/.well-known/{name}/sse", $"/mcp/.well-known/{name}", $"/sse/.well-known/{name}"])
            {
                open.MapGet(path, (RequestDelegate)ServerAsync);
            }
        }

        open.MapGet("/.well-known/openai-apps-challenge", (RequestDelegate)DomainAsync);
    }

    private static Task ResourceAsync(HttpContext http, string transport)
    {
        var services = http.RequestServices;
        var resource = services.GetRequiredService<ProtectedResource>();
        if (!resource.IsOn)
        {
            return NotThereAsync(http);
        }

        var issuer = services.GetRequiredService<IAuthorizationServerMetadata>().Issuer;
        return issuer.Length == 0 ? NotKnownYetAsync(http) : WriteAsync(http, new JsonObject
        {
            ["resource"] = ProtectedResource.Identifier(http, transport),
            ["authorization_servers"] = new JsonArray(issuer),
            ["scopes_supported"] =
                new JsonArray([.. Scopes.Split(resource.ScopesOf(http)).Select(scope => JsonValue.Create(scope))]),
            ["bearer_methods_supported"] = new JsonArray("header"),
            ["resource_name"] = Identity.Name(services.GetRequiredService<IConfiguration>()),
            ["resource_documentation"] = PublicUrl.OfDocuments(http) + "/",
        });
    }

    private static Task ServerAsync(HttpContext http)
    {
        if (!http.RequestServices.GetRequiredService<ProtectedResource>().IsOn)
        {
            return NotThereAsync(http);
        }

        var server = http.RequestServices.GetRequiredService<IAuthorizationServerMetadata>();
        return server.Issuer.Length == 0 ? NotKnownYetAsync(http) : WriteAsync(http, server.Document());
    }

    // Only the provider's discovery document says who it is, and it cannot be had.
    private static Task NotKnownYetAsync(HttpContext http)
    {
        http.Response.Headers.RetryAfter = "30";
        return Results.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, title: "Not possible now",
            detail: "The identity provider cannot be reached, so its metadata is not known. Try again in a minute.")
            .ExecuteAsync(http);
    }

    /// <summary>Shows OpenAI that whoever publishes an app owns its domain.</summary>
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

    private static Task WriteAsync(HttpContext http, JsonObject document) => http.Response.WriteAsJsonAsync(document, Json);
}
