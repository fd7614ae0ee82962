using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tools;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tests.Tools;

/// <summary>Tools that answer with more than a host takes.</summary>
public static class HugeTools
{
    public static void AddTo(IServiceCollection services) => services.AddSingleton(new ToolType(typeof(HugeTools)));

    [McpServerTool(Name = "huge_list", ReadOnly = true)]
    public static Inventory HugeList() =>
        new(
            "everything",
            [
                .. Enumerable
                    .Range(0, 10_000)
                    .Select(number => number % 7 == 0 ? null : new Item(number, "Name “in quotes” 🛒")),
            ]
        );

    [McpServerTool(Name = "huge_bare_list", ReadOnly = true)]
    public static string[] HugeBareList() => [.. Enumerable.Repeat("\"\n\"", 50_000)];

    [McpServerTool(Name = "huge_text", ReadOnly = true)]
    public static string HugeText(string of) => string.Concat(Enumerable.Repeat(of, 200_000 / of.Length));

    [McpServerTool(Name = "huge_content", ReadOnly = true)]
    public static IEnumerable<ContentBlock> HugeContent() =>
        [new TextContentBlock { Text = HugeText("\n") }, new TextContentBlock { Text = "the end" }];

    [McpServerTool(Name = "huge_item", ReadOnly = true)]
    public static Item HugeItem() => new(1, HugeText("x"));

    [McpServerTool(Name = "huge_title", ReadOnly = true)]
    public static Inventory HugeTitle() => new(HugeText("x"), [new(1, "one")]);

    [McpServerTool(Name = "nearly_huge", ReadOnly = true)]
    public static string NearlyHuge() => new('x', 98_000);
}

public sealed record Inventory(string Title, Item?[] Items);

public sealed record Item(int Number, string Name);
