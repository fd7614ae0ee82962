namespace MinimalMcp.Pages.Console;

/// <summary>Audit log: every call and change, searchable.</summary>
internal static class AuditPage
{
    public static Task GetAsync(HttpContext http) => ConsolePage.WriteAsync(http, new(Html.Of($"")));
}
