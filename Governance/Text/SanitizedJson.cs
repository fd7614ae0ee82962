using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace MinimalMcp.Governance;

/// <summary>
/// <see cref="SanitizedText"/> for JSON: sanitizes every string and member name, and redacts secrets when a <see
/// cref="Redactor"/> is given.
/// </summary>
/// <param name="redactor">Redacts secrets in each string.</param>
/// <param name="exact">Members that are not changed, because clients must return them unchanged.</param>
/// <param name="page">The member with a page that may be written back: a note reports escaped characters.</param>
internal sealed class SanitizedJson(Redactor? redactor = null, IReadOnlySet<string>? exact = null, string? page = null)
{
    private static readonly JsonSerializerOptions Relaxed = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private int _shown;
    private bool _isChanged;

    /// <summary>Sanitizes JSON text; an object with escaped characters gets a note.</summary>
    public static string Show(string json)
    {
        var visible = new SanitizedJson();
        var root = visible.Show(JsonNode.Parse(json));
        if (visible._shown == 0)
        {
            return json;
        }

        if (root is JsonObject answer)
        {
            answer["escaped"] = Note(visible._shown);
        }

        return root!.ToJsonString(Relaxed);
    }

    /// <summary>Sanitizes an object that is sent as JSON; returns the same object when nothing changes.</summary>
    public static T Show<T>(T value, JsonTypeInfo<T> type, Redactor? redactor = null)
    {
        var visible = new SanitizedJson(redactor);
        var shown = visible.Show(JsonSerializer.SerializeToNode(value, type));
        return visible._isChanged ? shown.Deserialize(type)! : value;
    }

    /// <summary>
    /// Sanitizes a page, which a caller may write back, so a note reports escaped characters. JSON stays JSON.
    /// </summary>
    public static string ShowPage(string text)
    {
        var visible = SanitizedText.Show(text, out var shown);
        if (
            text.AsSpan().TrimStart() is ['{' or '[', ..]
            && (shown > 0 || text.Contains("\\u", StringComparison.Ordinal))
        )
        {
            try
            {
                return Show(text);
            }
            catch (Exception unreadable) when (unreadable is JsonException or ArgumentException)
            {
                // It only begins like JSON, or has a duplicate member.
            }
        }

        return shown == 0 ? text : $"{visible}\n[{Note(shown)}]";
    }

    /// <summary>Sanitizes an object or array in place; returns a new node for a string.</summary>
    public JsonNode? Show(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (name, value) in members.ToArray())
                {
                    if (exact?.Contains(name) is not true)
                    {
                        ShowMember(members, name, value);
                    }
                }

                return members;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++)
                {
                    if (Show(items[i]) is var item && !ReferenceEquals(item, items[i]))
                    {
                        items[i] = item;
                    }
                }

                return items;
            case JsonValue value when value.TryGetValue<string>(out var text): // dates are written as strings too
                return Text(text) is var visible && visible == text ? value : JsonValue.Create(visible);
            default:
                return node;
        }
    }

    private void ShowMember(JsonObject members, string name, JsonNode? value)
    {
        var shown =
            name == page && value is JsonValue said && said.TryGetValue<string>(out var text)
                ? Page(value, text)
                : Show(value);
        if (Text(name) is var visible && visible != name)
        {
            members.Remove(name);
            members[visible] = shown;
        }
        else if (!ReferenceEquals(shown, value))
        {
            members[name] = shown;
        }
    }

    private JsonNode Page(JsonNode value, string text)
    {
        var visible = ShowPage(redactor?.Clean(text) ?? text);
        _isChanged |= visible != text;
        return visible == text ? value : JsonValue.Create(visible)!;
    }

    private string Text(string text)
    {
        var visible = SanitizedText.Show(redactor?.Clean(text) ?? text, out var shown);
        _shown += shown;
        _isChanged |= visible != text;
        return visible;
    }

    private static string Note(int shown) =>
        shown == 1
            ? "1 invisible character is shown as \\u{...}; it is not part of the original."
            : $"{shown} invisible characters are shown as \\u{{...}}; they are not part of the original.";
}
