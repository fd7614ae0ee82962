namespace MinimalMcp.Configuration;

/// <summary>The server's icon.</summary>
internal static class ServerIcon
{
    public const string Type = "image/svg+xml";

    public const string Svg =
        """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" """
        + """fill="#14532d"/>"""
        + """<path d="M14 46V18l18 18 18-18v28" fill="none" stroke="#fff" stroke-width="6" stroke-linejoin="round" """
        + """stroke-linecap="round"/></svg>""";

    /// <summary>For clients that cannot fetch a URL.</summary>
    public static string DataUri =>
        $"data:{Type};base64," + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(Svg));
}
