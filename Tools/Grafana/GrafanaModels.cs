using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using MinimalMcp.Charts;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Grafana;

internal sealed record DashboardList(
    IReadOnlyList<DashboardHit> Dashboards,
    [property: Description("What was left out, and which argument gives the rest.")] string? Note = null
);

internal sealed record DashboardHit(
    string Uid,
    string Title,
    string? FolderUid,
    string? FolderTitle,
    string? Url,
    IReadOnlyList<string>? Tags
);

internal sealed record DashboardResult(
    string Uid,
    string Title,
    [property: Description("The version that grafana_update_dashboard needs.")] long? Version,
    [property: Description("classic, or v2: then the JSON has elements and a layout.")] string Schema,
    string? Url,
    string? FolderUid,
    string? FolderTitle,
    IReadOnlyList<string>? Tags,
    string? Updated,
    string? UpdatedBy,
    [property: Description("true: it comes from a file or a repository, and cannot be saved here.")] bool? Provisioned,
    int TotalPanels,
    IReadOnlyList<PanelSummary> Panels,
    [property: Description("The rows and tabs that panels stand in, with what repeats them.")]
        IReadOnlyList<SectionSummary>? Sections,
    IReadOnlyList<VariableSummary> Variables,
    [property: Description("The whole JSON without secrets; only with full, and when it fits into one answer.")]
        JsonElement? Dashboard = null,
    [property: Description("The part of the JSON that path names, without secrets.")] JsonElement? Part = null,
    [property: Description("Parts that are too large for this answer: read each with its path.")]
        IReadOnlyList<LargePart>? LargeParts = null,
    [property: Description("What was left out, and which argument gives the rest.")] string? Note = null
);

internal sealed record LargePart(string Path, int Characters);

