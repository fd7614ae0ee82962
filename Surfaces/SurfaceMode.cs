namespace MinimalMcp.Surfaces;

/// <summary>Which ways in are open: <c>--mode all|sse|rest|stdio</c>.</summary>
public sealed record SurfaceMode(bool Mcp, bool Http, bool Stdio)
{
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
            // a wrong word stops the start, with the other settings that are wrong
            _ => new(Mcp: true, Http: true, Stdio: false),
        };
    }
}
