using System.IO.Enumeration;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Governance;

/// <summary>What governs each tool: what it declares, and what the operator says about it.</summary>
public sealed class Policies(IOptions<GovernanceOptions> options, IConfiguration configuration)
{
    private readonly GovernanceOptions _options = options.Value;
    private readonly string[] _deny = List(options.Value.Deny);
    private readonly string[] _confirm = List(options.Value.Confirm);
    private readonly string[] _approve = List(options.Value.Approve);

    /// <param name="group">The tool's family.</param>
    /// <param name="declared">The level that the tool declares; null when it follows from its effect.</param>
    /// <param name="addresses">Its arguments that hold an address which an upstream will fetch, by spaces.</param>
    public Policy Of(string tool, string group, Effect effect, RiskLevel? declared, string? addresses = null)
    {
        var risk = _options.Risk.TryGetValue(tool, out var level)
            ? Enum.Parse<RiskLevel>(level, ignoreCase: true)
            : declared ?? Policy.DefaultRisk(effect);
        var deadline = configuration.GetValue<TimeSpan?>($"Tools:Deadlines:{tool}")
            ?? configuration.GetValue("Tools:Deadline", Policy.DefaultDeadline);
        var approved = Matches(_approve, tool) || _approve.Contains(risk.ToString().ToUpperInvariant());
        return new(effect, risk, deadline)
        {
            Group = group,
            NeedsConfirmation = risk is RiskLevel.Critical || Matches(_confirm, tool) || approved,
            NeedsApproval = approved,
            Addresses = _options.AllowMetadataAddresses || addresses is null ? [] : addresses.Split(' '),
            Denied =
                Matches(_deny, tool) ? $"{tool} is switched off here (Governance:Deny)."
                : _options.ReadOnly && effect is not Effect.Read
                    ? $"{tool} changes something, and this server only reads (Governance:ReadOnly)."
                : null,
            Budgets =
            [
                .. Limits($"level/{risk.ToString().ToUpperInvariant()}", _options.Levels, risk.ToString()),
                .. Limits($"group/{group}", _options.Groups, group),
            ],
        };
    }

    private static IEnumerable<Limit> Limits(string name, Dictionary<string, string> rates, string key) =>
        rates.TryGetValue(key, out var text) && Rate.TryParse(text, out var rate) && rate is { } limit
            ? [new(name, limit.Limit, limit.Window)]
            : [];

    /// <summary>Whether one of the patterns names the tool; <c>*</c> stands for any letters.</summary>
    internal static bool Matches(string[] patterns, string tool) =>
        patterns.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, tool, ignoreCase: false));

    /// <summary>The items of a list that is separated by commas.</summary>
    internal static string[] List(string? text) =>
        (text ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
