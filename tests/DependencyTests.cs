using System.Text.RegularExpressions;
using System.Xml.Linq;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests;

/// <summary>
/// docs/reference/dependencies.md names every direct dependency, and nothing that is no dependency any more.
/// </summary>
public sealed partial class DependencyTests
{
    private static readonly string Tests = Path.Combine(ClientProcess.Root, "tests");

    private static readonly string Samples = Path.Combine(ClientProcess.Root, "samples");

    [Fact]
    public void The_page_has_the_packages_of_the_server() =>
        AssertRows(
            "Packages of the server",
            [
                .. Directory.GetFiles(ClientProcess.Root, "*.csproj"),
                .. Directory.GetFiles(ClientProcess.Root, "*.props"),
            ]
        );

    [Fact]
    public void The_page_has_the_packages_of_the_tests() =>
        AssertRows(
            "Packages of the tests",
            Directory
                .GetDirectories(Tests)
                .Prepend(Tests)
                .Concat(Directory.GetDirectories(Samples))
                .SelectMany(folder => Directory.GetFiles(folder, "*.csproj"))
        );

    private static void AssertRows(string heading, IEnumerable<string> projects)
    {
        var page = File.ReadAllText(Path.Combine(ClientProcess.Root, "docs", "reference", "dependencies.md"));
        var section = page.Split("\n## ").Single(part => part.StartsWith(heading + "\n", StringComparison.Ordinal));
        var rows = Row().Matches(section).Select(match => match.Groups[1].Value).ToArray();
        var packages = projects
            .SelectMany(project => XDocument.Load(project).Descendants("PackageReference"))
            .Select(package => package.Attribute("Include")?.Value)
            .OfType<string>()
            .Distinct()
            .ToArray();

        Assert.NotEmpty(packages);
        var (missing, left) = (string.Join(", ", packages.Except(rows)), string.Join(", ", rows.Except(packages)));
        Assert.True(missing == "", $"Add a row to '{heading}' of docs/reference/dependencies.md for: {missing}");
        Assert.True(left == "", $"Remove the row from '{heading}' of docs/reference/dependencies.md: {left}");
        Assert.Equal(rows.Distinct(), rows);
    }

    // Package, why, licence: none of them may be empty.
    [GeneratedRegex(@"^\| `([\w.-]+)` \| [^|]*\w[^|]* \| [^|]*\w[^|]* \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
