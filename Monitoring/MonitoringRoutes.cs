using System.Buffers;
using System.Globalization;
using System.Text;
using MinimalMcp.Auth;
using MinimalMcp.Auth.Operators;
using MinimalMcp.Configuration;
using MinimalMcp.Storage;

namespace MinimalMcp.Monitoring;

/// <summary>Sessions, activity and figures over HTTP.</summary>
internal static class MonitoringRoutes
{
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    private static readonly string[] Filters = ["type", "user", "server_id"],
        PageFilters = [.. Filters, "from", "to", "before", "limit"];

    public static IEndpointConventionBuilder Map(IEndpointRouteBuilder routes, string pattern)
    {
        var group = routes.MapGroup(pattern).RequireAuthorization(Scopes.Admin).AllowOperators();
        group.MapGet("/sessions", Answer(SessionsAsync)).AllowHead();
        group.MapDelete("/sessions/{id}", Answer(EndSessionAsync));
        group.MapGet("/activity", Answer(ActivityAsync)).AllowHead();
        group.MapGet("/activity/stream", (RequestDelegate)StreamAsync);
        group.MapMethods("/activity/stream", [HttpMethods.Head], Start);
        group.MapGet("/metrics/summary", Answer(SummaryAsync)).AllowHead();
        return group;
    }

    private static async Task<object> SessionsAsync(HttpContext http) =>
        await Of<SessionList>(http).ReadAsync(http.RequestAborted);

    private static async Task<object> EndSessionAsync(HttpContext http)
    {
        var id = (string)http.Request.RouteValues["id"]!;
        return await Of<SessionList>(http).EndAsync(id, Caller.From(http.User))
            ? new { message = "Session ended" }
            : throw new RefusedException(
                404,
                $"Replica {Replica.Name} has no open session of this id. A caller without a session cannot be ended: "
                    + "revoke its key or its token."
            );
    }

    private static async Task<object> ActivityAsync(HttpContext http)
    {
        var query = http.Request.Query;
        Check(query, PageFilters);
        var limit = Number(query, "limit") ?? 50;
        var page = await Of<ActivityLog>(http)
            .ReadAsync(
                new(
                    TypeOf(query),
                    Text(query, "user"),
                    Text(query, "server_id"),
                    Time(query, "from"),
                    Time(query, "to"),
                    Number(query, "before"),
                    (int)Math.Clamp(limit, 1, ActivityLog.MaxLimit)
                ),
                http.RequestAborted
            );
        return new
        {
            count = page.Events.Count,
            activity = page.Events,
            next = page.Next,
        };
    }

    private static async Task<object> SummaryAsync(HttpContext http)
    {
        var query = http.Request.Query;
        Check(query, ["window"]);
        var window = Text(query, "window") ?? "1h";
        return MetricsSummary.Windows.Contains(window)
            ? await Of<MetricsSummary>(http).ReadAsync(window, http.RequestAborted)
            : throw new RefusedException(400, $"'window' must be {string.Join(", ", MetricsSummary.Windows)}.");
    }

    // Server-sent events. A stream ends with the credential or the session that opened it; browsers open it again, and
    // say with which event they were.
    private static async Task StreamAsync(HttpContext http)
    {
        ActivityFeed.Listener? listener = null;
        (string? Type, string? User, (string Name, string Id)? Server) filter;
        try
        {
            var query = http.Request.Query;
            Check(query, [.. Filters, "after"]);
            filter = (
                TypeOf(query),
                Text(query, "user"),
                Text(query, "server_id") is { } server
                    ? await Of<ActivityLog>(http).ServerOfAsync(server, http.RequestAborted)
                    : null
            );
            listener = Of<ActivityFeed>(http).Listen(Caller.From(http.User).Subject)
                ?? throw new RefusedException(429, "Too many activity streams are open. Close one first.");
        }
        catch (Exception refused) when (Refusal(refused) is var (status, detail))
        {
            await ApiErrors.WriteAsync(http, status, detail);
            return;
        }

        using (listener)
        {
            await using var stream = await Of<StreamAuthorization>(http)
                .OpenForOperatorAsync(
                    http,
                    http.RequestAborted,
                    Of<IHostApplicationLifetime>(http).ApplicationStopping
                );
            await Start(http);
            try
            {
                await WriteAsync(http, ": connected\n\n", stream.Ended);
                var last = await MissedAsync(http, listener, filter, stream.Ended);
                while (true)
                {
                    if (await IsSilentAsync(listener, stream.Ended) is not { } more)
                    {
                        await WriteAsync(http, ": keep-alive\n\n", stream.Ended);
                        continue;
                    }

                    if (!more)
                    {
                        return; // it was too slow
                    }

                    await WriteAsync(http, New(listener, last).Where(one => Matches(one, filter)), stream.Ended);
                }
            }
            catch (OperationCanceledException)
            {
                // The client left, its session or credential ended, or the server stops.
            }
        }
    }