internal sealed record PanelSummary(
    long? Id,
    string? Type,
    string? Title,
    [property: Description("The uid of its data source; -- Mixed -- when its queries have different ones.")]
        string? Datasource,
    IReadOnlyList<string> Queries,
    [property: Description("Of a mixed panel: the uid of the data source of each of queries, in that order.")]
        IReadOnlyList<string?>? QueryDatasources = null,
    [property: Description("The row or tab that it stands in.")] string? Section = null,
    [property: Description("The text of a text panel.")] string? Text = null,
    [property: Description("The variable that repeats it.")] string? Repeat = null,
    [property: Description("The uid of the library panel that defines it.")] string? LibraryPanel = null,
    string? Description = null,
    [property: Description("What is done to the data of its queries, in that order.")]
        IReadOnlyList<string>? Transformations = null,
    [property: Description("Its place in the JSON: path of grafana_get_dashboard gives all of it.")] string? Path = null
)
{
    private const string Mixed = "-- Mixed --";

    private const int MaxText = 4000;

    /// <summary>Of a classic dashboard. Up to schema version 14 panels stand in rows; later a row is a panel.</summary>
    internal static IEnumerable<PanelSummary> OfClassic(JsonElement dashboard)
    {
        foreach (var (row, i) in dashboard.Items("rows").Select((row, i) => (row, i)))
        {
            var title = row.Text("title");
            foreach (var (panel, k) in row.Items("panels").Select((panel, k) => (panel, k)))
            {
                yield return OfClassic(panel, title, $"/rows/{i}/panels/{k}");
            }
        }

        string? section = null;
        foreach (var (panel, i) in dashboard.Items("panels").Select((panel, i) => (panel, i)))
        {
            if (panel.Text("type") != "row")
            {
                yield return OfClassic(panel, section, $"/panels/{i}");
                continue;
            }

            section = panel.Text("title") ?? "Row";
            // A collapsed row has its panels inside.
            foreach (var (inner, k) in panel.Items("panels").Select((inner, k) => (inner, k)))
            {
                yield return OfClassic(inner, section, $"/panels/{i}/panels/{k}");
            }
        }
    }

    /// <summary>Of schema v2, in the order of the layout; what no layout shows comes last.</summary>
    internal static IEnumerable<PanelSummary> OfV2(JsonElement spec)
    {
        var elements = spec.Member("elements");
        if (elements.ValueKind is not JsonValueKind.Object)
        {
            yield break;
        }

        var shown = new HashSet<string>();
        foreach (var place in LayoutPlace.In(spec.Member("layout"), null, 0))
        {
            if (place.Element is { } name && elements.Has(name) && shown.Add(name))
            {
                yield return OfElement(name, elements.Member(name), place.Section, place.Repeat);
            }
        }

        foreach (var element in elements.EnumerateObject().Where(element => !shown.Contains(element.Name)))
        {
            yield return OfElement(element.Name, element.Value, null, null);
        }
    }

    /// <summary>With what the library says of it. A dashboard only names the library panel.</summary>
    internal PanelSummary WithLibrary(JsonElement model) =>
        OfClassic(model, Section, Path ?? "") with
        {
            Id = Id,
            Title = Title ?? model.Text("title"),
            Repeat = Repeat ?? model.Text("repeat"),
            LibraryPanel = LibraryPanel,
        };

    private static PanelSummary OfClassic(JsonElement panel, string? section, string path)
    {
        var targets = panel.Items("targets").ToArray();
        var own = DataSourceOf(panel.Member("datasource"));
        var sources = targets.Select(target => DataSourceOf(target.Member("datasource")) ?? own).ToArray();
        return new(
            panel.Number("id"),
            panel.Text("type"),
            panel.Text("title"),
            own ?? sources.FirstOrDefault(),
            [.. targets.Select(QueryOf)],
            own == Mixed || sources.Distinct().Count() > 1 ? sources : null,
            section,
            Shorten(panel.Member("options").Text("content") ?? panel.Text("content")),
            panel.Text("repeat"),
            panel.Member("libraryPanel").Text("uid"),
            Shorten(panel.Text("description")),
            panel.Items("transformations").Select(one => one.Text("id") ?? "").ToArray() is { Length: > 0 } ids
                ? ids
                : null,
            path
        );
    }

    private static PanelSummary OfElement(string name, JsonElement element, string? section, string? repeat)
    {
        var spec = element.Member("spec");
        var data = spec.Member("data").Member("spec");
        var queries = data.Items("queries").Select(query => query.Member("spec")).ToArray();
        // v2beta1 names the data source in the query, v2alpha1 beside it.
        var sources = queries
            .Select(query =>
                query.Member("query").Member("datasource").Text("name") ?? DataSourceOf(query.Member("datasource"))
            )
            .ToArray();
        var isMixed = sources.Distinct().Count() > 1;
        var viz = spec.Member("vizConfig");
        return new(
            spec.Number("id"),
            viz.Text("group") ?? viz.Text("kind"),
            spec.Text("title"),
            isMixed ? Mixed : sources.FirstOrDefault(),
            [.. queries.Select(query => QueryOf(query.Member("query").Member("spec")))],
            isMixed ? sources : null,
            section,
            Shorten(viz.Member("spec").Member("options").Text("content")),
            repeat,
            spec.Member("libraryPanel").Text("uid"),
            Shorten(spec.Text("description")),
            data.Items("transformations").Select(one => one.Text("kind") ?? "").ToArray() is { Length: > 0 } ids
                ? ids
                : null,
            "/elements/" + DashboardPart.Escape(name)
        );
    }

    private static string? DataSourceOf(JsonElement source) =>
        source.ValueKind is JsonValueKind.String ? source.GetString() : source.Text("uid") ?? source.Text("type");

    private static string QueryOf(JsonElement target) =>
        Shorten(
            target.Text("expr")
                ?? target.Text("rawSql")
                ?? target.Text("query")
                ?? target.Text("target")
                ?? target.Text("queryText")
                ?? target.Text("expression")
                ?? (
                    target.ValueKind is JsonValueKind.Undefined
                        ? ""
                        : GrafanaJson.WithoutSecrets(JsonNode.Parse(target.GetRawText()))?.ToJsonString()
                )
        ) ?? "";

    private static string? Shorten(string? text) =>
        text is null ? null
        : text.Length <= MaxText ? text
        : text[..MaxText] + "… [truncated; path gives all of the panel]";
}

/// <summary>Where the layout of schema v2 shows an element. Rows and tabs contain grids, rows and tabs.</summary>
internal sealed record LayoutPlace(string? Element, string? Section, string? Repeat, SectionSummary? Opens = null)
{
    private const int MaxDepth = 8;

