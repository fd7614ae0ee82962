namespace MinimalMcp.Surfaces;

/// <summary>Which surfaces are served: <c>--mode all|sse|rest|stdio</c>.</summary>
/// <param name="Mcp">MCP over HTTP.</param>
/// <param name="Http">Plain HTTP, OpenAPI and function calling.</param>
/// <param name="Stdio">MCP over standard input and output.</param>
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
            _ => new(Mcp: true, Http: true, Stdio: false), // a wrong word stops the start, with the other settings that are wrong
        };
    }
}
