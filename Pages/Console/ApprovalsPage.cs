using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Governance;
using MinimalMcp.Storage;

namespace MinimalMcp.Pages.Console;

/// <summary>Approvals: calls that wait for a person. New ones appear by themselves.</summary>
internal static class ApprovalsPage
{
    public static async Task GetAsync(HttpContext http)
    {
        var services = http.RequestServices;
        var approvals = services.GetRequiredService<Approvals>();
        var pending = await approvals.ListAsync(http.RequestAborted);
        var isAsked = services.GetRequiredService<IOptions<GovernanceOptions>>().Value.Approve is { Length: > 0 };
        var by = Caller.From(http.User);
        await ConsolePage.WriteAsync(
            http,
            new(
                Html.Of(
                    $"""
                    {Html.When(!isAsked, () => Html.Of($"""
                      <p class="note">No tool needs approval on this server. Set <code>Governance:Approve</code> to
                        tools or risk levels, for example <code>CRITICAL</code>.</p>
                      """))}
                    <section id="pending" data-live="3000" aria-label="Pending approvals">
                      {(pending.Count == 0
                        ? Html.Of($"""<div class="empty"><p>No pending approvals.</p></div>""")
                        : Html.Of($"""<ul class="calls">{Html.Each(pending, row =>
                            Call(row, approvals.WhyNot(row, by)))}</ul>"""))}
                    </section>
                    """
                )
            )
            {
                Lead = Html.Of(
                    $"Calls that run only after somebody other than the caller approves them. New ones appear here."
                ),
                Files = ["pages.css", "approvals.js"],
            }
        );
    }

    private static Html Call(StoredApproval row, string? whyNot)
    {
        var person = PersonName.Of(row.Person) is { } name ? $"{name} ({row.Subject})" : row.Subject;
        return Html.Of(
            $"""
            <li id="call-{row.Id}" class="card">
              <h2 id="title-{row.Id}"><code>{row.Tool}</code> · risk {row.Level.ToLowerInvariant()} · {row.Effect}</h2>
              <p>Requested by {person}{(row.Client is null ? "" : $" with {row.Client}")}{(
                row.Address is null ? "" : $" from {row.Address}"
            )} at {Time(row.At)}; expires at {Time(row.Expires)}.
                <a href="audit?call={Uri.EscapeDataString(row.CallId)}">See the call</a></p>
              <pre class="text" tabindex="0" aria-label="Arguments">{JsonRewriter.Indented(row.Arguments)}</pre>
              {Html.When(row.Preview is not null, () => Html.Of(
                $"""
                <p>It would do this:</p>
                <pre class="text" tabindex="0" aria-label="Preview">{JsonRewriter.Indented(row.Preview!)}</pre>
                """
            ))}
              {Html.When(whyNot is not null, () => Html.Of($"""<p class="note">{whyNot}</p>"""))}
              <div class="buttons">
                {Button(row, "approve", "Approve", "approved", whyNot is not null)}
                {Button(row, "deny", "Deny", "denied", false)}
              </div>
            </li>
            """
        );
    }

    private static Html Button(StoredApproval row, string path, string word, string done, bool isDisabled) =>
        Html.Of(
            $$"""
            <button type="button" class="{{(path == "deny" ? "plain" : "")}}" id="{{path}}-{{row.Id}}"
              data-path="api/v1/approvals/{{row.Id}}/{{path}}" data-body="{}"
              data-done="The call of {{row.Tool}} was {{done}}."
              aria-describedby="title-{{row.Id}}"{{Html.When(isDisabled, () =>
                Html.Of($" disabled"))}}>{{word}}</button>
            """
        );

    private static Html Time(long at) => ConsoleTable.Time(DateTimeOffset.FromUnixTimeMilliseconds(at));
}
