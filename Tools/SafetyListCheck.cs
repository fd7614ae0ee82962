using System.Reflection;
using Microsoft.Extensions.Options;
using MinimalMcp.Configuration;
using MinimalMcp.Governance;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools;

/// <summary>
/// Validates the lists of tools in safety settings. A misspelt name (<c>Governance:Approve=chekout</c>) would silently
/// protect nothing, so every name or pattern must match a tool of some family, enabled or not. An entry with a slash
/// (<c>server/tool</c>, <c>server/*</c>) is pending until that server lists the tool.
/// </summary>
internal sealed partial class SafetyListCheck(
    IEnumerable<ToolType> registered,
    IHostEnvironment environment,
    ILogger<SafetyListCheck> logger
) : IValidateOptions<GovernanceOptions>
{
    public ValidateOptionsResult Validate(string? name, GovernanceOptions options)
    {
        Item[] listed =
        [
            .. Items("Deny", options.Deny),
            .. Items("Confirm", options.Confirm),
            .. Items("Approve", options.Approve)
                .Where(item => !Enum.TryParse<RiskLevel>(item.Name, ignoreCase: true, out _)),
            .. options.Risk.Keys.Select(tool => new Item("Risk", tool)),
        ];
        // server/tool names a tool of another server, which may come later.
        foreach (var item in listed.Where(item => item.Name.Contains('/')))
        {
            LogPending(logger, item.Setting, item.Name);
        }

        listed = [.. listed.Where(item => !item.Name.Contains('/'))];
        if (listed.Length == 0)
        {
            return ValidateOptionsResult.Success;
        }

        var tools = ApplicationAssemblies
            .Types(environment)
            .Where(type => type.IsDefined(typeof(McpServerToolTypeAttribute)))
            .Concat(registered.Select(tool => tool.Type))
            .Distinct()
            .SelectMany(ToolMethods.NamesOf)
            .ToArray();
        var problems = listed
            .Where(item => !tools.Any(tool => ToolPolicies.Matches([item.Name], tool)))
            .Select(item =>
                $"Governance:{item.Setting} has '{item.Name}', and no tool has such a name. "
                + (
                    NameSuggestions.Nearest(item.Name, tools, 1) is [var near]
                        ? $"Did you mean {near}?"
                        : "GET /tools lists them."
                )
            )
            .ToArray();
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private static IEnumerable<Item> Items(string setting, string? list) =>
        ToolPolicies.List(list).Select(item => new Item(setting, item));

    [LoggerMessage(
        LogLevel.Information,
        "Governance:{Setting} has {Item}, which applies when that server's tool is listed"
    )]
    private static partial void LogPending(ILogger logger, string setting, string item);

    // Not a tuple: generics over framework types alone are compiled again at every start.
    private sealed record Item(string Setting, string Name);
}
