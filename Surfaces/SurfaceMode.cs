namespace MinimalMcp.Surfaces;

/// <summary>The enabled surfaces: <c>--mode all|sse|rest|stdio</c>.</summary>
public sealed record SurfaceMode(bool Mcp, bool Http, bool Stdio)
{
    /// <summary>Reads the mode from the settings; the switch <c>--stdio</c> sets it.</summary>
    public static SurfaceMode Read(IConfiguration configuration, string[] args)
    {
        if (args.Contains("--stdio"))
        {
            configuration["mode"] = "stdio";
        }

        return configuration["mode"]?.ToLowerInvariant() switch
        {
            "sse" => new(Mcp: true, Http: false, Stdio: false),
            "rest" => new(Mcp: false, Http: true, Stdio: false),
            "stdio" => new(Mcp: false, Http: false, Stdio: true),
            // an invalid mode is reported with the other invalid settings
            _ => new(Mcp: true, Http: true, Stdio: false),
        };
    }
}