    public static IEnumerable<LayoutPlace> In(JsonElement layout, string? section, int depth)
    {
        if (depth > MaxDepth)
        {
            yield break;
        }

        var spec = layout.Member("spec");
        foreach (var item in spec.Items("items").Select(item => item.Member("spec")))
        {
            yield return new(item.Member("element").Text("name"), section, item.Member("repeat").Text("value"));
        }

        foreach (var (kind, part) in Parts(spec, "rows", "row").Concat(Parts(spec, "tabs", "tab")))
        {
            var title = part.Text("title") is { } own ? (section is null ? own : $"{section} / {own}") : section;
            yield return new(
                null,
                title,
                null,
                new(title ?? "", kind, part.Member("repeat").Text("value"), part.Flag("collapse") ? true : null)
            );
            foreach (var inner in In(part.Member("layout"), title, depth + 1))
            {
                yield return inner;
            }
        }
    }

    private static IEnumerable<(string Kind, JsonElement Part)> Parts(JsonElement spec, string name, string kind) =>
        spec.Items(name).Select(part => (kind, part.Member("spec")));
}

internal sealed record SectionSummary(
    string Title,
    [property: Description("row or tab.")] string Kind,
    [property: Description("The variable that repeats it.")] string? Repeat = null,
    bool? Collapsed = null
)
{
    internal static SectionSummary[]? Of(StoredDashboard dashboard)
    {
        var spec = dashboard.Spec;
        SectionSummary[] found = dashboard.IsV2
            ? [.. LayoutPlace.In(spec.Member("layout"), null, 0).Select(place => place.Opens).OfType<SectionSummary>()]
            :
            [
                .. spec.Items("rows").Select(row => OfRow(row, "collapse")),
                .. spec.Items("panels")
                    .Where(panel => panel.Text("type") == "row")
                    .Select(row => OfRow(row, "collapsed")),
            ];
        return found.Length > 0 ? found : null;
    }

    private static SectionSummary OfRow(JsonElement row, string collapsed) =>
        new(row.Text("title") ?? "Row", "row", row.Text("repeat"), row.Flag(collapsed) ? true : null);
}

internal sealed record VariableSummary(
    string Name,
    string? Type,
    [property: Description("What gives its values: a query, or a list of them.")] string? Query,
    string? Current,
    [property: Description("The uid of the data source that is queried.")] string? Datasource = null,
    [property: Description("Takes the values out of what the query returns.")] string? Regex = null,
    [property: Description("true: several values can be chosen.")] bool? Multi = null,
    [property: Description("true: all values can be chosen at once.")] bool? IncludeAll = null
)
{
    internal static VariableSummary OfClassic(JsonElement variable) =>
        new(
            variable.Text("name") ?? "",
            variable.Text("type"),
            variable.Text("query") ?? variable.Member("query").Text("query") ?? variable.Text("definition"),
            Value(variable),
            variable.Text("datasource") ?? variable.Member("datasource").Text("uid"),
            variable.Text("regex"),
            variable.Flag("multi") ? true : null,
            variable.Flag("includeAll") ? true : null
        );

    internal static VariableSummary OfV2(JsonElement variable)
    {
        var (spec, kind) = (variable.Member("spec"), variable.Text("kind") ?? "");
        var query = spec.Member("query");
        return new(
            spec.Text("name") ?? "",
            kind.Replace("Variable", "", StringComparison.Ordinal).ToLowerInvariant(),
            spec.Text("query")
                ?? query.Member("spec").Text("query")
                ?? query.Member("spec").Text("expr")
                ?? spec.Text("definition")
                ?? spec.Text("pluginId"),
            Value(spec),
            query.Member("datasource").Text("name")
                ?? spec.Member("datasource").Text("name")
                ?? spec.Member("datasource").Text("uid"),
            spec.Text("regex"),
            spec.Flag("multi") ? true : null,
            spec.Flag("includeAll") ? true : null
        );
    }

    private static string? Value(JsonElement variable) =>
        variable.Member("current").Member("value")
            is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) } value
            ? value.ToString()
            : null;
}

