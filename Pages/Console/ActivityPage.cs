namespace MinimalMcp.Pages.Console;

/// <summary>Activity: what happened, newest first, and what happens now.</summary>
internal static class ActivityPage
{
    public static Task GetAsync(HttpContext http) => ConsolePage.WriteAsync(http, new(Html.Of($"")));
}
