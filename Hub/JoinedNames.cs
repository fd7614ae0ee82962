using MinimalMcp.Governance;

namespace MinimalMcp.Hub;

/// <summary>The names here of the tools and prompts of other servers.</summary>
internal static class JoinedNames
{
    // The limit of OpenAI's and Anthropic's function calling.
    public const int MaxName = 64;

    public static string Of(ServerDefinition server, string name) =>
        Valid(server.OwnNames ? name : $"{server.Name}_{name}");

    /// <summary>The name in <c>/mcp/{server}</c>: the server's own, as far as a client takes it.</summary>
    public static string Valid(string name) =>
        string.Concat(name.Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' ? letter : '_'));

    /// <summary>Why a tool or prompt is not listed; null when it can be.</summary>
    /// <param name="taken">Names and who has them: another of the same server, or somebody else.</param>
    public static string? Problem(
        ServerDefinition server,
        string what,
        string own,
        string name,
        IReadOnlyDictionary<string, (string Who, bool IsSame)> taken
    )
    {
        if (name.Length is 0 or > MaxName)
        {
            return $"The {what} {Shown(own)} is not listed: its name here would be {Shown(name)}, which has "
                + $"{name.Length} characters; clients take 1 to {MaxName}."
                + (server.OwnNames ? "" : " Give the server a shorter name.");
        }

        return taken.TryGetValue(name, out var holder)
            ? $"The {what} {Shown(own)} is not listed: its name here would be {name}, which "
                + (holder.IsSame ? $"{Shown(holder.Who)} of the same server" : holder.Who)
                + " has already."
                + (
                    holder.IsSame ? ""
                    : server.OwnNames ? " Set names of the server to prefixed."
                    : " Give the server another name."
                )
            : null;
    }

    public static string Shown(string name) => $"'{SanitizedText.Show(TextLimit.Cut(name, TextLimit.Name))}'";
}