/// <summary>A dashboard as Grafana stores it: its JSON, and what stands beside it.</summary>
/// <param name="Spec">The classic dashboard, or the spec of schema v2.</param>
/// <param name="Api">Of schema v2: the version of the API, for example v2beta1.</param>
/// <param name="Space">Of schema v2: the namespace.</param>
/// <param name="Resource">Of schema v2: all of the resource, whose metadata a save sends back.</param>
internal sealed record StoredDashboard(
    string Uid,
    JsonElement Spec,
    bool IsV2,
    long? Version,
    string? FolderUid,
    string? FolderTitle,
    string? Url,
    string? Updated,
    string? UpdatedBy,
    bool IsProvisioned,
    string Api = "",
    string Space = "",
    JsonElement Resource = default
)
{
    public static StoredDashboard Classic(string uid, JsonElement meta, JsonElement dashboard) =>
        new(
            dashboard.Text("uid") ?? uid,
            dashboard,
            IsV2: false,
            dashboard.Number("version") ?? meta.Number("version"),
            meta.Text("folderUid"),
            meta.Text("folderTitle"),
            meta.Text("url"),
            meta.Time("updated"),
            meta.Text("updatedBy"),
            meta.Flag("provisioned")
        );

    public static StoredDashboard V2(string uid, string api, string space, JsonElement resource)
    {
        var metadata = resource.Member("metadata");
        var annotations = metadata.Member("annotations");
        var name = metadata.Text("name") ?? uid;
        return new(
            name,
            resource.Member("spec"),
            IsV2: true,
            metadata.Number("generation"),
            annotations.Text("grafana.app/folder"),
            null,
            $"/d/{Uri.EscapeDataString(name)}",
            annotations.Time("grafana.app/updatedTimestamp") ?? metadata.Time("creationTimestamp"),
            annotations.Text("grafana.app/updatedBy") ?? annotations.Text("grafana.app/createdBy"),
            annotations.Text("grafana.app/managedBy") is not null
                && annotations.Text("grafana.app/managerAllowsEdits") != "true",
            api,
            space,
            resource
        );
    }

    public PanelSummary[] Panels() => [.. IsV2 ? PanelSummary.OfV2(Spec) : PanelSummary.OfClassic(Spec)];

    public VariableSummary[] Variables() =>
        IsV2
            ? [.. Spec.Items("variables").Select(VariableSummary.OfV2)]
            : [.. Spec.Member("templating").Items("list").Select(VariableSummary.OfClassic)];
}

/// <summary>A part of a dashboard's JSON: as many of its members or items as fit into an answer.</summary>
internal sealed record DashboardPart(JsonNode? Value, IReadOnlyList<LargePart> Large, string? Note)
{
    /// <summary>Of the JSON in one answer. A GPT Action takes 100,000 characters with everything else in it.</summary>
    public const int MaxCharacters = 80_000;

    /// <summary>A name as a token of a JSON Pointer (RFC 6901 section 3).</summary>
    public static string Escape(string name) =>
        name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    /// <param name="json">Without secrets.</param>
    /// <param name="path">A JSON Pointer; empty for all of it.</param>
    /// <param name="offset">How many members, items or characters to skip.</param>
    public static DashboardPart At(JsonElement json, string path, int offset)
    {
        foreach (var token in path.Split('/').Skip(1))
        {
            var name = token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            json =
                json.ValueKind is JsonValueKind.Array && int.TryParse(name, out var place) && place >= 0
                    ? json.EnumerateArray().ElementAtOrDefault(place)
                    : json.Member(name);
        }

        if (json.ValueKind is JsonValueKind.Undefined || (path.Length > 0 && path[0] != '/'))
        {
            throw new McpException(
                $"The dashboard has nothing at {path}. Give a JSON Pointer, for example /panels/3, "
                    + "as the panels of this answer without path have it."
            );
        }

        return json.ValueKind switch
        {
            JsonValueKind.Array or JsonValueKind.Object => OfItems(json, path, offset),
            JsonValueKind.String => OfText(json.GetString()!, offset),
            _ => new(JsonNode.Parse(json.GetRawText()), [], null),
        };
    }

    private static DashboardPart OfItems(JsonElement json, string path, int offset)
    {
        var isArray = json.ValueKind is JsonValueKind.Array;
        var items = isArray
            ? json.EnumerateArray().Select((item, i) => (Name: $"{i}", Value: item)).ToArray()
            : json.EnumerateObject().Select(item => (item.Name, item.Value)).ToArray();
        var (listed, large) = (new List<(string Name, JsonNode? Value)>(), new List<LargePart>());
        var (left, next) = (MaxCharacters, offset);
        for (; next < items.Length; next++)
        {
            var (name, value) = items[next];
            var size = value.GetRawText().Length;
            if (size > MaxCharacters)
            {
                large.Add(new($"{path}/{Escape(name)}", size));
                continue;
            }

            if ((left -= size + name.Length) < 0)
            {
                break;
            }

            listed.Add((name, JsonNode.Parse(value.GetRawText())));
        }

        JsonNode shown = isArray
            ? new JsonArray([.. listed.Select(item => item.Value)])
            : new JsonObject(listed.Select(item => KeyValuePair.Create(item.Name, item.Value)));
        var kind = isArray ? "items" : "members";
        var note =
            next < items.Length
                ? $"These are {kind} {offset} to {next - 1} of {items.Length}. "
                    + $"Go on with path=\"{path}\" and offset={next}."
            : offset > 0 ? $"These are the last {kind}, from {offset}."
            : null;
        return new(shown, large, large.Count > 0 ? $"{note} Read each of largeParts with its path.".Trim() : note);
    }

