using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Configuration;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>
/// Audit entries as JSON, JSON lines and CSV. Exports are read page by page, so that none is held whole.
/// </summary>
internal static class AuditExport
{
    private static readonly (string Name, Func<AuditEntry, string?> Of)[] Columns =
    [
        ("seq", row => row.Seq.ToString(CultureInfo.InvariantCulture)),
        ("at", row => Time(row.At)),
        ("phase", row => row.Phase),
        ("call_id", row => row.CallId),
        ("trace_id", row => row.TraceId),
        ("subject", row => row.Subject),
        ("name", row => PersonName.Of(row.Person)),
        ("client", row => row.Client),
        ("address", row => row.Address),
        ("surface", row => row.Surface),
        ("tool", row => row.Tool),
        ("level", row => row.Level),
        ("arguments", row => row.Arguments),
        ("outcome", row => row.Outcome),
        ("detail", row => row.Detail),
        ("duration_us", row => row.DurationUs?.ToString(CultureInfo.InvariantCulture)),
        ("openai_subject", row => row.OpenaiSubject),
        ("openai_session", row => row.OpenaiSession),
        ("hash", row => row.Hash),
    ];

    public static async Task WriteLinesAsync(HttpContext http, Store store, AuditFilter filter)
    {
        Begin(http, "application/jsonl", "jsonl");
        await foreach (var row in AllAsync(store, filter, http.RequestAborted))
        {
            await http.Response.WriteAsync(Shown(row).ToJsonString(ApiJson.Options) + "\n", http.RequestAborted);
        }
    }

    public static async Task WriteCsvAsync(HttpContext http, Store store, AuditFilter filter)
    {
        Begin(http, "text/csv", "csv");
        await http.Response.WriteAsync(
            string.Join(',', Columns.Select(column => column.Name)) + "\r\n",
            http.RequestAborted
        );
        var line = new StringBuilder();
        await foreach (var row in AllAsync(store, filter, http.RequestAborted))
        {
            line.Clear().AppendJoin(',', Columns.Select(column => Cell(column.Of(row)))).Append("\r\n");
            await http.Response.WriteAsync(line.ToString(), http.RequestAborted);
        }
    }

    /// <summary>
    /// Readable for people and programs: an ISO time, a name beside the subject where one is known, and arguments as
    /// JSON unless they were truncated.
    /// </summary>
    public static JsonObject Shown(AuditEntry row)
    {
        var json = JsonSerializer.SerializeToNode(row, ApiJson.Options)!.AsObject();
        if (PersonName.Of(row.Person) is { } name)
        {
            json.Insert(json.IndexOf("subject") + 1, "name", name);
        }

        json["at"] = Time(row.At);
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

    /// <summary>
    /// A cell of RFC 4180. Spreadsheets run a cell that begins like a formula, and callers choose arguments and names:
    /// an apostrophe before it makes it text (OWASP, "CSV Injection").
    /// </summary>
    internal static string Cell(string? value)
    {
        if (value is not { Length: > 0 })
        {
            return "";
        }

        var text = SanitizedText.Show(value);
        var isFormula =
            text[0] is '\t' or '\r' or '\n'
            || text.TrimStart() is ['=' or '+' or '-' or '@' or '＝' or '＋' or '－' or '＠', ..];
        return $"\"{(isFormula ? "'" : "")}{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    private static void Begin(HttpContext http, string type, string extension)
    {
        http.Response.ContentType = $"{type}; charset=utf-8";
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"audit-log.{extension}\"";
        http.Response.Headers.XContentTypeOptions = "nosniff";
    }

    private static string Time(long at) =>
        DateTimeOffset
            .FromUnixTimeMilliseconds(at)
            .ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static async IAsyncEnumerable<AuditEntry> AllAsync(
        Store store,
        AuditFilter filter,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        for (var next = filter with { Limit = AuditQuery.MaxLimit }; ; )
        {
            var rows = await store.ReadAuditAsync(next, cancellationToken);
            foreach (var row in rows)
            {
                yield return row;
            }

            if (rows.Count < next.Limit)
            {
                yield break;
            }

            next = next with { Before = rows[^1].Seq };
        }
    }
}
