using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Surfaces;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Scripts;

/// <summary>
/// docs/tools/reference.md is written from the registered tools. After a change of a tool that is meant, run this class
/// once with
/// UPDATE_SNAPSHOTS=1.
/// </summary>
public sealed class ToolReferenceTests
{
    private const string Intro = """
        # Tools reference

        <!-- Do not edit. UPDATE_SNAPSHOTS=1 scripts/test --filter-class "*ToolReferenceTests" writes this page. -->

        Every tool, with its effect, risk level, required scope and arguments. The operator can change the risk
        (`Governance:Risk:{tool}`), which changes scope and budget too. [Governance](../operate/governance.md) describes
        risk levels, budgets and confirmation. [Authentication](../operate/authentication.md#scopes) has the scopes.

        | effect | meaning |
        |---|---|
        | read | The call changes nothing. |
        | write | The change can be undone. |
        | destroy | The change cannot be undone. |


        """;

    private static string File => Path.Combine(ClientProcess.Root, "docs", "tools", "reference.md");

    [Fact]
    public async Task The_reference_has_every_tool_of_the_registry()
    {
        await using var product = await ProductFamilies.StartAsync();
        await using var server = TestServer.Start(product.Settings);
        var families = server
            .Services.GetRequiredService<ToolRegistry>()
            .Current.All.GroupBy(tool => tool.Family)
            .OrderBy(family => family.Key, StringComparer.Ordinal)
            .ToDictionary(family => family.Key, family => family.ToArray());
        if (Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") == "1")
        {
            await System.IO.File.WriteAllTextAsync(
                File,
                Intro
                    + Permissions(families.Values.SelectMany(tools => tools))
                    + string.Concat(families.Select(Section)),
                TestContext.Current.CancellationToken
            );
        }

        var text = await System.IO.File.ReadAllTextAsync(File, TestContext.Current.CancellationToken);
        var sections = text.Split("\n## ")[1..]
            .ToDictionary(section => section.Split('\n')[0], section => $"\n## {section}");
        const string Renew = "If the change is meant, run with UPDATE_SNAPSHOTS=1.";
        foreach (var family in families)
        {
            Assert.True(sections.TryGetValue(family.Key, out var section), $"{File} lacks {family.Key}. {Renew}");
            Assert.True(section == Section(family), $"{File} differs in {family.Key}. {Renew}\n{Section(family)}");
            Assert.All(family.Value, tool => Assert.Contains(Row(tool), sections["Permissions"]));
        }

        // A project that was made without a family still has its section.
        if (Directory.Exists(Path.Combine(ClientProcess.Root, ".template.config")))
        {
            Assert.Equal(families.Keys.Prepend("Permissions"), sections.Keys);
            Assert.Equal(Permissions(families.Values.SelectMany(tools => tools)), sections["Permissions"][1..]);
        }
    }

    [Fact]
    public async Task The_page_of_families_has_each_with_the_number_of_its_tools()
    {
        await using var product = await ProductFamilies.StartAsync();
        await using var server = TestServer.Start(product.Settings);
        var rows = Page.Text("docs/tools/README.md")
            .Split('\n')
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal))
            .ToArray();

