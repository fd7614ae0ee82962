using System.Text.RegularExpressions;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Scripts;

/// <summary>docs/architecture.md names files and folders that exist.</summary>
public sealed partial class ArchitecturePageTests
{
    private const string Map = "docs/architecture.md";

    [Fact]
    public void Every_file_and_folder_that_it_names_is_there()
    {
        var names = Paths().Matches(Page.Text(Map)).Select(match => match.Groups[1].Value).Distinct().ToArray();

        Assert.True(names.Length > 40, string.Join(' ', names));
        Assert.DoesNotContain(names, name => !IsThere(name));
    }

    [Fact]
    public void It_has_every_folder_of_the_code()
    {
        string[] others = ["bin", "obj", "artifacts", "node_modules", "Properties", "TestResults"];
        var folders = Directory
            .GetDirectories(ClientProcess.Root)
            .Select(folder => Path.GetFileName(folder)!)
            .Where(folder => !folder.StartsWith('.') && !others.Contains(folder));

        Assert.DoesNotContain(folders, folder => !Page.Text(Map).Contains($"`{folder}/`", StringComparison.Ordinal));
    }

    // A project that was made without a family, or by the template, does not have all of it.
    private static bool IsThere(string name)
    {
        var path = Path.Combine(ClientProcess.Root, name);
        var isTemplate = Directory.Exists(Path.Combine(ClientProcess.Root, ".template.config"));
        return File.Exists(path)
            || Directory.Exists(path)
            || (!isTemplate && (name.StartsWith("Tools/", StringComparison.Ordinal) || name.Contains("template")));
    }

    // `Folder/` and `Folder/File.cs`; XTools.cs stands for any family.
    [GeneratedRegex(@"`(\.?[A-Za-z]+(?:/[A-Za-z.]+)*/|(?:[A-Za-z]+/)*(?!X[A-Z])[A-Za-z.]+\.(?:cs|sql|md))`")]
    private static partial Regex Paths();
}
