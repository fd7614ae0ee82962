using System.Text.Json;
using System.Text.RegularExpressions;
using MinimalMcp.Configuration;

namespace MinimalMcp.Hub;

/// <summary>
/// Reads a file of servers in the form of Claude (<c>mcpServers</c>) and VS Code (<c>servers</c>). What is not
/// understood is refused: a member that was left out could be one that protects.
/// </summary>
internal static partial class McpJson
{
    private const int MaxBytes = 1 << 20;

    private static readonly JsonDocumentOptions Json = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        AllowDuplicateProperties = false,
        MaxDepth = 16,
    };

    /// <exception cref="StartupException">
    /// The file is not acceptable; the message is a sentence without its name.
    /// </exception>
    public static IReadOnlyList<(string Name, ConfiguredServer Server)> Parse(byte[] utf8)
    {
        if (utf8.Length > MaxBytes)
        {
            throw new StartupException($"it has more than {MaxBytes} bytes.");
        }

        JsonElement root;
        try
        {
            root = JsonElement.Parse(utf8, Json);
        }
        catch (JsonException wrong)
        {
            // without the inner message, which may quote a secret
            throw new StartupException(
                $"line {wrong.LineNumber + 1} is not JSON, has a duplicate name, or is nested too deeply."
            );
        }

        string[] known = ["mcpServers", "servers", "inputs"];
        if (root.ValueKind is not JsonValueKind.Object)
        {
            throw new StartupException("it must be an object with the member mcpServers or servers.");
        }

        foreach (var member in root.EnumerateObject().Where(member => !known.Contains(member.Name)))
        {
            throw new StartupException($"'{Shown(member.Name)}' is not known here; it has mcpServers or servers.");
        }

        if (
            root.TryGetProperty("inputs", out var inputs)
            && (inputs.ValueKind is not JsonValueKind.Array || inputs.GetArrayLength() > 0)
        )
        {
            throw Inputs();
        }

        var (hasClaude, hasCode) = (
            root.TryGetProperty("mcpServers", out var claude),
            root.TryGetProperty("servers", out var code)
        );
        var servers = (hasClaude, hasCode) switch
        {
            (true, false) => claude,
            (false, true) => code,
            _ => throw new StartupException("it must have one of mcpServers and servers."),
        };
        return servers.ValueKind is JsonValueKind.Object
            ? [.. servers.EnumerateObject().Select(server => (server.Name, Read(server)))]
            : throw new StartupException("mcpServers must be an object: names and their servers.");
    }

    private static ConfiguredServer Read(JsonProperty entry)
    {
        var name = Shown(entry.Name);
        if (entry.Value.ValueKind is not JsonValueKind.Object)
        {
            throw new StartupException($"server '{name}' must be an object.");
        }

        var server = new ConfiguredServer();
        foreach (var member in entry.Value.EnumerateObject())
        {
            try
            {
                Set(server, member);
            }
            catch (StartupException wrong)
            {
                throw new StartupException($"server '{name}': {wrong.Message}", wrong);
            }
        }

        return server;
    }

    private static void Set(ConfiguredServer server, JsonProperty member)
    {
        switch (member.Name)
        {
            case "type":
            case "transport":
                server.Type = Text(member);
                break;
            case "description":
                server.Description = Text(member);
                break;
            case "command":
                server.Command = Text(member);
                break;
            case "args":
                server.Args =
                    member.Value.ValueKind is JsonValueKind.Array
                        ? [.. member.Value.EnumerateArray().Select(value => Text(value, "args"))]
                        : throw new StartupException("args must be an array of texts.");
                break;
            case "env":
                server.Env = Map(member);
                break;
            case "url":
                server.Url = Text(member);
                break;
            case "headers":
                server.Headers = new(Map(member), StringComparer.OrdinalIgnoreCase);
                break;
            case "disabled":
                server.Disabled = Flag(member);
                break;
            case "auto_restart":
                server.AutoRestart = Flag(member);
                break;
            case "max_restarts":
                server.MaxRestarts = Number(member);
                break;
            case "health_check_interval":
                server.HealthCheckInterval = Number(member);
                break;
            case "risk":
                server.Risk = Text(member);
                break;
            case "names":
                server.Names = Text(member);
                break;
            case "gallery" or "version":
                break; // where VS Code has it from
            default:
                throw new StartupException(
                    $"'{Shown(member.Name)}' is not supported. A server has type, command, args, env, url, headers, "
                        + "disabled, description, auto_restart, max_restarts, health_check_interval, risk and names."
                );
        }
    }

    private static Dictionary<string, string> Map(JsonProperty member)
    {
        if (member.Value.ValueKind is not JsonValueKind.Object)
        {
            throw new StartupException($"{member.Name} must be an object of texts.");
        }

        Dictionary<string, string> map = new(StringComparer.Ordinal);
        foreach (var entry in member.Value.EnumerateObject())
        {
            map[entry.Name] = Text(entry.Value, member.Name);
        }

        return map;
    }

    private static bool Flag(JsonProperty member) =>
        member.Value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw new StartupException($"{member.Name} must be true or false."),
        };

    private static int Number(JsonProperty member) =>
        member.Value.ValueKind is JsonValueKind.Number && member.Value.TryGetInt32(out var number)
            ? number
            : throw new StartupException($"{member.Name} must be a whole number.");

    private static string Text(JsonProperty member) => Text(member.Value, member.Name);

    private static string Text(JsonElement value, string name) =>
        value.ValueKind is JsonValueKind.String
            ? Placeholder().Replace(value.GetString()!, match => Resolve(match.Groups[1].Value, name))
            : throw new StartupException($"{name} must be text.");

    // ${env:NAME} of VS Code and ${NAME} of Claude: secrets need not stand in the file.
    private static string Resolve(string expression, string name)
    {
        if (expression.StartsWith("input:", StringComparison.Ordinal))
        {
            throw Inputs();
        }

        var variable = expression.StartsWith("env:", StringComparison.Ordinal) ? expression[4..] : expression;
        return !Variable().IsMatch(variable)
                ? throw new StartupException(
                    $"{name} has ${{{Shown(expression)}}}, which only an editor can fill in. Write the value, or "
                        + "${env:NAME} for an environment variable."
                )
            : Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value
            : throw new StartupException($"{name} has ${{{expression}}}, and the variable {variable} is not set.");
    }

    private static StartupException Inputs() =>
        new(
            "inputs ask a person for values when a server starts, and here is nobody to ask. Write the values, or "
                + "${env:NAME} for environment variables, and remove inputs."
        );

    private static string Shown(string text) =>
        new([.. (text.Length > 40 ? text[..40] + "…" : text).Where(letter => !char.IsControl(letter))]);

    [GeneratedRegex(@"\$\{([^}]*)\}")]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_]*\z")]
    private static partial Regex Variable();
}
