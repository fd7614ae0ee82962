using System.Text.Json;

namespace MinimalMcp.Governance;

/// <summary>
/// Validates the arguments of a call against the tool's schema. Every invalid argument is named with what is expected,
/// so that a model can fix the call in one attempt. Common variants are accepted: integers as "12", objects as JSON
/// text, numbers for strings, a single item for a list of one.
/// </summary>
internal sealed class ArgumentCheck
{
    private readonly string _tool;
    private readonly Dictionary<string, SchemaNode> _properties;
    private readonly string[] _required;
    private readonly SchemaNode? _others;
    private readonly KeyValuePair<string, string>[] _oldNames;

    /// <param name="oldNames">Former argument names and their current names.</param>
    public ArgumentCheck(string tool, JsonElement schema, IReadOnlyDictionary<string, string> oldNames)
    {
        (_tool, _oldNames) = (tool, [.. oldNames]);
        var root = SchemaNode.Read(schema, schema);
        _properties = root.Properties ?? [];
        _required = root.Required;
        _others = root.IsOpen ? root.OtherMembers ?? new() : null; // only tools of other servers allow more
    }

    // A caller may send hundreds of thousands of unknown names; suggestions for all would take too long.
    private const int MaxUnknown = 5;

    public void Check(ToolCall call)
    {
        foreach (var (old, name) in _oldNames)
        {
            if (!call.ContainsKey(name) && call.Remove(old, out var value))
            {
                call[name] = value;
            }
        }

        List<string>? problems = null;
        var unknown = 0;
        List<KeyValuePair<string, object?>>? replaced = null;
        foreach (var (name, value) in call)
        {
            if ((_properties.GetValueOrDefault(name) ?? _others) is not { } schema)
            {
                if (++unknown <= MaxUnknown)
                {
                    (problems ??= []).Add(Unknown(name));
                }
            }
            else if (value is JsonElement element)
            {
                // Models that fill in every argument send null for those they omit.
                if (element.ValueKind is JsonValueKind.Null && !schema.AllowsNull)
                {
                    (replaced ??= []).Add(new(name, null));
                    continue;
                }

                var undressed = schema.Undress(element);
                if (schema.Problem(name, undressed ?? element) is { } refused)
                {
                    var (read, problem) = Read(name, schema, element, refused);
                    (replaced ??= []).Add(new(name, read));
                    if (problem is not null)
                    {
                        (problems ??= []).Add(problem);
                    }
                }
                else if (undressed is not null)
                {
                    (replaced ??= []).Add(new(name, undressed.Value));
                }
            }
        }

        foreach (var (name, value) in replaced ?? [])
        {
            if (value is null)
            {
                call.Remove(name);
            }
            else
            {
                call[name] = value;
            }
        }

        foreach (var name in _required)
        {
            if (!call.ContainsKey(name))
            {
                (problems ??= []).Add($"'{name}' is missing ({_properties[name].Expected})");
            }
        }

        if (problems is not null)
        {
            var more = unknown > MaxUnknown ? $"; and {unknown - MaxUnknown} more unknown arguments" : "";
            var text = TextLimit.Cut($"{string.Join("; ", problems)}{more}", TextLimit.Refusal);
            throw new ToolRefusedException(Refusal.Arguments, $"{_tool}: {text}. {Valid()}");
        }
    }

    // The coerced value; null when it means that the argument was omitted.
    private (JsonElement? Value, string? Problem) Read(
        string name,
        SchemaNode schema,
        JsonElement value,
        string refused
    )
    {
        if (schema.IsBlank(value) && !_required.Contains(name))
        {
            return (null, null);
        }

        var read = schema.Coerce(value);
        return (read, schema.Problem(name, read) is null ? null : refused);
    }

    private string Unknown(string name)
    {
        var shown = SchemaNode.Shorten(name);
        return NameSuggestions.Nearest(name, _properties.Keys) is [var near, ..]
            ? $"'{shown}' is not an argument (did you mean '{near}'?)"
            : $"'{shown}' is not an argument";
    }

    private string Valid() =>
        _properties.Count == 0
            ? "It takes no arguments."
            : $"Its arguments are: {string.Join(", ", _properties.Select(property =>
            $"{property.Key} ({property.Value.Expected}{(_required.Contains(property.Key) ? ", required" : "")})"))}.";
}
