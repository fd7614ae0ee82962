using System.Text;
using ModelContextProtocol;

namespace MinimalMcp.Tools.SilverBullet;

/// <summary>A page's name as a model may say it, and as it may become part of a path.</summary>
internal static class PageName
{
    /// <summary>Takes "Page", "Page.md", "[[Page]]" and "[[Page#Heading|alias]]".</summary>
    public static string Read(string said)
    {
        var name = said.Trim();
        if (name.StartsWith("[[", StringComparison.Ordinal) && name.EndsWith("]]", StringComparison.Ordinal))
        {
            name = name[2..^2].Split('|', '#')[0].Trim();
        }

        name = name.EndsWith(".md", StringComparison.OrdinalIgnoreCase) ? name[..^3] : name;
        var wrong =
            name.Length == 0 ? "it is empty"
            : name.Any(char.IsControl) ? "it contains a control character"
            : name.EnumerateRunes().Contains(Rune.ReplacementChar) ? "it is not valid Unicode"
            : name.Contains('\\') ? "folders are separated by / and not by \\"
            : name.Split('/').Any(folder => folder.Trim().Length == 0)
                ? "a folder in it has no name; write it like Projects/Roof, without a slash at either end"
            : name.Split('/').Any(folder => folder[0] == '.') ? "no part of it may begin with a dot"
            : null;
        return wrong is null ? name : throw new McpException($"'{said}' cannot be the name of a page: {wrong}.");
    }

    /// <summary>Some names can be read but are not for us to write: plugs, and what SilverBullet keeps when two edits collide.</summary>
    public static string ForWriting(string said)
    {
        var name = Read(said);
        return name.StartsWith('_') || name.EndsWith(".conflicted", StringComparison.OrdinalIgnoreCase)
            ? throw new McpException(
                $"'{said}' cannot be written: names that begin with _ or end with .conflicted are SilverBullet's own."
            )
            : name;
    }
}
