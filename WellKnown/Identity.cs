namespace MinimalMcp.WellKnown;

/// <summary>What the server calls itself.</summary>
internal static class Identity
{
    public static string Name(IConfiguration configuration) =>
        configuration["Server:Name"] ?? typeof(Identity).Assembly.GetName().Name!;

    /// <summary>The version that clients see: the application's, where this is its library.</summary>
    public static string VersionOf(IConfiguration configuration) => configuration["Server:Version"] ?? Version;

    public static string Version { get; } = typeof(Identity).Assembly.GetName().Version!.ToString(3);
}
