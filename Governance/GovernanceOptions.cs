using System.ComponentModel.DataAnnotations;

namespace MinimalMcp.Governance;

/// <summary>What may happen here, and how often; configuration section <c>Governance</c>.</summary>
public sealed class GovernanceOptions : IValidatableObject
{
    /// <summary>Only tools that change nothing may be called, and only they are listed.</summary>
    public bool ReadOnly { get; set; }

    /// <summary>Tools that nobody may call, by name, separated by commas; <c>*</c> stands for any letters.</summary>
    public string? Deny { get; set; }

    /// <summary>Tools that are confirmed before they run, beside those of level CRITICAL; as in <see cref="Deny"/>.</summary>
    public string? Confirm { get; set; }

    /// <summary>Tools that a person approves at the dashboard before they run, as in <see cref="Deny"/>; a level (<c>CRITICAL</c>) names all of it.</summary>
    public string? Approve { get; set; }

    /// <summary>
    /// Whether tools that make an upstream fetch an address may name link-local ones and those of a cloud's metadata.
    /// </summary>
    public bool AllowMetadataAddresses { get; set; }

    /// <summary>How long a call waits for a person.</summary>
    public TimeSpan ApproveWithin { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>Levels by tool, instead of the ones that the tools declare.</summary>
    public Dictionary<string, string> Risk { get; } = new(StringComparer.Ordinal);

    /// <summary>How often one caller may call tools of a level: <c>10/hour</c>, or <c>off</c>.</summary>
    public Dictionary<string, string> Levels { get; } =
        new(StringComparer.OrdinalIgnoreCase) { ["CRITICAL"] = "10/hour", ["HIGH"] = "100/minute" };

    /// <summary>How often one caller may call tools of a family, whatever their level.</summary>
    public Dictionary<string, string> Groups { get; } =
        new(StringComparer.OrdinalIgnoreCase)
        {
            ["google"] = "100/minute",
            ["github"] = "60/minute",
            ["docker"] = "50/minute",
        };

    /// <summary>Whether calls are recorded. Without the record calls of tools that change something are not held back when the store is gone.</summary>
    public bool Audit { get; set; } = true;

    /// <summary>How many days the record is kept; 0 keeps it for ever.</summary>
    public int AuditDays { get; set; } = 90;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (
            var (tool, level) in Risk.Where(risk => !Enum.TryParse<RiskLevel>(risk.Value, ignoreCase: true, out _))
        )
        {
            yield return new($"Governance:Risk:{tool} is '{level}'; it must be LOW, MEDIUM, HIGH or CRITICAL.");
        }

        foreach (var level in Levels.Keys.Where(level => !Enum.TryParse<RiskLevel>(level, ignoreCase: true, out _)))
        {
            yield return new($"Governance:Levels has '{level}'; the levels are LOW, MEDIUM, HIGH and CRITICAL.");
        }

        foreach (var (name, rate) in Levels.Where(level => !Rate.TryParse(level.Value, out _)))
        {
            yield return new(RateProblem($"Levels:{name}", rate));
        }

        foreach (var (name, rate) in Groups.Where(group => !Rate.TryParse(group.Value, out _)))
        {
            yield return new(RateProblem($"Groups:{name}", rate));
        }

        if (ApproveWithin < TimeSpan.FromMinutes(1) || ApproveWithin > TimeSpan.FromDays(1))
        {
            yield return new("Governance:ApproveWithin must be from 00:01:00 to 1.00:00:00.");
        }

        if (AuditDays < 0)
        {
            yield return new("Governance:AuditDays must be 0 (kept for ever) or more.");
        }
    }

    private static string RateProblem(string name, string rate) =>
        $"Governance:{name} is '{rate}'; it must be a number and a time such as 10/hour, 100/minute or 5/second, or off.";
}

/// <summary>So many within a time.</summary>
public readonly record struct Rate(int Limit, TimeSpan Window)
{
    /// <summary>Reads <c>10/hour</c>; "off" is no limit. A number alone is by the minute.</summary>
    public static bool TryParse(string text, out Rate? rate)
    {
        rate = null;
        if (text.Trim().Equals("off", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        TimeSpan? window = text.Split('/') is [_, var unit]
            ? unit.Trim().ToLowerInvariant() switch
            {
                "second" => TimeSpan.FromSeconds(1),
                "minute" => TimeSpan.FromMinutes(1),
                "hour" => TimeSpan.FromHours(1),
                "day" => TimeSpan.FromDays(1),
                _ => null,
            }
            : TimeSpan.FromMinutes(1);
        if (
            window is null
            || !int.TryParse(
                text.Split('/')[0],
                System.Globalization.NumberStyles.None,
                System.Globalization.CultureInfo.InvariantCulture,
                out var limit
            )
        )
        {
            return false;
        }

        rate = new(limit, window.Value);
        return true;
    }
}
