using System.IO.Enumeration;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Governance;

/// <summary>The policy of each tool, from its declaration and the operator's settings.</summary>
internal sealed class ToolPolicies(IOptions<GovernanceOptions> options, IConfiguration configuration)
{
    private readonly GovernanceOptions _options = options.Value;
    private readonly string[] _deny = List(options.Value.Deny);
    private readonly string[] _confirm = List(options.Value.Confirm);
    private readonly string[] _approve = List(options.Value.Approve);

    /// <param name="group">The tool's family.</param>
    /// <param name="declared">The declared risk level; null to derive it from the effect.</param>
    /// <param name="addresses">Arguments with an address that an upstream will fetch, separated by spaces.</param>
    /// <param name="path">The name <c>server/tool</c> of another server's tool, which settings may use too.</param>
    public ToolPolicy Of(
        string tool,
        string group,
        Effect effect,
        RiskLevel? declared,
        string? addresses = null,
        string? path = null
    )
    {
        bool Listed(string[] patterns) => Matches(patterns, tool) || (path is not null && Matches(patterns, path));
        var risk = SetRisk(tool, path) ?? declared ?? ToolPolicy.DefaultRisk(effect);
        var deadline = configuration.GetValue<TimeSpan?>($"Tools:Deadlines:{tool}")
            ?? configuration.GetValue("Tools:Deadline", ToolPolicy.DefaultDeadline);
        var approved = Listed(_approve) || _approve.Contains(risk.ToString().ToUpperInvariant());
        return new(effect, risk, deadline)
        {
            Group = group,
            Path = path,
            NeedsConfirmation = risk is RiskLevel.Critical || Listed(_confirm) || approved,
            NeedsApproval = approved,
            Addresses = _options.AllowMetadataAddresses || addresses is null ? [] : addresses.Split(' '),
            Denied =
                Listed(_deny) ? $"{tool} is disabled on this server (Governance:Deny)."
                : _options.ReadOnly && effect is not Effect.Read
                    ? $"{tool} changes data, but this server is read-only (Governance:ReadOnly)."
                : null,
            Budgets =
            [
                .. Limits($"level/{risk.ToString().ToUpperInvariant()}", _options.Levels, risk.ToString()),
                .. Limits($"group/{group}", _options.Groups, group),
            ],
        };
    }

    // The most exact entry counts: the tool's name, server/tool, then the longest pattern of the server.
    private RiskLevel? SetRisk(string tool, string? path)
    {
        if (!_options.Risk.TryGetValue(tool, out var level) && path is not null)
        {
            var entry = _options
                .Risk.Keys.Where(key => key.Contains('/') && Matches([key], path))
                .OrderByDescending(key => !key.Contains('*'))
                .ThenByDescending(key => key.Length)
                .FirstOrDefault();
            level = entry is null ? null : _options.Risk[entry];
        }

        return level is null ? null : Enum.Parse<RiskLevel>(level, ignoreCase: true);
    }

    private static IEnumerable<CallLimit> Limits(string name, Dictionary<string, string> rates, string key) =>
        rates.TryGetValue(key, out var text) && Rate.TryParse(text, out var rate) && rate is { } limit
            ? [new(name, limit.Limit, limit.Window)]
            : [];

    /// <summary>Whether a pattern matches the tool; <c>*</c> matches any characters.</summary>
    internal static bool Matches(string[] patterns, string tool) =>
        patterns.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, tool, ignoreCase: false));

    /// <summary>
    /// The items of a list, separated by commas or white space. No tool has white space in its name, and a list that
    /// was read as one name would protect nothing.
    /// </summary>
    internal static string[] List(string? text) =>
        (text ?? "").Split([',', ' ', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries);
}
