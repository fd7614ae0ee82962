namespace MinimalMcp.Surfaces;

/// <summary>The address that the world uses for this server: configured, or what a trusted proxy says.</summary>
public static class PublicUrl
{
    public static string Of(HttpContext http) => http.RequestServices.GetRequiredService<IConfiguration>()["Server:PublicUrl"] is { Length: > 0 } configured
        ? configured.TrimEnd('/')
        : $"{http.Request.Scheme}://{http.Request.Host}{http.Request.PathBase}";
}
