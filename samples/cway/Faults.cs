using System.Collections.Concurrent;

namespace CwaySample;

/// <summary>An answer in place of GraphQL's.</summary>
public sealed record Fault(int Status, string Body, string ContentType = "application/json")
{
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The connection is cut instead.</summary>
    public bool IsCut { get; init; }

    public static Fault Unauthorized { get; } = new(401, """{"message":"Full authentication is required"}""");

    public static Fault Cut { get; } = new(0, "") { IsCut = true };

    public static Fault TooManyRequests(TimeSpan retryAfter) =>
        new(429, """{"message":"Too many requests"}""") { RetryAfter = retryAfter };

    public static Fault Failed(int status = 503) => new(status, """{"message":"Internal error"}""");

    public static Fault Html(int status = 200) =>
        new(status, "<!DOCTYPE html><html><body><h1>Cway is being updated</h1></body></html>", "text/html");
}

/// <summary>The switches with which a test makes a Cway answer badly.</summary>
public sealed class Faults
{
    private readonly ConcurrentQueue<Fault> _next = new();
    private readonly ConcurrentDictionary<string, byte> _denied = new();

    public TimeSpan Latency { get; set; }

    /// <summary>Every request is answered so, until it is nothing again.</summary>
    public Fault? Always { get; set; }

    /// <summary>The next requests are answered so, one each.</summary>
    public void Next(params IEnumerable<Fault> faults)
    {
        foreach (var fault in faults)
        {
            _next.Enqueue(fault);
        }
    }

    /// <summary>
    /// The root field answers null and the error "Access denied", beside the data of the others: partial data. With an
    /// id, it does where that is among its arguments.
    /// </summary>
    public void Deny(string rootField, Guid? id = null) => _denied[Key(rootField, id)] = 0;

    public void AllowAll() => _denied.Clear();

    internal Fault? Take() => Always ?? (_next.TryDequeue(out var fault) ? fault : null);

    internal bool Denies(string rootField, IEnumerable<object?> arguments) =>
        !_denied.IsEmpty
        && (
            _denied.ContainsKey(Key(rootField, null))
            || arguments.OfType<Guid>().Any(id => _denied.ContainsKey(Key(rootField, id)))
        );

    private static string Key(string rootField, Guid? id) => id is null ? rootField : $"{rootField}:{id}";
}