    // What came between the event that the client had last and the first of the stream.
    private static async Task<long> MissedAsync(
        HttpContext http,
        ActivityFeed.Listener listener,
        (string?, string?, (string, string)?) filter,
        CancellationToken cancellationToken
    )
    {
        var began = await listener.Began.WaitAsync(cancellationToken);
        var had = http.Request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } sent
            ? sent
            : http.Request.Query["after"].ToString();
        if (!long.TryParse(had, NumberStyles.None, CultureInfo.InvariantCulture, out var last))
        {
            return began;
        }

        last = Math.Max(last, began - MaxMissed);
        while (
            last < began && await Of<ActivityLog>(http).ReadAfterAsync(last, cancellationToken) is { Count: > 0 } page
        )
        {
            await WriteAsync(http, page.Where(one => Matches(one, filter)), cancellationToken);
            last = page[^1].Id;
        }

        return Math.Max(last, began);
    }

    private const int MaxMissed = 2_000;

    // Null when nothing came in the time of a keep-alive; false when the stream of events ended.
    private static async Task<bool?> IsSilentAsync(ActivityFeed.Listener listener, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(KeepAlive);
        try
        {
            return await listener.Events.WaitToReadAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private static bool Matches(
        ActivityEvent one,
        (string? Type, string? User, (string Name, string Id)? Server) filter
    ) =>
        (filter.Type is null || one.Type == filter.Type)
        && (filter.User is null || one.User == filter.User)
        && (
            filter.Server is not var (name, id)
            || one.ServerId == id
            || (name.Length > 0 && one.Metadata.GetValueOrDefault("server") == name)
        );

    // What is there now.
    private static IEnumerable<ActivityEvent> New(ActivityFeed.Listener listener, long last)
    {
        while (listener.Events.TryRead(out var one))
        {
            if (one.Id > last)
            {
                yield return one;
            }
        }
    }

    // Many at a time: under load, a write for each would cost more than the calls that are told of.
    private static async Task WriteAsync(
        HttpContext http,
        IEnumerable<ActivityEvent> events,
        CancellationToken cancellationToken
    )
    {
        foreach (var some in events.Chunk(100))
        {
            foreach (var one in some)
            {
                http.Response.BodyWriter.Write(one.Sent);
            }

            await http.Response.BodyWriter.FlushAsync(cancellationToken);
        }
    }

    private static async Task WriteAsync(HttpContext http, string text, CancellationToken cancellationToken) =>
        await http.Response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);

    private static Task Start(HttpContext http)
    {
        http.Response.ContentType = "text/event-stream";
        http.Response.Headers.CacheControl = "no-store, no-transform";
        http.Response.Headers["X-Accel-Buffering"] = "no"; // nginx would otherwise hold events back
        return Task.CompletedTask;
    }

    private static RequestDelegate Answer(Func<HttpContext, Task<object>> answer) =>
        async http =>
        {
            http.Response.Headers.CacheControl = "no-store";
            object body;
            try
            {
                body = await answer(http);
            }
            catch (Exception refused) when (Refusal(refused) is var (status, detail))
            {
                await ApiErrors.WriteAsync(http, status, detail);
                return;
            }

            await http.Response.WriteAsJsonAsync(body, body.GetType(), ApiJson.Options, null, http.RequestAborted);
        };

    private static (int Status, string Detail)? Refusal(Exception refused) =>
        refused switch
        {
            RefusedException known => (known.Status, known.Message),
            StorageException => (503, "The server's store is unavailable. Try again in a minute."),
            _ => null,
        };

    private static void Check(IQueryCollection query, string[] known)
    {
        if (query.Keys.Except(known).FirstOrDefault() is { } unknown)
        {
            throw new RefusedException(
                400,
                $"'{unknown}' is not a parameter. Parameters are {string.Join(", ", known)}."
            );
        }
    }

    private static string? TypeOf(IQueryCollection query) =>
        Text(query, "type") is not { } type || ActivityTypes.All.Contains(type)
            ? Text(query, "type")
            : throw new RefusedException(400, $"'type' must be one of {string.Join(", ", ActivityTypes.All)}.");

    private static string? Text(IQueryCollection query, string name) =>
        query[name] is [{ Length: > 0 } value, ..] ? value : null;

    private static long? Number(IQueryCollection query, string name) =>
        Text(query, name) is not { } text ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw new RefusedException(400, $"'{name}' must be a number.");

    private static DateTimeOffset? Time(IQueryCollection query, string name) =>
        Text(query, name) is not { } text ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
        : throw new RefusedException(400, $"'{name}' must be a time such as 2026-11-21T08:00:00Z.");

    private static T Of<T>(HttpContext http)
        where T : notnull => http.RequestServices.GetRequiredService<T>();

    private sealed class RefusedException(int status, string detail) : Exception(detail)
    {
        public int Status => status;
    }
}
