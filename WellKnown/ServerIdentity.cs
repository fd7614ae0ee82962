namespace MinimalMcp.WellKnown;

/// <summary>What the server calls itself.</summary>
internal static class ServerIdentity
{
    public static string Name(IConfiguration configuration) =>
        configuration["Server:Name"] ?? typeof(ServerIdentity).Assembly.GetName().Name!;

    public static string Version { get; } = typeof(ServerIdentity).Assembly.GetName().Version!.ToString(3);
}
