using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Auth.Server;

/// <summary>A row of bad-requests.md.</summary>
internal sealed partial record BadRequest(string Table, string Name, string Change, string Answer, string? Then)
{
    public static IEnumerable<BadRequest> ReadAll()
    {
        var table = "";
        foreach (
            var line in File.ReadLines(Path.Combine(ClientProcess.Root, "tests", "Auth", "Server", "bad-requests.md"))
        )
        {
            if (line.StartsWith("## ", StringComparison.Ordinal))
            {
                table = line[3..];
            }
            else if (Row().Match(line) is { Success: true } row && row.Groups[1].Value is not ("row" or "---"))
            {
                // One space on each side is the table's, further ones are meant.
                var change = row.Groups[2].Value is [' ', .. var inner, ' '] ? inner : "";
                var answers = row.Groups[3].Value.Split(", then ");
                yield return new(table, row.Groups[1].Value, change, answers[0], answers.ElementAtOrDefault(1));
            }
        }
    }

    /// <summary>The parts of the change, with what stands in braces replaced.</summary>
    public IEnumerable<string> Parts(Func<string, string> variable) =>
        Change.Length == 0
            ? []
            : Change.Split(" ;; ").Select(part => Variable().Replace(part, match => variable(match.Groups[1].Value)));

    /// <summary>Changes the parameters of a form or an address; gives the parts that are something else.</summary>
    public List<string> Apply(List<(string Name, string Value)> parameters, Func<string, string> variable)
    {
        var others = new List<string>();
        foreach (var part in Parts(variable))
        {
            if (part is ['-', .. var gone])
            {
                parameters.RemoveAll(parameter => parameter.Name == gone);
            }
            else if (part is ['+', .. var again])
            {
                parameters.Add((again.Split('=', 2)[0], again.Split('=', 2)[1]));
            }
            else if (part[0] == '@' || !part.Contains('='))
            {
                others.Add(part);
            }
            else
            {
                var (name, value) = (part.Split('=', 2)[0], part.Split('=', 2)[1]);
                var at = parameters.FindIndex(parameter => parameter.Name == name);
                parameters.RemoveAll(parameter => parameter.Name == name);
                parameters.Insert(at < 0 ? parameters.Count : at, (name, value));
            }
        }

        return others;
    }

    /// <summary>The same for JSON; a name may begin with the name of an object of <paramref name="objects"/>.</summary>
    public List<string> Apply(
        JsonObject json,
        Func<string, string> variable,
        params (string Prefix, JsonObject Json)[] objects
    )
    {
        var others = new List<string>();
        foreach (var part in Parts(variable))
        {
            if (part[0] == '@' || part.StartsWith("raw:", StringComparison.Ordinal))
            {
                others.Add(part);
                continue;
            }

            var name = part.TrimStart('-').Split('=', 2)[0];
            var (prefix, target) = objects.FirstOrDefault(one => name.StartsWith(one.Prefix, StringComparison.Ordinal));
            name = target is null ? name : name[prefix.Length..];
            target ??= json;
            target.Remove(name);
            if (part[0] != '-')
            {
                target[name] = part.Contains("\\ud800", StringComparison.Ordinal)
                    ? "HALF"
                    : JsonNode.Parse(part.Split('=', 2)[1]);
            }
        }

        return others;
    }

    [GeneratedRegex(@"^\| (.+?) \|(.*)\| ([^|]+?) \|$")]
    private static partial Regex Row();

    [GeneratedRegex(@"\{([a-z-]+)\}")]
    private static partial Regex Variable();
}
