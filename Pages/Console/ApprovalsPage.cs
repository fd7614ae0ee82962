namespace MinimalMcp.Pages.Console;

/// <summary>Approvals: calls that wait for a person.</summary>
internal static class ApprovalsPage
{
    public static Task GetAsync(HttpContext http) => ConsolePage.WriteAsync(http, new(Html.Of($"")));
}
