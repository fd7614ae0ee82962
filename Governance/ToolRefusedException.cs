using ModelContextProtocol;

namespace MinimalMcp.Governance;

/// <summary>Why governance refused or stopped a call.</summary>
internal enum Refusal
{
    /// <summary>An argument is missing, unknown or invalid; the caller can fix it.</summary>
    Arguments,

    /// <summary>The caller lacks the scope.</summary>
    Scope,

    /// <summary>The operator disabled the tool.</summary>
    Denied,

    /// <summary>A budget is exhausted.</summary>
    Budget,

    /// <summary>The confirmation does not match the call.</summary>
    Confirmation,

    /// <summary>The call timed out.</summary>
    Deadline,

    /// <summary>The call could not be counted or audited, and did not run.</summary>
    Unavailable,
}

/// <summary>A refusal with a message that the model can act on.</summary>
internal class ToolRefusedException(Refusal reason, string message, Exception? inner = null)
    : McpException(message, inner)
{
    public Refusal Reason { get; } = reason;

    /// <summary>The missing scope, if that is the reason.</summary>
    public string? Scope { get; init; }

    /// <summary>When to try again, if known.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
