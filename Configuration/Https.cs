namespace MinimalMcp.Configuration;

/// <summary>
/// HSTS and redirection to https, where this server terminates TLS itself (RFC 6797). Behind a reverse proxy that is
/// the proxy's task.
/// </summary>
internal static class Https
{
    /// <summary>Adds HTTP/3 where an endpoint requests it: the slim host omits its transport.</summary>
    public static void AddQuic(WebApplicationBuilder builder)
    {
        var kestrel = builder.Configuration.GetSection("Kestrel");
        if (
            kestrel
                .AsEnumerable()
                .Any(setting =>
                    setting.Key.EndsWith(":Protocols", StringComparison.OrdinalIgnoreCase)
                    && setting.Value?.Contains("Http3", StringComparison.OrdinalIgnoreCase) is true
                ) && (OperatingSystem.IsLinux() || OperatingSystem.IsWindows() || OperatingSystem.IsMacOS())
        )
        {
            builder.WebHost.UseQuic();
        }
    }

    /// <summary>Before forwarded headers are applied: HSTS concerns our own connection.</summary>
    public static void UseStrictTransport(WebApplication app)
    {
        if (IsServed(app.Configuration))
        {
            app.UseHsts();
        }
    }

    /// <summary>
    /// After forwarded headers: a request that a proxy received by https is not redirected. Orchestrators check health
    /// by http.
    /// </summary>
    public static void UseRedirect(WebApplication app)
    {
        if (IsServed(app.Configuration))
        {
            app.UseWhen(http => !http.Request.Path.StartsWithSegments("/health"), plain => plain.UseHttpsRedirection());
        }
    }

    private static bool IsServed(IConfiguration configuration) =>
        configuration
            .GetSection("Kestrel:Endpoints")
            .GetChildren()
            .Select(endpoint => endpoint["Url"])
            .Append(configuration["urls"])
            .Any(urls => urls?.Contains("https://", StringComparison.OrdinalIgnoreCase) is true);
}
