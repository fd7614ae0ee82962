using System.Text.Json;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// Handles unexpected exceptions: logs them, and responds with JSON-RPC's internal error and a correlation id.
/// </summary>
internal static partial class InternalError
{
    public static bool Is(Exception failure) =>
        failure is not (JsonRpcException or OperationCanceledException or BadHttpRequestException);

    public static JsonRpcException Explain(Exception failure, in JsonRpcEnvelope envelope, ILogger logger)
    {
        var id = Guid.NewGuid().ToString("N");
        LogUnexpected(logger, failure, envelope.Method, id);
        return new(
            JsonRpcErrorCode.InternalError,
            $"Internal error. The operator can find the reason in the log by the correlation id {id}.",
            envelope.Id,
            StatusCodes.Status500InternalServerError
        );
    }

    [LoggerMessage(LogLevel.Error, "Request failed unexpectedly {Method} {CorrelationId}")]
    private static partial void LogUnexpected(
        ILogger logger,
        Exception exception,
        string? method,
        string correlationId
    );
}
