using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Grafana;

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
