namespace MinimalMcp.Pages.Console;

/// <summary>What filtered and paged lists have in common.</summary>
internal static class PageFilters
{
    public static Html Input(string name, string label, string? value, string type = "text") =>
        Html.Of(
            $"""
            <p class="field"><label for="{name}">{label}</label>
                <input id="{name}" name="{name}" type="{type}" value="{value}" maxlength="200" autocomplete="off"></p>
            """
        );

    public static Html Selected(bool isSelected) => Html.When(isSelected, () => Html.Of($" selected"));

    /// <summary>A page with the filters that are set.</summary>
    public static string Address(string page, params IEnumerable<(string Name, string? Value)> filters) =>
        page
        + QueryString.Create(
            filters
                .Where(filter => filter.Value is { Length: > 0 })
                .Select(filter => KeyValuePair.Create(filter.Name, filter.Value))
        );

    /// <summary>The links to the newest entries and to older ones.</summary>
    public static Html Pages(string? newest, string? older) => Html.When((newest ?? older) is not null, () => Html.Of(
                $"""
                <nav class="pages" aria-label="Pages"><ul>
                  {Html.When(newest is not null, () => Html.Of($"""<li><a href="{newest}">Newest</a></li>"""))}
                  {Html.When(older is not null, () => Html.Of($"""<li><a href="{older}" rel="next">Older</a></li>"""))}
                </ul></nav>
                """
            ));
}
