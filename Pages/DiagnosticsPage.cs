using System.Globalization;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Auth.Diagnostics;
using MinimalMcp.WellKnown;

namespace MinimalMcp.Pages;

/// <summary>
/// The diagnostics page: recent discovery and sign-in requests with an explanation. Requires the scope mcp:admin.
/// </summary>
internal static class DiagnosticsPage
{
    public static async Task GetAsync(HttpContext http)
    {
        var log = http.RequestServices.GetRequiredService<DiagnosticsLog>();
        if (!http.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase))
        {
            http.Response.Headers.CacheControl = "no-store";
            await http.Response.WriteAsJsonAsync(
                new { exchanges = log.Entries, clients = log.InitializedClients },
                http.RequestAborted
            );
            return;
        }

        var files = http.RequestServices.GetRequiredService<PageAssets>();
        var auth = http.RequestServices.GetRequiredService<IOptions<AuthOptions>>().Value;
        var name = ServerIdentity.Name(http.RequestServices.GetRequiredService<IConfiguration>());
        await Html.Page(
                $"{name}: diagnostics",
                Html.Of(
                    $"""
                    <meta name="color-scheme" content="light dark">
                      <meta name="referrer" content="same-origin">
                      <link rel="stylesheet" href="{files.Address("start.css")}">
                    """
                ),
                Html.Of(
                    $"""
                    <main class="wide">
                        <h1>Diagnostics</h1>
                        <p>The last {DiagnosticsLog.Size} discovery and sign-in requests,
                          and refused MCP requests, newest first. Keys, tokens and codes are not recorded.
                          <a href="./">Back to {name}</a></p>
                        {Html.When(!auth.IsOff, () => SignInPage.SignOut(""))}
                        <h2>Requests</h2>
                        {Table(
                        ["Time (UTC)", "Request", "Response", "Explanation", "Client"],
                        log.Entries,
                        Row,
                        "No requests yet. Connect a client, then reload this page."
                    )}
                        <h2>Clients</h2>
                        {Table(
                        ["Last initialize (UTC)", "Client", "Revision", "Address"],
                        log.InitializedClients,
                        Row,
                        "No client has connected yet."
                    )}
                      </main>
                    """
                )
            )
            .WriteAsync(http, forms: "'self'");
    }

    private static Html Table<T>(string[] columns, IReadOnlyCollection<T> items, Func<T, Html> row, string empty) =>
        items.Count == 0
            ? Html.Of($"<p>{empty}</p>")
            : Html.Of(
                $"""
                <div class="scroll" tabindex="0"><table>
                  <thead><tr>{Html.Each(columns, column => Html.Of($"""<th scope="col">{column}</th>"""))}</tr></thead>
                  <tbody>{Html.Each(items, row)}</tbody>
                </table></div>
                """
            );

    private static Html Row(DiagnosticsEntry one) =>
        Html.Of(
            $"""
            <tr><td>{Time(
                one.Time
            )}</td><td><code>{one.Method} {one.Path}</code></td><td>{one.Status}, {one.Milliseconds.ToString(
                "0.0",
                CultureInfo.InvariantCulture
            )} ms</td><td>{one.Verdict}</td><td>{one.Client} {one.Address}</td></tr>
            """
        );

    private static Html Row(InitializedClient one) =>
        Html.Of(
            $"<tr><td>{Time(one.Time)}</td><td>{one.Client}</td><td>{one.Revision}</td><td>{one.Address}</td></tr>"
        );

    private static string Time(DateTimeOffset time) => time.ToString("MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
