using MinimalMcp.Configuration;
using MinimalMcp.Governance;

namespace MinimalMcp.Pages.Console;

/// <summary>Settings in force: what is set, and where each setting comes from. Secrets are hidden.</summary>
internal static class SettingsPage
{
    public static Task GetAsync(HttpContext http)
    {
        var settings = http.RequestServices.GetRequiredService<SettingsInForce>().All;
        var files = http.RequestServices.GetRequiredService<EnvironmentRead>().Files;
        return ConsolePage.WriteAsync(
            http,
            new(
                Html.Of(
                    $"""
                    {Html.Each(settings.GroupBy(Section), Group)}
                    {Html.When(settings.Count == 0, () => Html.Of(
                        $"""
                        <div class="empty"><strong>No settings are set</strong>
                          <p>The server runs with its defaults.</p></div>
                        """
                    ))}
                    {Html.When(files.Count > 0, () => Html.Of(
                        $"""
                        <section aria-labelledby="files"><h2 id="files">Files of variables</h2>
                          <ul class="card">{Html.Each(files, file => Html.Of($"<li><code>{file}</code></li>"))}</ul>
                        </section>
                        """
                    ))}
                    """
                )
            )
            {
                Lead = Html.Of(
                    $"""
                    What is set on this replica, and where each setting comes from. Everything else has its default.
                    Secrets, and values that could hold one, are hidden.
                    """
                ),
            }
        );
    }

    private static string Section(SettingInForce setting) =>
        setting.Name.Contains(':') ? setting.Name.Split(':')[0]
        : setting.Name.StartsWith("OTEL_", StringComparison.Ordinal) ? "OpenTelemetry"
        : "Host";

    private static Html Group(IGrouping<string, SettingInForce> group) =>
        Html.Of(
            $"""
            <section class="even" aria-labelledby="section-{group.Key}">
              <h2 id="section-{group.Key}">{group.Key}</h2>
              {ConsoleTable.Of(
                "Settings of " + group.Key,
                ["Setting", "Value", "Source"],
                [.. group],
                one => [Html.Of($"<code>{one.Name}</code>"), Value(one), Html.Of($"{one.Source}")],
                Html.Of($"")
            )}
            </section>
            """
        );

    private static Html Value(SettingInForce setting) =>
        setting.Value switch
        {
            null => Html.Of($"""<span class="quiet">hidden</span>"""),
            "" => Html.Of($"""<span class="quiet">empty</span>"""),
            var value => Html.Of($"<code>{value}</code>"),
        };
}
