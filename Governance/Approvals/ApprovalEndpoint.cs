using MinimalMcp.Auth;
using MinimalMcp.Auth.Operators;
using MinimalMcp.Configuration;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

internal static class ApprovalEndpoint
{
    /// <summary>Maps the pending approvals and their decision, for callers with the scope mcp:admin.</summary>
    public static IEndpointConventionBuilder MapApprovals(
        this IEndpointRouteBuilder routes,
        string pattern = "/api/v1/approvals"
    )
    {
        var group = routes.MapGroup(pattern).RequireAuthorization(Scopes.Admin).AllowOperators();
        group.MapGet("", (RequestDelegate)ListAsync);
        group.MapPost("/{id}/approve", (RequestDelegate)ApproveAsync);
        group.MapPost("/{id}/deny", (RequestDelegate)DenyAsync);
        return group.AllowHead();
    }

    private static Task ListAsync(HttpContext http) => GuardedAsync(http, async approvals =>
        {
            var rows = await approvals.ListAsync(http.RequestAborted);
            var by = Caller.From(http.User);
            return Results.Json(
                new
                {
                    count = rows.Count,
                    approvals = rows.Select(row => new
                    {
                        id = row.Id,
                        tool = row.Tool,
                        level = row.Level,
                        effect = row.Effect,
                        subject = SanitizedText.Show(row.Subject),
                        name = PersonName.Of(row.Person),
                        client = SanitizedText.Show(row.Client),
                        address = row.Address,
                        surface = row.Surface,
                        arguments = row.Arguments,
                        shown = SanitizedText.Show(JsonRewriter.Indented(row.Arguments)),
                        preview = row.Preview is null ? null : SanitizedText.Show(JsonRewriter.Indented(row.Preview)),
                        why_not = approvals.WhyNot(row, by),
                        call_id = row.CallId,
                        asked = DateTimeOffset.FromUnixTimeMilliseconds(row.At),
                        expires = DateTimeOffset.FromUnixTimeMilliseconds(row.Expires),
                    }),
                }
            );
        });

    private static Task ApproveAsync(HttpContext http) =>
        GuardedAsync(http, approvals => DecideAsync(http, approvals, approve: true));

    private static Task DenyAsync(HttpContext http) =>
        GuardedAsync(http, approvals => DecideAsync(http, approvals, approve: false));

    private static async Task<IResult> DecideAsync(HttpContext http, Approvals approvals, bool approve)
    {
        if (!http.Request.HasJsonContentType()) // a form of another page can send no JSON
        {
            return Results.Problem(
                statusCode: 403,
                title: "Request not accepted",
                detail: "Send the decision as JSON from this server's own page or from a program, not from a page "
                    + "of another origin."
            );
        }

        return
            await approvals.DecideAsync(
                (string)http.Request.RouteValues["id"]!,
                approve,
                Caller.From(http.User),
                CancellationToken.None
            )
                is { } why
            ? Results.Problem(statusCode: 409, title: "Not decided", detail: why)
            : Results.Json(new { status = approve ? "approved" : "denied" });
    }

    private static async Task GuardedAsync(HttpContext http, Func<Approvals, Task<IResult>> answer)
    {
        IResult result;
        http.Response.Headers.CacheControl = "no-store";
        try
        {
            result = await answer(http.RequestServices.GetRequiredService<Approvals>());
        }
        catch (StorageException)
        {
            result = Results.Problem(
                statusCode: 503,
                title: "Service unavailable",
                detail: "The server's store is unavailable. Try again in a minute."
            );
        }

        await result.ExecuteAsync(http);
    }
}
