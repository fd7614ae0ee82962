using System.Text.RegularExpressions;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests;

/// <summary>Which folder may know of which. The arrows point one way.</summary>
public sealed partial class ArchitectureTests
{
    /// <summary>The namespaces of ours that a folder's files may mention, beside the folder's own.</summary>
    public static TheoryData<string, string[]> Arrows =>
        new()
        {
            { "Auth", ["Storage", "Configuration"] },
            { "Charts", [] },
            { "Configuration", [] },
            { "Engine", [] },
            { "Governance", ["Auth", "Storage", "Configuration"] },
            { "Hub", ["Tools", "Governance", "Auth", "Outgoing", "Storage", "Configuration"] },
            { "Monitoring", ["Tools", "Governance", "Auth", "Storage", "Configuration"] },
            { "Storage", ["Configuration"] },
            { "Outgoing", ["Configuration"] },
            { "Telemetry", ["Governance"] },
            { "Tools", ["Governance", "Configuration", "Engine", "Charts"] },
            { "Surfaces", ["Tools", "Governance", "Auth", "Storage", "Configuration"] },
            { "WellKnown", ["Tools", "Governance", "Auth", "Storage", "Configuration"] },
            {
                "Pages",
                ["Tools", "Hub", "Monitoring", "Charts", "Governance", "Auth", "Storage", "Configuration", "WellKnown"]
            },
        };

    // What a family is made of: the methods that a model sees, requests to the upstream, records and their mapping,
    // settings; and where it has them documents, resources, prompts, formulas, and REST routes of its own.
    private static readonly string[] Parts =
    [
        "Tools",
        "Client",
        "Models",
        "Options",
        "Documents",
        "Resources",
        "Prompts",
        "Figures",
        "Routes",
    ];

    // So large that each of these has one file for each product: CwayUserTools, CwayHistoryClient.
    private static readonly string[] VeryLarge = ["Cway"];

    [Theory, MemberData(nameof(Arrows))]
    public void A_folder_mentions_only_what_it_may(string folder, string[] allowed)
    {
        foreach (var file in Sources().Where(file => file.StartsWith(folder + "/", StringComparison.Ordinal)))
        {
            var strangers = Mentioned(file).Where(name => name != folder && !allowed.Contains(name)).Distinct();
            Assert.True(!strangers.Any(), $"{file} mentions {string.Join(", ", strangers)}");
        }
    }

    [Fact]
    public void Every_folder_has_its_arrows() =>
        Assert.Equal(
            Arrows.Select(arrow => arrow.Data.Item1).Order(),
            Sources().Where(file => file.Contains('/')).Select(file => file.Split('/')[0]).Distinct().Order()
        );

    [Fact]
    public void A_family_mentions_nothing_else_of_ours_so_that_it_can_be_copied()
    {
        // Libraries: they know nothing of the server either, and are copied along with a family that speaks to
        // containers or draws charts.
        string[] libraries = ["MinimalMcp.Engine", "MinimalMcp.Charts"];
        foreach (var file in Sources().Where(file => file.Split('/') is ["Tools", _, _]))
        {
            var own = "MinimalMcp.Tools." + file.Split('/')[1];
            var strangers = Ours()
                .Matches(Text(file))
                .Select(match => match.Value)
                .Where(name => name != own && !libraries.Contains(name));
            Assert.True(!strangers.Any(), $"{file} mentions {string.Join(", ", strangers)}");
        }
    }

    [Fact]
    public void A_family_has_the_same_few_files_as_every_other()
    {
        foreach (var file in Sources().Where(file => file.Split('/') is ["Tools", _, _, ..]))
        {
            var family = file.Split('/')[1];
            var name = Path.GetFileNameWithoutExtension(file);
            Assert.True(
                name.EndsWith("Tools", StringComparison.Ordinal)
                    || (
                        name.StartsWith(family, StringComparison.Ordinal)
                        && (
                            VeryLarge.Contains(family)
                                ? Parts.Any(part => name.EndsWith(part, StringComparison.Ordinal))
                                : Parts.Contains(name[family.Length..])
                        )
                    ),
                $"{file}: a family has {string.Join(", ", Parts.Select(part => $"{family}{part}.cs"))} and, when it is "
                    + "very large, one of these per product. Move the code to one of these."
            );
        }
    }

    [Fact]
    public void No_line_is_wider_than_120_characters()
    {
        var wide = SourcesAndTests()
            .SelectMany(file =>
                File.ReadLines(Path.Combine(ClientProcess.Root, file))
                    .Select((line, index) => (Place: $"{file}:{index + 1}", line.Length))
            )
            .Where(line => line.Length > 120)
            .Select(line => $"{line.Place} ({line.Length})")
            .ToArray();
        Assert.True(wide.Length == 0, $"Wider than 120 characters:\n{string.Join('\n', wide)}");
    }

    [Fact]
    public void Program_is_a_table_of_contents() =>
        Assert.InRange(File.ReadLines(Path.Combine(ClientProcess.Root, "Program.cs")).Count(), 1, 100);

    private static IEnumerable<string> Sources() =>
        SourcesAndTests().Where(file => file.Split('/')[0] is not ("tests" or "samples" or "templates"));

    private static IEnumerable<string> SourcesAndTests() =>
        Directory
            .EnumerateFiles(ClientProcess.Root, "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(ClientProcess.Root, file).Replace('\\', '/'))
            .Where(file => !file.Split('/').Any(folder => folder is "bin" or "obj" or "artifacts" or "node_modules"));

    // What stands in comments is for people.
    private static string Text(string file) =>
        Comment().Replace(File.ReadAllText(Path.Combine(ClientProcess.Root, file)), "");

    // Both ways to mention a namespace: MinimalMcp.Tools, and Tools.Something from within MinimalMcp.
    private static IEnumerable<string> Mentioned(string file)
    {
        var folders = Arrows.Select(arrow => arrow.Data.Item1).ToHashSet();
        return Ours()
            .Matches(Text(file))
            .Select(match => match.Value["MinimalMcp.".Length..].Split('.')[0])
            .Concat(Relative().Matches(Text(file)).Select(match => match.Groups[1].Value).Where(folders.Contains));
    }

    [GeneratedRegex(@"(?<!"")\bMinimalMcp(\.\w+)+")]
    private static partial Regex Ours();

    [GeneratedRegex(@"(?<![\w.""])([A-Z]\w+)\.[A-Z]\w+")]
    private static partial Regex Relative();

    [GeneratedRegex("//.*")]
    private static partial Regex Comment();
}
