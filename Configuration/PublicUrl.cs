using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace MinimalMcp.Configuration;

/// <summary>The public URL of this server: configured, or forwarded by a trusted proxy.</summary>
internal static class PublicUrl
{
    public static string Of(HttpContext http) =>
        Configured(http.RequestServices.GetRequiredService<IConfiguration>())
        ?? ForwardedHost.Of(http)
        ?? $"{http.Request.Scheme}://{http.Request.Host}{http.Request.PathBase}";

    /// <summary>The configured URL without a trailing slash, or null.</summary>
    public static string? Configured(IConfiguration configuration) =>
        configuration["Server:PublicUrl"] is { Length: > 0 } url ? url.TrimEnd('/') : null;

    /// <summary>
    /// The URL in documents where tokens are used: <see cref="Fixed"/>, or the host of a known proxy where only an
    /// identity provider issues tokens.
    /// </summary>
    public static string OfDocuments(HttpContext http) => ForwardedHost.Of(http) ?? Fixed(http.RequestServices);

    /// <summary>
    /// The configured URL, or the listening address; never a value of the request, which the caller controls. OAuth
    /// identifiers (issuer, resource) are built from it: without PUBLIC_URL, OAuth works only on this machine.
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
