using System.ComponentModel.DataAnnotations;

namespace MinimalMcp.Governance;

/// <summary>Which calls are allowed, and how often. Configuration section <c>Governance</c>.</summary>
internal sealed class GovernanceOptions : IValidatableObject
{
    /// <summary>Enables and lists only tools that change nothing.</summary>
    public bool ReadOnly { get; set; }

    /// <summary>Disabled tools, by name, separated by commas; <c>*</c> matches any characters.</summary>
    public string? Deny { get; set; }

    /// <summary>
    /// Tools that need confirmation, in addition to those of level CRITICAL; as in <see cref="Deny"/>.
    /// </summary>
    public string? Confirm { get; set; }

    /// <summary>
    /// Tools that need manual approval, as in <see cref="Deny"/>; a level (<c>CRITICAL</c>) selects all its tools.
    /// </summary>
    public string? Approve { get; set; }

    /// <summary>
    /// Whether tools that make an upstream fetch a URL may use link-local addresses and cloud metadata services.
    /// </summary>
    public bool AllowMetadataAddresses { get; set; }

    /// <summary>How long an approval stays pending.</summary>
    public TimeSpan ApproveWithin { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>Risk levels by tool, which override the declared ones.</summary>
    public Dictionary<string, string> Risk { get; } = new(StringComparer.Ordinal);

    /// <summary>Calls per caller and risk level: <c>10/hour</c>, or <c>off</c>.</summary>
    public Dictionary<string, string> Levels { get; } =
        new(StringComparer.OrdinalIgnoreCase) { ["CRITICAL"] = "10/hour", ["HIGH"] = "100/minute" };

    /// <summary>Calls per caller and family, whatever the level.</summary>
    public Dictionary<string, string> Groups { get; } =
        new(StringComparer.OrdinalIgnoreCase)
        {
            ["google"] = "100/minute",
            ["github"] = "60/minute",
            ["docker"] = "50/minute",
        };

    /// <summary>
    /// Whether the audit log is written. When it is disabled, calls that change data do not depend on the store.
    /// </summary>
    public bool Audit { get; set; } = true;

    /// <summary>Days that audit entries are kept; 0 keeps them forever.</summary>
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
            yield return new("Governance:ApproveWithin must be between 00:01:00 and 1.00:00:00.");
        }

        if (AuditDays < 0)
        {
            yield return new("Governance:AuditDays must be 0 (kept forever) or more.");
        }
    }

    private static string RateProblem(string name, string rate) =>
        $"Governance:{name} is '{rate}'; it must be a rate such as 10/hour, 100/minute or 5/second, or off.";
}

/// <summary>A number of calls per time window.</summary>
internal readonly record struct Rate(int Limit, TimeSpan Window)
{
    /// <summary>Parses <c>10/hour</c>; "off" means no limit. A number alone is per minute.</summary>
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
