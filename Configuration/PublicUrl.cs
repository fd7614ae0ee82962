using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace MinimalMcp.Configuration;

/// <summary>The address that the world uses for this server: configured, or what a trusted proxy says.</summary>
public static class PublicUrl
{
    public static string Of(HttpContext http) =>
        Configured(http.RequestServices.GetRequiredService<IConfiguration>())
        ?? ProxiedHost.Of(http)
        ?? $"{http.Request.Scheme}://{http.Request.Host}{http.Request.PathBase}";

    /// <summary>The configured address without a trailing slash, or null.</summary>
    public static string? Configured(IConfiguration configuration) =>
        configuration["Server:PublicUrl"] is { Length: > 0 } url ? url.TrimEnd('/') : null;

    /// <summary>
    /// What documents name where tokens are used: <see cref="Fixed"/>, or the host of a known proxy where only an
    /// identity provider issues tokens.
    /// </summary>
    public static string OfDocuments(HttpContext http) => ProxiedHost.Of(http) ?? Fixed(http.RequestServices);

    /// <summary>
    /// The configured address, or else the one that the server listens on; never what a request says, which anybody can write. What OAuth names (issuer, resource) is made of it:
    /// without a configured address OAuth is for this machine only.
    /// </summary>
    public static string Fixed(IServiceProvider services)
    {
        var configuration = services.GetRequiredService<IConfiguration>();
        return Configured(configuration)
            ?? services
                .GetService<IServer>()
                ?.Features.Get<IServerAddressesFeature>()
                ?.Addresses.FirstOrDefault()
                ?.TrimEnd('/')
            ?? $"http://127.0.0.1:{configuration["Server:Port"] ?? "3001"}";
    }
}
