using System.Net;
using MinimalMcp.Governance;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tools;

internal enum FailureKind
{
    /// <summary>An argument is invalid; the message names it.</summary>
    Arguments,

    /// <summary>Governance refused the call.</summary>
    Refused,

    /// <summary>The tool reported an error.</summary>
    Tool,

    /// <summary>The upstream failed.</summary>
    Upstream,

    /// <summary>The upstream timed out.</summary>
    UpstreamTimeout,

    /// <summary>The call timed out.</summary>
    Deadline,

    /// <summary>A budget is exhausted.</summary>
    Budget,

    /// <summary>The call could not be counted or audited.</summary>
    Unavailable,

    /// <summary>A bug in this server. The message contains only a correlation id.</summary>
    Unexpected,
}

/// <summary>Maps exceptions of a call to failures with a message for the caller.</summary>
internal sealed partial class Failure(FailureKind kind, string message)
{
    public FailureKind Kind { get; } = kind;

    public string Message { get; } = message;

    public TimeSpan? RetryAfter { get; private init; }

    /// <summary>The missing scope, if that is the reason.</summary>
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
                return new(FailureKind.Tool, $"{tool} must ask the user first, which requires an MCP connection.");
            case HttpRequestException upstream:
                LogUpstream(logger, tool, Reason(upstream));
                var isLate = upstream.StatusCode is HttpStatusCode.GatewayTimeout or HttpStatusCode.RequestTimeout;
                return new(
                    isLate ? FailureKind.UpstreamTimeout : FailureKind.Upstream,
                    $"The upstream of {tool} failed: {upstream.Message}"
                );
            case OperationCanceledException { InnerException: TimeoutException }:
                LogUpstream(logger, tool, Reason(exception));
                return new(
                    FailureKind.UpstreamTimeout,
                    $"The upstream of {tool} did not respond in time. Try again later."
                );
            default:
                LogUnexpected(logger, exception, tool, id);
                return new(
                    FailureKind.Unexpected,
                    $"{tool} failed unexpectedly. The operator can find the reason in the log by the correlation id "
                        + $"{id}."
                );
        }
    }

    // In one line: the server has no bug, so a stack trace would not help.
    private static string Reason(Exception failure)
    {
        var reasons = new List<string>();
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            reasons.Add(cause.Message.ReplaceLineEndings(" "));
        }

        return TextLimit.Cut(string.Join(" < ", reasons.Distinct()), TextLimit.Detail);
    }

    [LoggerMessage(LogLevel.Warning, "Upstream of a tool call failed {Tool} {Reason}")]
    private static partial void LogUpstream(ILogger logger, string tool, string reason);

    [LoggerMessage(LogLevel.Error, "Tool call failed unexpectedly {Tool} {CorrelationId}")]
    private static partial void LogUnexpected(ILogger logger, Exception exception, string tool, string correlationId);
}
