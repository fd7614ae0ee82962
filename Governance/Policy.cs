using MinimalMcp.Auth;

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

    /// <summary>The tool's family, which has a budget of its own.</summary>
    public string Group { get; init; } = "";

    /// <summary>The first call is answered with a preview, and only a second one that confirms it is done.</summary>
    public bool NeedsConfirmation { get; init; }

    /// <summary>It is confirmed by a person who is not the caller.</summary>
    public bool NeedsApproval { get; init; }

    /// <summary>Why nobody may call the tool here; null when callers may. It is not listed then.</summary>
    public string? Denied { get; init; }

    /// <summary>Arguments that hold an address which an upstream will fetch.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];

    /// <summary>What arguments were called once, with their names of today.</summary>
    public IReadOnlyDictionary<string, string> OldNames { get; init; } = new Dictionary<string, string>();

    /// <summary>What each caller may spend.</summary>
    public IReadOnlyList<Limit> Budgets { get; init; } = [];

    /// <summary>The risk as it is written everywhere.</summary>
    public string Level { get; } = Risk.ToString().ToUpperInvariant();

    /// <summary>
    /// The scope that a caller needs: mcp:execute for what cannot be undone and for HIGH and CRITICAL, whatever it does; else mcp:write for what changes something, mcp:read for
    /// what does not. mcp:admin is for no tool, but for the server itself (its record of calls, approvals, diagnostics).
    /// </summary>
    public string Scope { get; } =
        Effect is Effect.Destroy || Risk >= RiskLevel.High ? Scopes.Execute
        : Effect is Effect.Write ? Scopes.Write
        : Scopes.Read;

    public int ScopeLevel => Scopes.Level(Scope);

    public static RiskLevel DefaultRisk(Effect effect) =>
        effect switch
        {
            Effect.Read => RiskLevel.Low,
            Effect.Write => RiskLevel.Medium,
            _ => RiskLevel.High,
        };
}

/// <summary>So many calls within a time.</summary>
/// <param name="Name">What is counted together: <c>level/HIGH</c> or <c>group/docker</c>.</param>
public sealed record Limit(string Name, int Calls, TimeSpan Window);
