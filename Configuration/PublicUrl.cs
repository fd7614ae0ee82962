namespace MinimalMcp.Configuration;

/// <summary>The address that the world uses for this server: configured, or what a trusted proxy says.</summary>
public static class PublicUrl
{
    public static string Of(HttpContext http) => Configured(http.RequestServices.GetRequiredService<IConfiguration>())
        ?? $"{http.Request.Scheme}://{http.Request.Host}{http.Request.PathBase}";

    /// <summary>The configured address without a trailing slash, or null.</summary>
    public static string? Configured(IConfiguration configuration) => configuration["Server:PublicUrl"] is { Length: > 0 } url ? url.TrimEnd('/') : null;
}
