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
            { "Storage", ["Configuration"] },
            { "Dashboard", ["Governance", "Auth", "Pages", "WellKnown"] },
            { "Outgoing", ["Configuration"] },
            { "Telemetry", ["Governance"] },
            { "Tools", ["Governance", "Configuration", "Engine", "Charts"] },
            { "Surfaces", ["Tools", "Governance", "Auth", "Storage", "Configuration"] },
            { "WellKnown", ["Tools", "Governance", "Auth", "Storage", "Configuration"] },
            { "Pages", ["Tools", "Governance", "Auth", "Configuration", "WellKnown"] },
        };

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
        // These are libraries: they know nothing of the server either, and are copied along with a family that speaks to containers or draws.
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
    public void Program_is_a_table_of_contents() =>
        Assert.InRange(File.ReadLines(Path.Combine(ClientProcess.Root, "Program.cs")).Count(), 1, 90);

    private static IEnumerable<string> Sources() =>
        Directory
            .EnumerateFiles(ClientProcess.Root, "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(ClientProcess.Root, file).Replace('\\', '/'))
            .Where(file =>
                !file.Split('/')
                    .Any(folder =>
                        folder is "bin" or "obj" or "tests" or "samples" or "artifacts" or "node_modules" or "templates"
                    )
            );

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
