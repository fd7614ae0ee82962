using MinimalMcp.Auth;
using MinimalMcp.Auth.Operators;
using MinimalMcp.Configuration;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>The audit log over HTTP.</summary>
public static class AuditEndpoint
{
    /// <summary>
    /// Maps the audit log, newest first, for callers with the scope mcp:admin. <c>?format=jsonl</c> and
    /// <c>?format=csv</c> stream all matching entries. <c>POST …/verify</c> verifies the chain.
    /// </summary>
    public static IEndpointConventionBuilder MapAudit(
        this IEndpointRouteBuilder routes,
        string pattern = "/api/v1/audit"
    )
    {
        var group = routes.MapGroup(pattern).RequireAuthorization(Scopes.Admin).AllowOperators();
        group.MapGet("", (RequestDelegate)GetAsync);
        group.MapPost("/verify", (RequestDelegate)VerifyAsync);
        return group.AllowHead();
    }

    private static async Task GetAsync(HttpContext http)
    {
        if (AuditQuery.Read(http.Request.Query, out var wrong) is not { } filter)
        {
            await Results.Problem(statusCode: 400, title: "Bad request", detail: wrong).ExecuteAsync(http);
            return;
        }

        var store = http.RequestServices.GetRequiredService<Store>();
        switch (http.Request.Query["format"].ToString())
        {
            case "jsonl":
                await AuditExport.WriteLinesAsync(http, store, filter);
                return;
            case "csv":
                await AuditExport.WriteCsvAsync(http, store, filter);
                return;
        }

        var rows = await store.ReadAuditAsync(filter, http.RequestAborted);
        await http.Response.WriteAsJsonAsync(
            new
            {
                count = rows.Count,
                rows = rows.Select(AuditExport.Shown),
                next = rows.Count == filter.Limit ? rows[^1].Seq : (long?)null, // the seq for the next page
            },
            ApiJson.Options,
            http.RequestAborted
        );
    }

    private static async Task VerifyAsync(HttpContext http) => await (await VerifiedAsync(http)).ExecuteAsync(http);

    private static async Task<IResult> VerifiedAsync(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        try
        {
            return
                await http.RequestServices.GetRequiredService<AuditVerifier>().VerifyAsync(http.RequestAborted)
                    is { } verdict
                ? Results.Json(
                    new
                    {
                        intact = verdict.Problem is null,
                        entries = verdict.Rows,
                        seq = verdict.Seq,
                        hash = verdict.Hash,
                        problem = verdict.Problem,
                        message = AuditVerifier.InWords(verdict),
                    }
                )
                : Results.Problem(
                    statusCode: 409,
                    title: "Already running",
                    detail: "The audit log is being verified already. Wait until that has ended."
                );
        }
        catch (StorageException)
        {
            return Results.Problem(
                statusCode: 503,
                title: "Service unavailable",
                detail: "The server's store is unavailable. Try again in a minute."
            );
        }
    }
}