    private static DashboardPart OfText(string text, int offset)
    {
        var end = Math.Min(text.Length, offset + MaxCharacters);
        return new(
            JsonValue.Create(text[Math.Min(offset, end)..end]),
            [],
            end < text.Length
                ? $"These are characters {offset} to {end - 1} of {text.Length}. Go on with offset={end}."
                : null
        );
    }
}

internal sealed record SavedDashboard(
    string Uid,
    string? Url,
    [property: Description("The version that the dashboard has now.")] long? Version,
    string? FolderUid
);

internal sealed record DeletedDashboard(string Uid, [property: Description("The title that it had.")] string? Title);

internal sealed record FolderList(IReadOnlyList<FolderHit> Folders, string? Note = null);

internal sealed record FolderHit(string Uid, string Title, string? ParentUid);

internal sealed record DataSourceList(
    IReadOnlyList<DataSource> DataSources,
    [property: Description("What was left out, and which argument gives the rest.")] string? Note = null
);

internal sealed record DataSource(
    string Uid,
    string Name,
    string Type,
    string? Url = null,
    bool IsDefault = false,
    bool? ReadOnly = null
)
{
    internal static DataSource From(JsonElement source) =>
        new(
            source.Text("uid") ?? throw GrafanaClient.Shape(),
            source.Text("name") ?? "",
            source.Text("type") ?? "",
            GrafanaJson.WithoutPassword(source.Text("url")),
            source.Flag("isDefault"),
            source.Flag("readOnly") ? true : null
        );

    /// <summary>Those that the settings of Grafana's own pages name, without what is no system.</summary>
    internal static IReadOnlyList<DataSource> OfSettings(JsonElement settings)
    {
        var standard = settings.Text("defaultDatasource");
        return settings.Member("datasources") is { ValueKind: JsonValueKind.Object } sources
            ?
            [
                .. from source in sources.EnumerateObject()
                where source.Value.Text("uid") is not (null or "-- Mixed --" or "-- Dashboard --" or "grafana")
                select new DataSource(
                    source.Value.Text("uid")!,
                    source.Name,
                    source.Value.Text("type") ?? "",
                    IsDefault: source.Name == standard
                ),
            ]
            : throw GrafanaClient.Shape();
    }
}

internal sealed record CreatedDataSource(
    DataSource DataSource,
    [property: Description("The result of Grafana's test of it.")] string? Health = null,
    string? Note = null
);

internal sealed record AlertRuleList(
    [property: Description("How many rules there are, whether listed or not.")] int Total,
    IReadOnlyList<AlertRule> Rules,
    [property: Description("What was left out or is not known, and which argument gives the rest.")] string? Note = null
);

/// <summary>The states of alert rules by the uid of the rule.</summary>
internal sealed class AlertStates
{
    private readonly Dictionary<string, JsonElement> _states = [];

    public static AlertStates None { get; } = new();

    public JsonElement Of(JsonElement rule) => _states.GetValueOrDefault(rule.Text("uid") ?? "");

