namespace MinimalMcp.WellKnown;

/// <summary>What the server calls itself.</summary>
internal static class Identity
{
    public static string Name(IConfiguration configuration) =>
        configuration["Server:Name"] ?? typeof(Identity).Assembly.GetName().Name!;

    public static string Version { get; } = typeof(Identity).Assembly.GetName().Version!.ToString(3);
}
