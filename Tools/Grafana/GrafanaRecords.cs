using System.ComponentModel;
using System.Text.Json;
using MinimalMcp.Charts;

namespace MinimalMcp.Tools.Grafana;

public sealed record DashboardList(
    IReadOnlyList<DashboardHit> Dashboards,
    [property: Description("What was left out, and which argument to use.")] string? Note = null
);

public sealed record DashboardHit(
    string Uid,
    string Title,
    string? FolderUid,
    string? FolderTitle,
    string? Url,
    IReadOnlyList<string>? Tags
);

public sealed record DashboardResult(
    string Uid,
    string Title,
    [property: Description("What grafana_update_dashboard needs.")] long? Version,
    string? Url,
    string? FolderUid,
    string? FolderTitle,
    IReadOnlyList<string>? Tags,
    string? Updated,
    string? UpdatedBy,
    [property: Description("Comes from a file, and cannot be saved.")] bool? Provisioned,
    int TotalPanels,
    IReadOnlyList<PanelSummary> Panels,
    IReadOnlyList<VariableSummary> Variables,
    [property: Description("All of it, without secrets; only when full was asked for.")] JsonElement? Dashboard = null,
    string? Note = null
);

public sealed record PanelSummary(
    long? Id,
    string? Type,
    string? Title,
    [property: Description("Its uid.")] string? Datasource,
    IReadOnlyList<string> Queries
);

public sealed record VariableSummary(string Name, string? Type, string? Query, string? Current);

public sealed record SavedDashboard(string Uid, string? Url, long? Version, string? FolderUid);

public sealed record DeletedDashboard(string Uid, [property: Description("What was deleted.")] string? Title);

public sealed record FolderList(IReadOnlyList<FolderHit> Folders, string? Note = null);

public sealed record FolderHit(string Uid, string Title, string? ParentUid);

public sealed record DataSourceList(IReadOnlyList<DataSource> DataSources, string? Note = null);

public sealed record DataSource(
    string Uid,
    string Name,
    string Type,
    string? Url = null,
    bool IsDefault = false,
    bool? ReadOnly = null
);

public sealed record CreatedDataSource(
    DataSource DataSource,
    [property: Description("What Grafana's test of it said.")] string? Health = null,
    string? Note = null
);

public sealed record AlertRuleList(int Total, IReadOnlyList<AlertRule> Rules, string? Note = null);

public sealed record AlertRule(
    string Uid,
    string Title,
    string? FolderUid,
    string? Group,
    [property: Description("firing, pending, inactive, ... as it is now.")] string? State,
    [property: Description("ok, error, nodata: whether its evaluation works.")] string? Health,
    string? LastError,
    [property: Description("How many of its alerts are active.")] int? ActiveAlerts,
    [property: Description("How long it must be true before it fires.")] string? PendingFor,
    bool? Paused,
    IReadOnlyDictionary<string, string>? Labels,
    IReadOnlyDictionary<string, string>? Annotations,
    IReadOnlyList<string> Queries
);

public sealed record HealthResult(
    bool Healthy,
    [property: Description("ok or failing.")] string? Database = null,
    string? Version = null,
    [property: Description("False when Grafana refuses our token.")] bool? Authorised = null,
    string? Organisation = null,
    string? Note = null
);

public sealed record AnnotationList(IReadOnlyList<Annotation> Annotations, string? Note = null);

public sealed record Annotation(
    long Id,
    string? Time,
    string? TimeEnd,
    string? Text,
    IReadOnlyList<string>? Tags,
    string? DashboardUid,
    long? PanelId,
    string? By = null
);

public sealed record DataResult(
    [property: Description("Of the data source.")] string Type,
    string Start,
    string End,
    int TotalSeries,
    [property: Description("Numbers over time.")] IReadOnlyList<DataSeries> Series,
    [property: Description("Anything else: rows of SQL, lines of a log.")] IReadOnlyList<DataTable> Tables,
    [property: Description("Remarks of the data source, what was left out, and which argument to use.")]
        string? Note = null
)
{
    private const int MaxPoints = 2000;

    internal static DataResult From(string type, Frame[] frames, TimeAxis axis, int rows)
    {
        var (all, listed, left) = (
            frames.SelectMany(frame => frame.Series()).ToArray(),
            new List<DataSeries>(),
            MaxPoints
        );
        foreach (var one in all)
        {
            if ((left -= one.Values.Length) < 0 && listed.Count > 0)
            {
                break;
            }

            listed.Add(DataSeries.From(one));
        }

        DataTable[] tables = [.. frames.Select(frame => frame.Table(rows)).OfType<DataTable>()];
        List<string> notes = [.. frames.SelectMany(frame => frame.Notices).Distinct().Take(5)];
        if (axis.Note is { } changed)
        {
            notes.Add(changed);
        }

        if (all.Length == 0 && tables.Length == 0)
        {
            notes.Add(
                "The query gave no data. Check its names and labels, and whether there was data between start and end."
            );
        }

        if (listed.Count < all.Length)
        {
            notes.Add(
                $"Only {listed.Count} of {all.Length} series are listed. Aggregate in query, or lower max_data_points."
            );
        }

        if (tables.Any(table => table.Rows.Count < table.Total))
        {
            notes.Add("Not all rows are listed. Narrow query, or raise limit.");
        }

        return new(
            type,
            TimeAxis.Show(axis.From),
            TimeAxis.Show(axis.To),
            all.Length,
            listed,
            tables,
            notes.Count > 0 ? string.Join(' ', notes) : null
        );
    }
}

public sealed record DataSeries(
    string? Name,
    IReadOnlyDictionary<string, string> Labels,
    [property: Description(
        "Pairs of time and value, oldest first. Values are strings because they may be NaN, +Inf or -Inf."
    )]
        IReadOnlyList<IReadOnlyList<string?>> Points,
    double? Min,
    double? Max
)
{
    internal static DataSeries From(FrameSeries series)
    {
        var finite = series.Values.Select(Frame.NumberOf).Where(double.IsFinite).ToArray();
        return new(
            series.Name,
            series.Labels,
            [.. series.Times.Zip(series.Values, (time, value) => (IReadOnlyList<string?>)[TimeAxis.Show(time), value])],
            finite.Length > 0 ? finite.Min() : null,
            finite.Length > 0 ? finite.Max() : null
        );
    }
}

public sealed record DataTable(int Total, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string?>> Rows);