    /// <summary>
    /// Matches what is evaluated with what is defined: by uid, which Grafana gives since 12.0, and before by folder,
    /// group and title. What matches twice, or not at all, has no state.
    /// </summary>
    /// <param name="rules">As they are defined.</param>
    /// <param name="groups">As they are evaluated.</param>
    /// <param name="titles">Of folders by their uid, where two rules differ by the folder only.</param>
    public static AlertStates Of(
        JsonElement[] rules,
        IEnumerable<JsonElement> groups,
        Dictionary<string, string> titles
    )
    {
        var states = new AlertStates();
        var evaluated = groups
            .SelectMany(group => group.Items("rules").Select(rule => (Group: group, Rule: rule)))
            .ToArray();
        foreach (var (_, rule) in evaluated)
        {
            if (rule.Text("uid") is { } uid)
            {
                states._states[uid] = rule;
            }
        }

        var named = evaluated
            .Where(one => one.Rule.Text("uid") is null)
            .ToLookup(one => (one.Group.Text("name"), one.Rule.Text("name")));
        var defined = rules.CountBy(rule => (rule.Text("ruleGroup"), rule.Text("title"))).ToDictionary();
        foreach (var rule in rules)
        {
            var (name, folder) = ((rule.Text("ruleGroup"), rule.Text("title")), rule.Text("folderUID") ?? "");
            var matches = named[name].Where(one => IsIn(one.Group, folder, defined[name] == 1)).ToArray();
            if (rule.Text("uid") is { } uid && matches.Length == 1)
            {
                states._states.TryAdd(uid, matches[0].Rule);
            }
        }

        return states;

        // A group names its folder by uid, or by title in its "file", after those of the folders around it.
        bool IsIn(JsonElement group, string folder, bool isOnly) =>
            group.Text("folderUid") is { } uid ? uid == folder
            : titles.GetValueOrDefault(folder) is { Length: > 0 } title
                ? group.Text("file") is { } file
                    && (file == title || file.EndsWith("/" + title, StringComparison.Ordinal))
            : isOnly;
    }
}

internal sealed record AlertRule(
    string Uid,
    string Title,
    string? FolderUid,
    string? Group,
    [property: Description("firing, pending, recovering or inactive; missing when it is not known.")] string? State,
    [property: Description("ok, error or nodata: whether its evaluation works.")] string? Health,
    string? LastError,
    [property: Description("How many of its alerts are not normal.")] int? ActiveAlerts,
    [property: Description("How long its condition must hold before it fires, for example 5m.")] string? PendingFor,
    bool? Paused,
    IReadOnlyDictionary<string, string>? Labels,
    IReadOnlyDictionary<string, string>? Annotations,
    IReadOnlyList<string> Queries,
    [property: Description("Of a recording rule, which has no state: the metric that it writes.")] string? Record = null
)
{
    internal static AlertRule From(JsonElement rule, JsonElement state) =>
        new(
            rule.Text("uid") ?? "",
            rule.Text("title") ?? "",
            rule.Text("folderUID"),
            rule.Text("ruleGroup"),
            state.Text("state"),
            state.Text("health"),
            state.Text("lastError"),
            state.Has("alerts")
                ? state
                    .Items("alerts")
                    .Count(alert => alert.Text("state")?.StartsWith("Normal", StringComparison.Ordinal) is not true)
                : null,
            rule.Text("for"),
            rule.Flag("isPaused") ? true : null,
            rule.Pairs("labels"),
            rule.Pairs("annotations"),
            [
                .. rule.Items("data")
                    .Where(query => query.Text("datasourceUid") is not "__expr__")
                    .Select(query => query.Member("model"))
                    .Select(model => model.Text("expr") ?? model.Text("rawSql") ?? model.Text("query"))
                    .OfType<string>(),
            ],
            rule.Member("record").Text("metric")
        );
}

internal sealed record HealthResult(
    bool Healthy,
    [property: Description("ok or failing.")] string? Database = null,
    string? Version = null,
    [property: Description("false when Grafana refuses the token of this server.")] bool? Authorised = null,
    string? Organisation = null,
    string? Note = null
);

internal sealed record AnnotationList(
    IReadOnlyList<Annotation> Annotations,
    [property: Description("What was left out, and which argument gives the rest.")] string? Note = null
);

internal sealed record Annotation(
    long Id,
    string? Time,
    string? TimeEnd,
    string? Text,
    IReadOnlyList<string>? Tags,
    string? DashboardUid,
    long? PanelId,
    string? By = null
)
{
    internal static Annotation From(JsonElement annotation) =>
        new(
            annotation.Number("id") ?? 0,
            TimeOf(annotation, "time"),
            TimeOf(annotation, "timeEnd"),
            annotation.Text("text"),
            annotation.Texts("tags"),
            annotation.Text("dashboardUID"),
            annotation.Number("panelId") is > 0 and var panel ? panel : null,
            annotation.Text("login")
        );

    private static string? TimeOf(JsonElement json, string name) =>
        json.Number(name) is > 0 and < 200_000_000_000_000 and var milliseconds
            ? TimeAxis.Show(DateTimeOffset.FromUnixTimeMilliseconds(milliseconds))
            : null;
}

