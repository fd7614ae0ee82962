using ModelContextProtocol;

namespace MinimalMcp.Governance;

/// <summary>Why governance did not let a call happen, or did not let it go on.</summary>
public enum Refusal
{
    /// <summary>An argument is missing, unknown or of the wrong kind: the caller can mend it.</summary>
    Arguments,

    /// <summary>The caller's scopes do not cover this effect.</summary>
    Scope,

    /// <summary>The method did not finish in time.</summary>
    Deadline,
}

/// <summary>A refusal with a sentence that the model may read and act on.</summary>
public sealed class ToolRefusedException(Refusal reason, string message) : McpException(message)
{
    public Refusal Reason { get; } = reason;
}
