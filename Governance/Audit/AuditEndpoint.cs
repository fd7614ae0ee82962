using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MinimalMcp.Auth;
using MinimalMcp.Auth.Operators;
using MinimalMcp.Configuration;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>The audit log over HTTP.</summary>
public static class AuditEndpoint
{
    private const int MaxLimit = 1000;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>
    /// Maps the audit log, newest first, for callers with the scope mcp:admin. <c>?format=jsonl</c> streams all
    /// matching entries, one per line.
    /// </summary>
    public static IEndpointConventionBuilder MapAudit(
        this IEndpointRouteBuilder routes,
        string pattern = "/api/v1/audit"
    ) =>
        routes
            .MapGet(pattern, (RequestDelegate)GetAsync)
            .AllowHead()
            .RequireAuthorization(Scopes.Admin)
            .AllowOperators();

    private static async Task GetAsync(HttpContext http)
    {
        if (Filter(http.Request.Query, out var wrong) is not { } filter)
        {
            await Results.Problem(statusCode: 400, title: "Bad request", detail: wrong).ExecuteAsync(http);
            return;
        }

        var store = http.RequestServices.GetRequiredService<Store>();
        if (http.Request.Query["format"] == "jsonl")
        {
            http.Response.ContentType = "application/jsonl; charset=utf-8";
            await foreach (var row in AllAsync(store, filter, http.RequestAborted))
            {
                await http.Response.WriteAsync(row.ToJsonString(Json) + "\n", http.RequestAborted);
            }

            return;
        }

        var (rows, next) = await PageAsync(store, filter, http.RequestAborted);
        await http.Response.WriteAsJsonAsync(
            new
            {
                count = rows.Length,
                rows,
                next,
            },
            Json,
            http.RequestAborted
        );
    }

    // The entries, and the seq for the next page; null on the last page.
    private static async Task<(JsonObject[] Rows, long? Next)> PageAsync(
        Store store,
        AuditFilter filter,
        CancellationToken cancellationToken
    )
    {
        var rows = await store.ReadAuditAsync(filter, cancellationToken);
        return ([.. rows.Select(Shown)], rows.Count == filter.Limit ? rows[^1].Seq : null);
    }

    // Readable for people and programs: an ISO time, a name beside the subject where one is known, and arguments as
    // JSON unless they were truncated.
    private static JsonObject Shown(AuditEntry row)
    {
        var json = JsonSerializer.SerializeToNode(row, Json)!.AsObject();
        if (PersonName.Of(row.Person) is { } name)
        {
            json.Insert(json.IndexOf("subject") + 1, "name", name);
        }

        json["at"] = DateTimeOffset
            .FromUnixTimeMilliseconds(row.At)
            .ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        try
        {
            json["arguments"] =
                row.Arguments is null ? null
                : JsonElement.Parse(row.Arguments) is { ValueKind: JsonValueKind.Object } arguments
                    ? JsonObject.Create(arguments)
                : row.Arguments;
        }
        catch (JsonException)
        {
            json["arguments"] = row.Arguments;
        }

        if (json["arguments"] is null)
        {
            json.Remove("arguments");
        }

        return json;
    }

    private static async IAsyncEnumerable<JsonObject> AllAsync(
        Store store,
        AuditFilter filter,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        for (var before = filter.Before; ; )
        {
            var (rows, next) = await PageAsync(
                store,
                filter with
                {
                    Before = before,
                    Limit = MaxLimit,
                },
                cancellationToken
            );
            foreach (var row in rows)
            {
                yield return row;
            }

            if (next is null)
            {
                yield break;
            }

            before = next;
        }
    }

    private static AuditFilter? Filter(IQueryCollection query, out string? wrong)
    {
        wrong = query
            .Keys.Except(["subject", "tool", "outcome", "call", "trace", "from", "to", "before", "limit", "format"])
            .FirstOrDefault()
            is { } unknown
            ? $"'{unknown}' is not a filter. Filters are subject, tool, outcome, call (the correlation id), trace "
                + "(a trace id), from and to (times), before (an entry's seq), limit and format."
            : null;
        var limit = Number("limit", ref wrong) ?? 100;
        var filter = new AuditFilter(
            Text("subject"),
            Text("tool"),
            Text("outcome"),
            Text("call"),
            Time("from", ref wrong),
            Time("to", ref wrong),
            Number("before", ref wrong),
            (int)Math.Clamp(limit, 1, MaxLimit),
            Text("trace")
        );
        return wrong is null ? filter : null;

        string? Text(string name) => query[name] is [{ Length: > 0 } value, ..] ? value : null;

        long? Number(string name, ref string? wrong)
        {
            if (Text(name) is not { } text)
            {
                return null;
            }

            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                wrong ??= $"'{name}' must be a number.";
            }

            return number;
        }

        long? Time(string name, ref string? wrong)
        {
            if (Text(name) is not { } text)
            {
                return null;
            }

            if (
                !DateTimeOffset.TryParse(
                    text,
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal,
                    out var time
                )
            )
            {
                wrong ??= $"'{name}' must be a time such as 2026-11-21T08:00:00Z.";
            }

            return time.ToUnixTimeMilliseconds();
        }
    }
}
