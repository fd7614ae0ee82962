namespace MinimalMcp.Configuration;

/// <summary>
/// Where this server serves https itself, browsers are told to stay there (RFC 6797), and what comes by http is sent
/// there. Behind a proxy that is the proxy's part.
/// </summary>
internal static class Https
{
    /// <summary>HTTP/3, where an endpoint is to speak it: the slim host leaves its transport out.</summary>
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

    /// <summary>Before the proxy's headers are read: the header is of our own connection.</summary>
    public static void UseStrictTransport(WebApplication app)
    {
        if (IsServed(app.Configuration))
        {
            app.UseHsts();
        }
    }

    /// <summary>
    /// Behind it: what a proxy received by https is not redirected. Orchestrators ask for health by http.
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
