using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Charts;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Grafana;

/// <summary>Asking a data source through Grafana: each type has a query of its own.</summary>
internal static class GrafanaQueries
{
    // The member that holds the text of the query, and what else that type needs; by the type's name, or how it begins.
    private static readonly (string Type, string Member, string Beside)[] Types =
    [
        ("prometheus", "expr", """{"format":"time_series"}"""),
        ("grafana-amazonprometheus", "expr", """{"format":"time_series"}"""),
        ("loki", "expr", """{"queryType":"range","direction":"backward"}"""),
        ("mysql", "rawSql", """{"format":"table"}"""),
        ("postgres", "rawSql", """{"format":"table"}"""),
        ("grafana-postgresql", "rawSql", """{"format":"table"}"""),
        ("mssql", "rawSql", """{"format":"table"}"""),
        ("grafana-clickhouse", "rawSql", """{"format":1}"""),
        ("frser-sqlite", "queryText", """{"queryType":"table"}"""),
        ("influxdb", "query", """{"rawQuery":true,"resultFormat":"time_series"}"""),
        ("graphite", "target", "{}"),
        (
            "elasticsearch",
            "query",
            """{"metrics":[{"id":"1","type":"raw_data","settings":{"size":"100"}}],"bucketAggs":[]}"""
        ),
        ("tempo", "query", """{"queryType":"traceql","limit":20}"""),
    ];

    public static async Task<(DataResult Result, LineChart? Chart)> QueryAsync(
        this GrafanaClient grafana,
        string uid,
        string query,
        TimeAxis axis,
        bool instant,
        int points,
        int rows,
        bool chart,
        CancellationToken ct
    )
    {
        var type = await grafana.TypeAsync(uid, ct);
        var asked = Query(type, query, instant, rows);
        asked["refId"] = "A";
        asked["datasource"] = new JsonObject { ["uid"] = uid, ["type"] = type };
        asked["intervalMs"] = (long)axis.Step.TotalMilliseconds;
        asked["maxDataPoints"] = points;
        var answer = await grafana.PostAsync(
            "ds/query",
            new()
            {
                ["from"] = Milliseconds(axis.From), // as text: that is how this API has them
                ["to"] = Milliseconds(axis.To),
                ["queries"] = new JsonArray(asked),
            },
            ct,
            "grafana_list_datasources has the uids."
        );
        var result = answer.Member("results").Member("A");
        if (result.Text("error") is { } error)
        {
            throw new McpException(
                $"The data source refused the query: {GrafanaJson.Clean(error)}. A query of the type {type} was sent."
            );
        }

        if (result.ValueKind is not JsonValueKind.Object)
        {
            throw GrafanaClient.Shape();
        }

        var frames = result.Items("frames").Select(frame => new Frame(frame)).ToArray();
        return (DataResult.From(type, frames, axis, rows), chart ? Chart(query, frames, axis) : null);
    }

    private static async Task<string> TypeAsync(this GrafanaClient grafana, string uid, CancellationToken ct)
    {
        var segment = GrafanaClient.Segment(uid, "datasource_uid");
        try
        {
            return (
                await grafana.GetAsync($"datasources/uid/{segment}", ct, "grafana_list_datasources has the uids.")
            ).Text("type") ?? throw GrafanaClient.Shape();
        }
        catch (HttpRequestException refused) when (refused.StatusCode is System.Net.HttpStatusCode.Forbidden)
        {
            // Who may query need not be allowed to read the settings.
            return (await grafana.DataSourcesAsync(ct)).DataSources.FirstOrDefault(source => source.Uid == uid)?.Type
                ?? throw new McpException(
                    $"There is no data source with the uid \"{uid}\". grafana_list_datasources has the uids."
                );
        }
    }

    private static JsonObject Query(string type, string query, bool instant, int rows)
    {
        if (query.TrimStart().StartsWith('{') && Model(query) is { } model)
        {
            return model;
        }

        var known = Array.Find(Types, known => type.StartsWith(known.Type, StringComparison.Ordinal));
        if (known.Member is null)
        {
            throw new McpException(
                $"Data sources of the type {type} want more than a text. Give query as a JSON object: the members of a target, as a panel of grafana_get_dashboard with full has them."
            );
        }

        var body = JsonNode.Parse(known.Beside)!.AsObject();
        body[known.Member] = query;
        if (known.Member == "expr" && type != "loki")
        {
            (body["instant"], body["range"]) = (instant, !instant);
        }
        else if (type == "loki")
        {
            body["maxLines"] = rows;
            body["queryType"] = instant ? "instant" : "range";
        }

        return body;
    }

    // LogQL begins with a brace as well: only what reads as JSON is a query in parts.
    private static JsonObject? Model(string query)
    {
        try
        {
            return JsonNode.Parse(query) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static LineChart? Chart(string query, Frame[] frames, TimeAxis axis)
    {
        var series = frames.SelectMany(frame => frame.Series()).ToArray();
        if (series.Length == 0)
        {
            return null;
        }

        var names = Legend.Names([.. series.Select(one => one.Labels)]);
        var lines = series
            .Select(
                (one, i) =>
                    new Line(one.Name ?? names[i], [.. one.Values.Select(value => Frame.NumberOf(value))], one.Times)
            )
            .ToArray();
        // What the data source took for the distance of two points may be more than what it was asked for.
        var step = series.Select(one => one.Interval).Append(axis.Step).Max();
        return new(query, axis with { Step = step }, lines)
        {
            Unit = UnitOf(series.Select(one => one.Unit).FirstOrDefault(unit => unit is not null)),
        };
    }

    // Grafana's names of units.
    private static string UnitOf(string? unit) =>
        unit switch
        {
            "bytes" or "decbytes" => "B",
            "Bps" or "binBps" => "B/s",
            "s" => "s",
            "percent" => "%",
            _ => "",
        };

    private static string Milliseconds(DateTimeOffset time) =>
        time.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
}
