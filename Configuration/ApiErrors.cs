using System.Text.Json.Nodes;

namespace MinimalMcp.Configuration;

/// <summary>
/// Errors of the routes below <c>/api/v1</c> have <c>detail</c> and <c>timestamp</c>, whoever answers: the route, the
/// authentication, a limit, or the routing.
/// </summary>
internal static class ApiErrors
{
    private const string Prefix = "/api/v1";

    /// <summary>A problem document (RFC 9457), with the time below <c>/api/v1</c>.</summary>
    public static IResult Problem(HttpContext http, int status, string title, string detail) =>
        Results.Problem(
            statusCode: status,
            title: title,
            detail: detail,
            extensions: Covers(http) ? [new("timestamp", Now(http))] : null
        );

    /// <summary>What a route answers that refuses a request.</summary>
    public static Task WriteAsync(HttpContext http, int status, string detail)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json; charset=utf-8";
        var body = new JsonObject { ["detail"] = detail, ["timestamp"] = Now(http) };
        return http.Response.WriteAsync(body.ToJsonString(), http.RequestAborted);
    }

    /// <summary>For problems of the framework, such as an exception that nobody expected.</summary>
    public static void Complete(ProblemDetailsContext context)
    {
        if (Covers(context.HttpContext))
        {
            context.ProblemDetails.Detail ??= context.ProblemDetails.Title;
            context.ProblemDetails.Extensions["timestamp"] = Now(context.HttpContext);
        }
    }

    /// <summary>Gives errors without a body one.</summary>
    public static void Use(IApplicationBuilder app) =>
        app.Use(next => http => Covers(http) ? InvokeAsync(http, next) : next(http));

    private static async Task InvokeAsync(HttpContext http, RequestDelegate next)
    {
        await next(http);
        var response = http.Response;
        if (response is { StatusCode: >= 400, HasStarted: false, ContentType: null })
        {
            var detail = response.StatusCode switch
            {
                StatusCodes.Status404NotFound => $"This server has no route {http.Request.Path}.",
                StatusCodes.Status405MethodNotAllowed => $"This path supports {response.Headers.Allow}.",
                StatusCodes.Status415UnsupportedMediaType =>
                    "Send the body as JSON, with Content-Type: application/json.",
                var status => $"The request was refused with status {status}.",
            };
            await WriteAsync(http, response.StatusCode, detail);
        }
    }

    private static bool Covers(HttpContext http) => http.Request.Path.StartsWithSegments(Prefix);

    private static DateTimeOffset Now(HttpContext http) =>
        http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow();
}
