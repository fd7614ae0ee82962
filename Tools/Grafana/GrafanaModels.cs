using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using ModelContextProtocol;

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
)
{
    internal static bool IsV2(JsonElement meta, JsonElement dashboard) =>
        dashboard.Has("elements") || meta.Text("apiVersion")?.StartsWith("v2", StringComparison.Ordinal) is true;
}

public sealed record PanelSummary(
    long? Id,
    string? Type,
    string? Title,
    [property: Description("Its uid.")] string? Datasource,
    IReadOnlyList<string> Queries
)
{
    // A collapsed row has its panels inside.
    internal static IEnumerable<PanelSummary> Of(IEnumerable<JsonElement> panels) =>
        panels.SelectMany(panel =>
            panel.Text("type") == "row"
                ? Of(panel.Items("panels"))
                :
                [
                    new PanelSummary(
                        panel.Number("id"),
                        panel.Text("type"),
                        panel.Text("title"),
                        DataSource(panel),
                        [.. panel.Items("targets").Select(Query)]
                    ),
                ]
        );

    internal static IEnumerable<PanelSummary> OfElements(JsonElement elements) =>
        elements.ValueKind is not JsonValueKind.Object
            ? []
            : elements
                .EnumerateObject()
                .Select(element => element.Value.Member("spec"))
                .Select(spec => new PanelSummary(
                    spec.Number("id"),
                    spec.Member("vizConfig").Text("group") ?? spec.Member("vizConfig").Text("kind"),
                    spec.Text("title"),
                    null,
                    [
                        .. spec.Member("data")
                            .Member("spec")
                            .Items("queries")
                            .Select(query => Query(query.Member("spec").Member("query").Member("spec"))),
                    ]
                ));

    private static string? DataSource(JsonElement owner) =>
        owner.Text("datasource") ?? owner.Member("datasource").Text("uid");

    private static string Query(JsonElement target) =>
        GrafanaJson.Clean(
            target.Text("expr")
                ?? target.Text("rawSql")
                ?? target.Text("query")
                ?? target.Text("target")
                ?? target.Text("queryText")
                ?? target.Text("expression")
                ?? RawText(target)
        );

    private static string RawText(JsonElement json) =>
        json.ValueKind is JsonValueKind.Undefined
            ? ""
            : GrafanaJson.WithoutSecrets(JsonNode.Parse(json.GetRawText()))?.ToJsonString() ?? "";
}

public sealed record VariableSummary(string Name, string? Type, string? Query, string? Current)
{
    internal static VariableSummary From(JsonElement variable) =>
        new(
            variable.Text("name") ?? "",
            variable.Text("type"),
            variable.Text("query") ?? variable.Member("query").Text("query"),
            variable.Member("current").Member("value")
                is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) } value
                ? value.ToString()
                : null
        );
}

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
}

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
            state.Has("alerts") ? state.Items("alerts").Count() : null,
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
            ]
        );
}

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

/// <summary>Reads JSON that may lack anything, and takes secrets out of it.</summary>
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

    /// <summary>An argument that is written for people, such as a time.</summary>
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

    /// <summary>The same JSON without secrets: what is secure by its place, and what a name says is one.</summary>
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
                    && text.TryGetValue<string>(out var said)
                    && said.Length > 0
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
