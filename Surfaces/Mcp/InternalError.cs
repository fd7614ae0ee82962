using System.Text.Json;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// A request that failed where nothing should: logged whole, answered with JSON-RPC's internal error and a correlation
/// id.
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
            $"Internal error. The operator finds the reason in the log under {id}.",
            envelope.Id,
            StatusCodes.Status500InternalServerError
        );
    }

    [LoggerMessage(LogLevel.Error, "{Method} failed unexpectedly; correlation id {CorrelationId}")]
    private static partial void LogUnexpected(
        ILogger logger,
        Exception exception,
        string? method,
        string correlationId
    );
}
