namespace MinimalMcp.Pages.Console;

/// <summary>Tools: what this server offers, and how it is used.</summary>
internal static class ToolsPage
{
    public static Task GetAsync(HttpContext http) => ConsolePage.WriteAsync(http, new(Html.Of($"")));
}
