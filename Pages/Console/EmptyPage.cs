namespace MinimalMcp.Pages.Console;

internal static class EmptyPage
{
    public static Task GetAsync(HttpContext http) => ConsolePage.WriteAsync(http, new(Html.Of($"")));
}
