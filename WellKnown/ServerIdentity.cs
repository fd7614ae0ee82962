namespace MinimalMcp.WellKnown;

/// <summary>What the server calls itself.</summary>
internal static class ServerIdentity
{
    public static string Name(IConfiguration configuration) =>
        configuration["Server:Name"] ?? typeof(ServerIdentity).Assembly.GetName().Name!;

    /// <summary>The version that clients see: that of the application, where this is its library.</summary>
    public static string VersionOf(IConfiguration configuration) => configuration["Server:Version"] ?? Version;

    public static string Version { get; } = typeof(ServerIdentity).Assembly.GetName().Version!.ToString(3);
}
