using System.Data.Common;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace MinimalMcp.Storage;

/// <summary>Wraps every statement: waits until the store is open, and records a span in the current trace.</summary>
internal sealed partial class Store
{
    private static readonly ActivitySource Spans = new("MinimalMcp.Storage");

    private async Task<T> WriteAsync<T>(
        Func<DbConnection, Task<T>> work,
        CancellationToken cancellationToken,
        [CallerMemberName] string operation = ""
    )
    {
        using var span = StartSpan(operation);
        try
        {
            await _opened.Task;
            return await _database.WriteAsync(work, cancellationToken);
        }
        catch (Exception failure) when (Failed(span, failure))
        {
            throw;
        }
    }

    private async Task<T> ReadAsync<T>(
        Func<DbConnection, Task<T>> work,
        CancellationToken cancellationToken,
        [CallerMemberName] string operation = ""
    )
    {
        using var span = StartSpan(operation);
        try
        {
            await _opened.Task;
            return await _database.ReadAsync(work, cancellationToken);
        }
        catch (Exception failure) when (Failed(span, failure))
        {
            throw;
        }
    }

    /// <summary>
    /// A span named by OpenTelemetry's conventions for databases; null while nobody listens. Only within a trace:
    /// background work, such as writing the audit log, would create many traces per second.
    /// </summary>
    internal Activity? StartSpan(string operation)
    {
        if (Activity.Current is null || !Spans.HasListeners())
        {
            return null;
        }

        operation = operation.Replace("Async", "", StringComparison.Ordinal);
        return Spans
            .StartActivity(operation, ActivityKind.Client)
            ?.SetTag("db.system.name", _database is PostgresDatabase ? "postgresql" : "sqlite")
            .SetTag("db.operation.name", operation);
    }

    // As a filter, so that the stack is still whole where the failure is caught.
    private static bool Failed(Activity? span, Exception failure)
    {
        span?.SetStatus(ActivityStatusCode.Error).SetTag("error.type", failure.GetType().FullName);
        return false;
    }
}
