using MinimalMcp.Auth;

namespace MinimalMcp.Governance;

/// <summary>What a tool does to data.</summary>
internal enum Effect
{
    Read,
    Write,
    Destroy,
}

/// <summary>How much harm a wrong call can do. Budgets and confirmation depend on it.</summary>
internal enum RiskLevel
{
    Low,
    Medium,
    High,
    Critical,
}

/// <summary>
/// The policy of one tool. Everything else that describes its danger (annotations, required scope,
/// x-openai-isConsequential) is derived from it, so that they cannot disagree.
/// </summary>
/// <param name="Deadline">
/// The timeout. 40 s leave a GPT Action, which gives up after 45 s, time to read the refusal.
/// </param>
internal sealed record ToolPolicy(Effect Effect, RiskLevel Risk, TimeSpan Deadline)
{
    public static readonly TimeSpan DefaultDeadline = TimeSpan.FromSeconds(40);

    /// <summary>The tool's family, which can have its own budget.</summary>
    public string Group { get; init; } = "";

    /// <summary>The name <c>server/tool</c> of another server's tool, as settings and the audit log have it.</summary>
    public string? Path { get; init; }

    /// <summary>The tool is another server's: its own dry run is not known to change nothing.</summary>
    public bool IsOfOtherServer { get; init; }

    /// <summary>The first call returns a preview; only a second call that confirms it runs.</summary>
    public bool NeedsConfirmation { get; init; }

    /// <summary>A person other than the caller must approve the call.</summary>
    public bool NeedsApproval { get; init; }

    /// <summary>Why the tool is disabled; null when it is enabled. A disabled tool is not listed.</summary>
    public string? Denied { get; init; }

    /// <summary>Arguments with an address that an upstream will fetch.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];

    /// <summary>Former argument names and their current names.</summary>
    public IReadOnlyDictionary<string, string> OldNames { get; init; } = new Dictionary<string, string>();

    /// <summary>The budgets of each caller.</summary>
    public IReadOnlyList<CallLimit> Budgets { get; init; } = [];

    /// <summary>The risk level in upper case.</summary>
    public string Level { get; } = Risk.ToString().ToUpperInvariant();

    /// <summary>
    /// The scope that a caller needs: mcp:execute for irreversible tools and for HIGH and CRITICAL; otherwise mcp:write
    /// for tools that change something, and mcp:read for the others. mcp:admin is for the server itself (audit log,
    /// approvals, diagnostics).
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

/// <summary>A number of calls per time window.</summary>
/// <param name="Name">What is counted together: <c>level/HIGH</c> or <c>group/docker</c>.</param>
internal sealed record CallLimit(string Name, int Calls, TimeSpan Window)
{
    /// <summary>10 per hour.</summary>
    public string InWords => $"{Calls} per {Unit(Window)}";

    public static string Unit(TimeSpan window) =>
        window.TotalSeconds switch
        {
            1 => "second",
            60 => "minute",
            3600 => "hour",
            _ => "day",
        };
}
