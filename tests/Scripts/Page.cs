using System.Text.RegularExpressions;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Scripts;

/// <summary>A page of the documentation, by its path from the root.</summary>
internal static partial class Page
{
    public static string Text(string page) => File.ReadAllText(Path.Combine(ClientProcess.Root, page));

    public static string WithoutBlocks(string page) => Block().Replace(Text(page), "");

    /// <summary>The blocks that are fenced as that language.</summary>
    public static IEnumerable<string> Blocks(string page, string language) =>
        Block()
            .Matches(Text(page))
            .Where(match => match.Groups[1].Value == language)
            .Select(match => match.Groups[2].Value.TrimEnd());

    [GeneratedRegex(@"^```(\w+)\n(.*?)^```$", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Block();
}
