using ModelContextProtocol;

namespace MinimalMcp.Governance;

/// <summary>Why governance did not let a call happen, or did not let it go on.</summary>
public enum Refusal
{
    /// <summary>An argument is missing, unknown or of the wrong kind: the caller can mend it.</summary>
    Arguments,

    /// <summary>The caller's scopes do not cover this effect.</summary>
    Scope,

    /// <summary>The operator switched the tool off.</summary>
    Denied,

    /// <summary>A budget is used up.</summary>
    Budget,

    /// <summary>The confirmation is not one for this call.</summary>
    Confirmation,

    /// <summary>The method did not finish in time.</summary>
    Deadline,

    /// <summary>The call could not be counted or recorded, and so was not made.</summary>
    Unavailable,
}

/// <summary>A refusal with a sentence that the model may read and act on.</summary>
public class ToolRefusedException(Refusal reason, string message, Exception? inner = null)
    : McpException(message, inner)
{
    public Refusal Reason { get; } = reason;

    /// <summary>The scope that the caller lacks, when that is the reason.</summary>
    public string? Scope { get; init; }

    /// <summary>When it is worth trying again, if that is known.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