/// <summary>Reads JSON that may lack anything, and removes secrets from it.</summary>
internal static partial class GrafanaJson
{
    public const string Redacted = "[REDACTED]";

    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>A parameter of an address, after others.</summary>
    public static string Parameter(string name, string? value) =>
        string.IsNullOrEmpty(value) ? "" : $"&{name}={Uri.EscapeDataString(value)}";

    /// <summary>Reads an argument such as a time, and refuses one that is none.</summary>
    public static T Read<T>(Func<T> parse)
    {
        try
        {
            return parse();
        }
        catch (FormatException wrong)
        {
            throw new McpException(wrong.Message);
        }
    }

    public static bool Has(this JsonElement json, string name) =>
        json.Member(name).ValueKind is not JsonValueKind.Undefined;

    /// <summary>A member, or an undefined element.</summary>
    public static JsonElement Member(this JsonElement json, string name) =>
        json.ValueKind is JsonValueKind.Object && json.TryGetProperty(name, out var member) ? member : default;

    public static string? Text(this JsonElement json, string name) =>
        json.Member(name) is { ValueKind: JsonValueKind.String } text && text.GetString() is { Length: > 0 } found
            ? found
            : null;

    public static long? Number(this JsonElement json, string name) =>
        json.Member(name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var found)
            ? found
            : null;

    /// <summary>A time; null for the one that Go writes for none, the first of January of the year 1.</summary>
    public static string? Time(this JsonElement json, string name) =>
        json.Text(name) is { } time && !time.StartsWith("0001-01-01", StringComparison.Ordinal) ? time : null;

    public static bool Flag(this JsonElement json, string name) => json.Member(name).ValueKind is JsonValueKind.True;

    /// <summary>The items of a member; none when it is no array.</summary>
    public static JsonElement.ArrayEnumerator Items(this JsonElement json, string name) =>
        json.Member(name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : default;

    /// <summary>The items of an answer that must be an array.</summary>
    public static JsonElement.ArrayEnumerator All(this JsonElement json) =>
        json.ValueKind is JsonValueKind.Array ? json.EnumerateArray() : throw GrafanaClient.Shape();

    public static string[]? Texts(this JsonElement json, string name) =>
        json.Items(name).Select(item => item.ToString()).ToArray() is { Length: > 0 } texts ? texts : null;

    public static Dictionary<string, string>? Pairs(this JsonElement json, string name) =>
        json.Member(name) is { ValueKind: JsonValueKind.Object } pairs && pairs.EnumerateObject().Any()
            ? pairs.EnumerateObject().ToDictionary(pair => pair.Name, pair => pair.Value.ToString())
            : null;

    public static string Clean(string text)
    {
        var plain = string.Concat(text.Where(letter => !char.IsControl(letter)));
        return plain.Length > 400 ? plain[..400] + "…" : plain;
    }

    /// <summary>An address without the password that may stand in it.</summary>
    public static string? WithoutPassword(string? url) =>
        url is null ? null : UserInfo().Replace(url, $"://{Redacted}@");

    /// <summary>The same JSON without secrets: what is in a secure place, and what has the name of a secret.</summary>
    public static JsonNode? WithoutSecrets(JsonNode? node)
    {
        if (node is JsonObject parent)
        {
            foreach (var (name, value) in parent.ToArray())
            {
                if (name == "secureJsonData" && value is JsonObject secure)
                {
                    parent[name] = new JsonObject(
                        secure.Select(secret => KeyValuePair.Create<string, JsonNode?>(secret.Key, Redacted))
                    );
                }
                else if (
                    value is JsonValue text
                    && text.TryGetValue<string>(out var found)
                    && found.Length > 0
                    && SecretName().IsMatch(name)
                )
                {
                    parent[name] = Redacted;
                }
                else
                {
                    WithoutSecrets(value);
                }
            }
        }

        foreach (var item in node as JsonArray ?? [])
        {
            WithoutSecrets(item);
        }

        return node;
    }

    [GeneratedRegex("password|token|secret|api_?key|authorization|httpHeaderValue", RegexOptions.IgnoreCase)]
    private static partial Regex SecretName();

    [GeneratedRegex("://[^/@]*@")]
    private static partial Regex UserInfo();
}
