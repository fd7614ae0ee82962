using MinimalMcp.Governance;
using MinimalMcp.Storage;

namespace MinimalMcp.Pages.Console;

/// <summary>
/// Everything that the audit log has of one call, oldest first, with the call that asked for its approval.
/// </summary>
internal static class AuditStory
{
    private const int MaxEntries = 50; // a call has two, and some for its approval

    public static async Task WriteAsync(HttpContext http, Store store, string call)
    {
        var entries = await ReadAsync(store, call, http.RequestAborted);
        if (entries.Count == 0)
        {
            await ConsolePage.NotFoundAsync(http, "The audit log has no call with this id. Old entries are deleted.");
            return;
        }

        var requested = entries.Select(one => RequestedAs(one.Detail)).FirstOrDefault(id => id is not null);
        var asked = requested is null ? [] : await ReadAsync(store, requested, http.RequestAborted);
        var (first, last) = (entries[0], entries[^1]);
        await ConsolePage.WriteAsync(
            http,
            new(
                Html.Of(
                    $"""
                    <dl class="facts">
                      <dt>Tool</dt><dd><code>{first.Tool}</code></dd>
                      <dt>Outcome</dt><dd>{AuditPage.Outcome(last)}</dd>
                      <dt>Duration</dt><dd>{AuditPage.Duration(
                        entries.LastOrDefault(one => one.DurationUs is not null)?.DurationUs
                    )}</dd>
                      <dt>Subject</dt><dd><a href="{PageFilters.Address("audit", ("subject", first.Subject))}">{
                        AuditPage.Person(first)
                    }</a></dd>
                      <dt>Client</dt><dd>{first.Client ?? "–"}</dd>
                      <dt>Address</dt><dd>{first.Address ?? "–"}</dd>
                      <dt>Surface</dt><dd>{first.Surface}</dd>
                      <dt>Risk</dt><dd>{first.Level}</dd>
                      <dt>Call id</dt><dd><code>{call}</code></dd>
                      <dt>Trace id</dt><dd>{Trace(first.TraceId)}</dd>
                      {Html.When(first.OpenaiSubject is not null, () =>
                        Html.Of($"<dt>ChatGPT user</dt><dd>{first.OpenaiSubject}</dd>"))}
                      {Html.When(first.OpenaiSession is not null, () =>
                        Html.Of($"<dt>ChatGPT conversation</dt><dd>{first.OpenaiSession}</dd>"))}
                    </dl>
                    {Html.When(asked.Count > 0, () => Html.Of(
                        $"""
                        <h2>Request for approval</h2>
                        <p>Call <a href="{PageFilters.Address("audit", ("call", requested))}"><code>{
                            requested
                        }</code></a> asked for it.</p>
                        <ol class="story">{Html.Each(asked, Step)}</ol>
                        """
                    ))}
                    <h2>What happened</h2>
                    <ol class="story">{Html.Each(entries, Step)}</ol>
                    """
                )
            )
            {
                Title = $"Call of {first.Tool}",
                Parent = ("console/audit", "Audit log"),
                Actions = Html.Of($"""<button type="button" class="plain" id="print">Print</button>"""),
                Files = ["pages.css", "audit.js"],
            }
        );
    }

    private static async Task<IReadOnlyList<AuditEntry>> ReadAsync(
        Store store,
        string call,
        CancellationToken cancellationToken
    ) => [.. (await store.ReadAuditAsync(new(CallId: call, Limit: MaxEntries), cancellationToken)).Reverse()];

    private static Html Step(AuditEntry one) =>
        Html.Of(
            $"""
            <li class="card">
              <p><strong>{InWords(one)}</strong> {AuditPage.Outcome(one)}</p>
              <p>{ConsoleTable.Time(DateTimeOffset.FromUnixTimeMilliseconds(one.At))} · {AuditPage.Person(one)}{(
                one.DurationUs is null ? "" : " · " + AuditPage.Duration(one.DurationUs)
            )} · entry {one.Seq}</p>
              {Html.When(one.Detail is not null, () => Html.Of($"<p>{one.Detail}</p>"))}
              {Html.When(one.Arguments is { Length: > 2 }, () => Html.Of(
                $"""
                <pre class="text" tabindex="0" aria-label="Arguments">{JsonRewriter.Indented(one.Arguments!)}</pre>
                """
            ))}
              <p class="hash">SHA-256 <code>{one.Hash}</code></p>
            </li>
            """
        );

    private static string InWords(AuditEntry one) =>
        (one.Surface, one.Phase) switch
        {
            ("approvals", "intent") => "A decision was begun",
            ("approvals", _) => "Decision",
            (_, "intent") => "Intent, stored before the call",
            (_, "outcome") => "Outcome",
            _ when one.Outcome == "preview" => "Preview, nothing was done",
            _ when one.Outcome.StartsWith("refused", StringComparison.Ordinal) => "Refused",
            _ => "Call",
        };

    private static Html Trace(string? id) =>
        id is null
            ? Html.Of($"–")
            : Html.Of($"""<a href="{PageFilters.Address("audit", ("trace", id))}"><code>{id}</code></a>""");

    private static string? RequestedAs(string? detail) =>
        detail?.Split(Approvals.RequestedAs) is [_, { Length: > 0 and <= 64 } id] ? id : null;
}
