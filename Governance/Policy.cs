namespace MinimalMcp.Governance;

/// <summary>What a tool does to the world.</summary>
public enum Effect
{
    Read,
    Write,
    Destroy,
}

/// <summary>How much harm a wrong call can do. Budgets and confirmation follow from it.</summary>
public enum RiskLevel
{
    Low,
    Medium,
    High,
    Critical,
}

/// <summary>
/// What governs one tool. Everything else that speaks of a tool's danger (annotations, required scope, x-openai-isConsequential)
/// is derived from these, so that no two of them can disagree.
/// </summary>
/// <param name="Deadline">40 s leave a GPT Action, which gives up after 45 s, time to read the refusal.</param>
public sealed record Policy(Effect Effect, RiskLevel Risk, TimeSpan Deadline)
{
    public static readonly TimeSpan DefaultDeadline = TimeSpan.FromSeconds(40);

    /// <summary>The OAuth scope that a caller needs.</summary>
    public string Scope => Effect is Effect.Read ? "mcp:read" : "mcp:write";

    public static RiskLevel DefaultRisk(Effect effect) => effect switch
    {
        Effect.Read => RiskLevel.Low,
        Effect.Write => RiskLevel.Medium,
        _ => RiskLevel.High,
    };
}
