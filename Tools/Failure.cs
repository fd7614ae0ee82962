using System.Net;
using MinimalMcp.Governance;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tools;

public enum FailureKind
{
    /// <summary>An argument is wrong: the message names it.</summary>
    Arguments,

    /// <summary>Governance said no.</summary>
    Refused,

    /// <summary>The tool itself said why it cannot, in a sentence.</summary>
    Tool,

    /// <summary>The system behind the tool failed.</summary>
    Upstream,

    /// <summary>The system behind the tool did not answer in time.</summary>
    UpstreamTimeout,

    /// <summary>The tool did not finish in time.</summary>
    Deadline,

    /// <summary>A budget is used up.</summary>
    Budget,

    /// <summary>The call could not be counted or recorded now.</summary>
    Unavailable,

    /// <summary>Our mistake. The message holds a correlation id and nothing else.</summary>
    Unexpected,
}

/// <summary>A failed call, in words that the caller may read.</summary>
public sealed partial class Failure(FailureKind kind, string message)
{
    public FailureKind Kind { get; } = kind;

    public string Message { get; } = message;

    public TimeSpan? RetryAfter { get; private init; }

    /// <summary>The scope that the caller lacks, when that is why.</summary>
    public string? Scope { get; private init; }

    internal Failure With(string message) => new(Kind, message) { RetryAfter = RetryAfter, Scope = Scope };

    internal static Failure From(Exception exception, string tool, ILogger logger, string id)
    {
        switch (exception)
        {
            case ToolRefusedException refused:
                return new(
                    refused.Reason switch
                    {
                        Refusal.Arguments => FailureKind.Arguments,
                        Refusal.Deadline => FailureKind.Deadline,
                        Refusal.Budget => FailureKind.Budget,
                        Refusal.Unavailable => FailureKind.Unavailable,
                        _ => FailureKind.Refused,
                    },
                    refused.Message
                )
                {
                    RetryAfter = refused.RetryAfter,
                    Scope = refused.Scope,
                };
            case McpException expected:
                return new(FailureKind.Tool, expected.Message);
            case InputRequiredException:
                return new(
                    FailureKind.Tool,
                    $"{tool} has to ask the user something first, which only an MCP connection can carry."
                );
            case HttpRequestException upstream:
                LogUpstream(logger, tool, Reason(upstream));
                var isLate = upstream.StatusCode is HttpStatusCode.GatewayTimeout or HttpStatusCode.RequestTimeout;
                return new(
                    isLate ? FailureKind.UpstreamTimeout : FailureKind.Upstream,
                    $"The system behind {tool} failed: {upstream.Message}"
                );
            case OperationCanceledException { InnerException: TimeoutException }:
                LogUpstream(logger, tool, Reason(exception));
                return new(
                    FailureKind.UpstreamTimeout,
                    $"The system behind {tool} did not answer in time. Try again later."
                );
            default:
                LogUnexpected(logger, exception, tool, id);
                return new(
                    FailureKind.Unexpected,
                    $"{tool} failed unexpectedly. The operator finds the reason in the log under {id}."
                );
        }
    }

    // In one line: nothing of ours is wrong, so no stack would help.
    private static string Reason(Exception failure)
    {
        var reasons = new List<string>();
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            reasons.Add(cause.Message.ReplaceLineEndings(" "));
        }

        return TextLimit.Cut(string.Join(" < ", reasons.Distinct()), TextLimit.Detail);
    }

    [LoggerMessage(LogLevel.Warning, "The system behind {Tool} failed: {Reason}")]
    private static partial void LogUpstream(ILogger logger, string tool, string reason);

    [LoggerMessage(LogLevel.Error, "{Tool} failed unexpectedly; correlation id {CorrelationId}")]
    private static partial void LogUnexpected(ILogger logger, Exception exception, string tool, string correlationId);
}
