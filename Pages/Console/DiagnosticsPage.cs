using System.Globalization;
using MinimalMcp.Auth.Diagnostics;

namespace MinimalMcp.Pages.Console;

/// <summary>Diagnostics: recent discovery and sign-in requests with an explanation.</summary>
internal static class DiagnosticsPage
{
    public static Task GetAsync(HttpContext http)
    {
        var log = http.RequestServices.GetRequiredService<DiagnosticsLog>();
        return ConsolePage.WriteAsync(
            http,
            new(
                Html.Of(
                    $"""
                    <section aria-labelledby="requests" id="requests-now" data-live="5000">
                      <h2 id="requests">Requests</h2>
                      {Requests(log)}
                    </section>
                    <section aria-labelledby="clients" id="clients-now" data-live="5000">
                      <h2 id="clients">Clients</h2>
                      {Clients(log)}
                    </section>
                    """
                )
            )
            {
                Lead = Html.Of(
                    $"""
                    The last {DiagnosticsLog.Size} discovery and sign-in requests, and refused MCP requests, newest
                    first, at this replica. Keys, tokens and codes are not recorded.
                    """
                ),
            }
        );
    }

    /// <summary>The same as JSON, for programs; a browser is sent to the page.</summary>
    public static Task GetRecordsAsync(HttpContext http, string console)
    {
        if (http.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase))
        {
            return Results.Redirect($"{ConsolePage.Root(http)}{console.Trim('/')}/diagnostics").ExecuteAsync(http);
        }

        var log = http.RequestServices.GetRequiredService<DiagnosticsLog>();
        http.Response.Headers.CacheControl = "no-store";
        return http.Response.WriteAsJsonAsync(
            new { exchanges = log.Entries, clients = log.InitializedClients },
            http.RequestAborted
        );
    }

    private static Html Requests(DiagnosticsLog log) =>
        ConsoleTable.Of(
            "Requests",
            ["Time", "Request", "Response", "Explanation", "Client"],
            log.Entries,
            one =>
                [
                    ConsoleTable.Time(one.Time),
                    Html.Of($"<code>{one.Method} {one.Path}</code>"),
                    Html.Of(
                        $"""
                        <span class="number">{one.Status}, {one.Milliseconds.ToString(
                            "0.0",
                            CultureInfo.InvariantCulture
                        )} ms</span>
                        """
                    ),
                    Html.Of($"{one.Verdict}"),
                    Html.Of($"{one.Client} {one.Address}"),
                ],
            Html.Of($"<strong>No requests yet</strong> <p>Connect a client. This page refreshes automatically.</p>")
        );

    private static Html Clients(DiagnosticsLog log) =>
        ConsoleTable.Of(
            "Clients",
            ["Last initialize", "Client", "Revision", "Address"],
            log.InitializedClients,
            one =>
                [
                    ConsoleTable.Time(one.Time),
                    Html.Of($"{one.Client}"),
                    Html.Of($"{one.Revision}"),
                    Html.Of($"{one.Address}"),
                ],
            Html.Of($"<strong>No clients yet</strong> <p>A client is listed when it has sent initialize.</p>")
        );
}
