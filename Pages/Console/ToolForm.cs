using System.Globalization;
using System.Text.Json;
using MinimalMcp.Governance;
using MinimalMcp.Tools;

namespace MinimalMcp.Pages.Console;

/// <summary>
/// A form made from a tool's input schema. tools.js sends it as JSON to <c>/api/v1/tools/{name}/call</c>, where it is a
/// call of the operator who is signed in: governed and audited as every other.
/// </summary>
internal static class ToolForm
{
    private const string DryRun = "dry_run";

    public static Html Of(Tool tool)
    {
        var schema = tool.InputSchema;
        var required = schema.TryGetProperty("required", out var names)
            ? names.EnumerateArray().Select(name => name.GetString()).ToHashSet()
            : [];
        var properties = schema.TryGetProperty("properties", out var given) ? given.EnumerateObject().ToArray() : [];
        var fields = properties.Where(one => one.Name is not (DryRun or ConfirmationPolicy.Token)).ToArray();
        return Html.Of(
            $"""
            <section class="try" aria-labelledby="try-title">
              <h2 id="try-title">Try it</h2>
              <p>The call is made as you, counts against your budgets, and is in the audit log.</p>
              <form id="try" data-path="api/v1/tools/{tool.Name}/call" data-tool="{tool.Name}"{Html.When(
                tool.Effect is Effect.Destroy,
                () => Html.Of($" data-harmful")
            )}>
                {Html.When(fields.Length == 0, () => Html.Of($"<p>This tool has no arguments.</p>"))}
                {Html.Each(fields, field => Field(field.Name, field.Value, required.Contains(field.Name)))}
                <div class="buttons"><button class="{(tool.Effect is Effect.Destroy ? "harmful" : "")}">Call {
                tool.Name
            }</button>{Html.When(properties.Any(one => one.Name == DryRun), () => Html.Of(
                $""" <button class="plain" name="dry_run" value="true">Dry run</button>"""
            ))}</div>
              </form>
              <div id="result" role="region" aria-label="Result" aria-live="polite" tabindex="-1"></div>
            </section>
            """
        );
    }

    private static Html Field(string name, JsonElement schema, bool isRequired)
    {
        var id = "arg-" + name;
        var about = Text(schema, "description");
        return Html.Of(
            $"""
            <p class="field"><label for="{id}"><code>{name}</code> <small>{TypeOf(schema)}{(
                isRequired ? ", required" : ""
            )}</small></label>{Control(id, name, schema, isRequired, about is not null)}{Html.When(
                about is not null,
                () => Html.Of($"""<small id="{id}-about">{about}</small>""")
            )}</p>
            """
        );
    }

    // What is not simple is written as JSON: a form for every schema would be larger than the console.
    private static Html Control(string id, string name, JsonElement schema, bool isRequired, bool isDescribed)
    {
        var common = Html.Of(
            $"""
            id="{id}" name="{name}"{Html.When(isRequired, () => Html.Of($" required"))}{Html.When(isDescribed, () =>
                Html.Of($""" aria-describedby="{id}-about" """))}
            """
        );
        var values =
            schema.TryGetProperty("enum", out var listed) && listed.ValueKind is JsonValueKind.Array
                ? listed.EnumerateArray().Where(value => value.ValueKind is not JsonValueKind.Null).ToArray()
                : null;
        return (values, TypeOf(schema)) switch
        {
            ({ } all, _) => Choice(common, "json", all.Select(value => (value.GetRawText(), value.ToString()))),
            (_, "boolean") => Choice(common, "json", [("true", "true"), ("false", "false")]),
            (_, "integer" or "number") => Html.Of(
                $"""
                <input {common} type="number" data-kind="json" step="{(
                    TypeOf(schema) == "integer" ? "1" : "any"
                )}"{Limit(schema, "minimum", "min")}{Limit(schema, "maximum", "max")} value="{Default(schema)}">
                """
            ),
            (_, "string") when Length(schema) is null or > 200 => Html.Of(
                $"""<textarea {common} data-kind="text" rows="2" spellcheck="false">{Default(schema)}</textarea>"""
            ),
            (_, "string") => Html.Of(
                $"""
                <input {common} type="text" data-kind="text" maxlength="{Length(schema)}" autocomplete="off"
                  spellcheck="false" value="{Default(schema)}">
                """
            ),
            _ => Html.Of(
                $"""
                <textarea {common} data-kind="json" rows="4" spellcheck="false"
                  placeholder="JSON">{Default(schema)}</textarea>
                """
            ),
        };
    }

    private static Html Choice(Html common, string kind, IEnumerable<(string Json, string Text)> values) =>
        Html.Of(
            $"""
            <select {common} data-kind="{kind}"><option value="">not set</option>{Html.Each(values, value =>
                Html.Of($"""<option value="{value.Json}">{value.Text}</option>"""))}</select>
            """
        );

    private static Html Limit(JsonElement schema, string keyword, string attribute) =>
        schema.TryGetProperty(keyword, out var limit) && limit.ValueKind is JsonValueKind.Number
            ? attribute == "min"
                ? Html.Of($""" min="{limit.GetRawText()}" """)
                : Html.Of($""" max="{limit.GetRawText()}" """)
            : Html.Of($"");

    private static string TypeOf(JsonElement schema)
    {
        if (!schema.TryGetProperty("type", out var type))
        {
            return "JSON";
        }

        var types =
            type.ValueKind is JsonValueKind.Array
                ? type.EnumerateArray().Select(one => one.GetString()).Where(one => one != "null").ToArray()
                : [type.GetString()];
        return types is [{ } only] ? only : "JSON";
    }

    private static int? Length(JsonElement schema) =>
        schema.TryGetProperty("maxLength", out var length) && length.TryGetInt32(out var most) ? most : null;

    private static string? Text(JsonElement schema, string name) =>
        schema.TryGetProperty(name, out var text) && text.ValueKind is JsonValueKind.String ? text.GetString() : null;

    private static string Default(JsonElement schema) =>
        schema.TryGetProperty("default", out var value) && value.ValueKind is not JsonValueKind.Null
            ? value.ValueKind is JsonValueKind.String
                ? value.GetString()!
                : value.GetRawText()
            : "";
}