        var missing = server
            .Services.GetRequiredService<ToolRegistry>()
            .Current.All.GroupBy(tool => tool.Family)
            .Where(family =>
                !rows.Any(row =>
                    row.Contains($"`{family.Key}`", StringComparison.Ordinal)
                    && row.Contains($"| {family.Count()} |", StringComparison.Ordinal)
                )
            )
            .Select(family => $"{family.Key}: {family.Count()} tools");
        Assert.Empty(missing); // write or correct the family's row in docs/tools/README.md
    }

    private static string Permissions(IEnumerable<Tool> tools) =>
        "## Permissions\n\n| tool | effect | risk | scope | confirmed |\n|---|---|---|---|---|\n"
        + string.Concat(tools.Select(Row));

    private static string Row(Tool tool) =>
        $"| [{tool.Name}](#{tool.Name}) | {Effect(tool)} | {tool.Risk} | `{tool.Scope}` |"
        + (tool.NeedsConfirmation ? " yes |\n" : " |\n");

    private static string Section(KeyValuePair<string, Tool[]> family)
    {
        var text = new StringBuilder($"\n## {family.Key}\n");
        foreach (var tool in family.Value)
        {
            text.Append($"\n### {tool.Name}\n\n");
            text.Append(
                $"{Effect(tool)} · {tool.Risk} · `{tool.Scope}`{(tool.NeedsConfirmation ? " · confirmed" : "")}\n\n"
            );
            text.Append(Wrap(Escape(tool.Description), ""));
            text.Append(string.Concat(Arguments(tool.InputSchema)));
        }

        return text.ToString();
    }

    private static IEnumerable<string> Arguments(JsonElement schema)
    {
        var required = schema.GetProperty("required").EnumerateArray().Select(name => name.GetString()).ToArray();
        var first = true;
        foreach (var argument in schema.GetProperty("properties").EnumerateObject())
        {
            var description = argument.Value.TryGetProperty("description", out var given) ? given.GetString()! : "";
            var facts = Facts(argument.Value, required.Contains(argument.Name));
            yield return (first ? "\n" : "")
                + Wrap($"- `{argument.Name}` ({facts}): {Escape(description)}".TrimEnd(' ', ':'), "  ");
            first = false;
        }
    }

    private static string Facts(JsonElement schema, bool required)
    {
        var facts = new List<string> { Type(schema) };
        if (required)
        {
            facts.Add("required");
        }

        if (schema.TryGetProperty("enum", out var values))
        {
            facts.Add(string.Join(" or ", values.EnumerateArray().Select(value => $"`{value}`")));
        }

        facts.AddRange(
            from bound in Bounds
            where schema.TryGetProperty(bound.Name, out _)
            select $"{bound.Words} {schema.GetProperty(bound.Name)}{bound.Unit}"
        );
        if (schema.TryGetProperty("default", out var value) && value.ValueKind != JsonValueKind.Null)
        {
            facts.Add($"default `{value.GetRawText()}`");
        }

        return string.Join(", ", facts);
    }

    private static readonly (string Name, string Words, string Unit)[] Bounds =
    [
        ("minimum", "at least", ""),
        ("maximum", "at most", ""),
        ("maxLength", "at most", " characters"),
        ("maxItems", "at most", " items"),
    ];

    private static string Type(JsonElement schema) =>
        !schema.TryGetProperty("type", out var type) ? "any"
        : type.ToString() == "array" && schema.TryGetProperty("items", out var items) ? $"list of {Type(items)}"
        : type.ValueKind == JsonValueKind.Array
            ? string.Join(" or ", type.EnumerateArray().Select(one => one.GetString()))
        : schema.TryGetProperty("format", out var format) && type.ToString() == "string" ? $"{type}, {format}"
        : type.ToString();

    private static string Effect(Tool tool) =>
        tool.IsReadOnly ? "read"
        : tool.Definition.Annotations?.DestructiveHint == false ? "write"
        : "destroy";

    private static string Escape(string text) =>
        text.Replace("<", "\\<", StringComparison.Ordinal)
            .Replace("*", "\\*", StringComparison.Ordinal)
            .Replace("[", "\\[", StringComparison.Ordinal);

    /// <summary>At most 120 characters a line; what follows a break is indented.</summary>
    private static string Wrap(string text, string indent)
    {
        var lines = new StringBuilder();
        var line = new StringBuilder();
        foreach (var word in text.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length + word.Length + 1 > 120)
            {
                lines.Append(line).Append('\n');
                line.Clear().Append(indent);
            }
            else if (line.Length > 0)
            {
                line.Append(' ');
            }

            line.Append(word);
        }

        return lines.Append(line).Append('\n').ToString();
    }
}
