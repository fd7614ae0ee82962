namespace MinimalMcp.Pages.Console;

/// <summary>Sessions: who is connected.</summary>
internal static class SessionsPage
{
    public static Task GetAsync(HttpContext http) => ConsolePage.WriteAsync(http, new(Html.Of($"")));
}
