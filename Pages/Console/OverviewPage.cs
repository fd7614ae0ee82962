namespace MinimalMcp.Pages.Console;

/// <summary>Overview: figures, charts, and what needs attention.</summary>
internal static class OverviewPage
{
    public static Task GetAsync(HttpContext http) => ConsolePage.WriteAsync(http, new(Html.Of($"")));
}
