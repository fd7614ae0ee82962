using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace MinimalMcp.Governance;

/// <summary>
/// <see cref="VisibleText"/> for JSON: every string and every name of a member, without the secrets of the settings
/// when a <see cref="Redactor"/> is given.
/// </summary>
/// <param name="redactor">Takes secrets out of each string.</param>
/// <param name="exact">Members that are left alone, because somebody has to get them back as they were.</param>
/// <param name="page">The member that holds a page which somebody may write back: a note says what was shown.</param>
public sealed class VisibleJson(Redactor? redactor = null, IReadOnlySet<string>? exact = null, string? page = null)
{
    private static readonly JsonSerializerOptions Relaxed = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private int _shown;
    private bool _isChanged;

    /// <summary>JSON as text; an object gets a note where characters were shown.</summary>
    public static string Show(string json)
    {
        var visible = new VisibleJson();
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

    /// <summary>Something that is sent as JSON; the same object where nothing in it changes.</summary>
    public static T Show<T>(T value, JsonTypeInfo<T> type, Redactor? redactor = null)
    {
        var visible = new VisibleJson(redactor);
        var shown = visible.Show(JsonSerializer.SerializeToNode(value, type));
        return visible._isChanged ? shown.Deserialize(type)! : value;
    }

    /// <summary>
    /// A page: text that can be written back, so its reader is told that what is shown is not what stands there. JSON
    /// stays JSON.
    /// </summary>
    public static string ShowPage(string text)
    {
        var visible = VisibleText.Show(text, out var shown);
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
                // It only begins like JSON, or has a member twice.
            }
        }

        return shown == 0 ? text : $"{visible}\n[{Note(shown)}]";
    }

    /// <summary>Changes what is inside an object or array; gives a new node where it is a string itself.</summary>
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
            case JsonValue value when value.TryGetValue<string>(out var text): // a time is written as a string, too
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
        var visible = VisibleText.Show(redactor?.Clean(text) ?? text, out var shown);
        _shown += shown;
        _isChanged |= visible != text;
        return visible;
    }

    private static string Note(int shown) =>
        shown == 1
            ? "1 character that is not visible is shown as \\u{...}; it is no text of the original."
            : $"{shown} characters that are not visible are shown as \\u{{...}}; they are no text of the original.";
}
