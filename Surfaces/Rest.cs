using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Auth;
using MinimalMcp.Auth.Operators;
using MinimalMcp.Configuration;
using MinimalMcp.Governance;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces;

/// <summary>
/// Tools over plain HTTP, as GPT Actions call them: <c>POST /tools/{name}</c> with the arguments as the body.
/// </summary>
public static class Rest
{
    /// <summary>Maps the list of the tools, and the calls of each.</summary>
    public static IEndpointConventionBuilder MapTools(this IEndpointRouteBuilder routes, string pattern = "/tools")
    {
        var group = routes.MapGroup(pattern);
        group.MapGet("", (RequestDelegate)ListAsync);
        group.MapPost("{name}", http => CallAsync(http, "rest"));
        return group.AllowHead().AllowGuests();
    }

    /// <summary>
    /// Maps the calls that an operator makes from the console, as that operator. Everything else is called with keys
    /// and tokens only, so that a session in a browser opens no other surface.
    /// </summary>
    public static IEndpointConventionBuilder MapOperatorTools(
        this IEndpointRouteBuilder routes,
        string pattern = "/api/v1/tools"
    ) =>
        routes
            .MapGroup(pattern)
            .RequireAuthorization(Scopes.Admin)
            .AllowOperators()
            .MapPost("{name}/call", (RequestDelegate)CallAsOperatorAsync);

    private static async Task ListAsync(HttpContext http)
    {
        if (await ProfileSelection.ToolsAsync(http) is not { } tools)
        {
            return;
        }

        await http.Response.WriteAsJsonAsync(
            new
            {
                count = tools.All.Count,
                tools = tools.All.Select(tool => new
                {
                    name = tool.Name,
                    title = tool.Definition.Title,
                    description = tool.Description,
                    family = tool.Family,
                    risk = tool.Risk,
                    readOnly = tool.IsReadOnly,
                    inputSchema = tool.InputSchema,
                    outputSchema = tool.Definition.OutputSchema,
                }),
            }
        );
    }

    private static Task CallAsOperatorAsync(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        return http.Request.HasJsonContentType() // which a form of another page cannot send
            ? CallAsync(http, "console")
            : Problem(
                    StatusCodes.Status403Forbidden,
                    "Request not accepted",
                    "Send the arguments as JSON from this server's own page or from a program, not from a page of "
                        + "another origin."
                )
                .ExecuteAsync(http);
    }

    private static async Task CallAsync(HttpContext http, string surface)
    {
        var name = (string)http.Request.RouteValues["name"]!;
        if (await ProfileSelection.ToolsAsync(http) is not { } tools)
        {
            return;
        }

        if (tools.Find(name) is not { } tool)
        {
            await Problem(404, "Unknown tool", tools.NotFound(name)).ExecuteAsync(http);
            return;
        }

        JsonDocument? arguments;
        try
        {
            arguments = await ReadArgumentsAsync(http);
        }
        catch (JsonRpcException refused)
        {
            await Problem(refused.Status, "Bad request body", refused.Message).ExecuteAsync(http);
            return;
        }
        catch (BadHttpRequestException bad)
        {
            await Problem(
                    bad.StatusCode,
                    "Bad request body",
                    bad.StatusCode == 413 ? "The body is too large." : "The body could not be read."
                )
                .ExecuteAsync(http);
            return;
        }

        using (arguments)
        {
            var headers = http.Request.Headers; // GPT Actions send their user and conversation as headers
            var call = new ToolCall(surface, CallOrigin.Of(http))
            {
                OpenAiSubject = headers["openai-ephemeral-user-id"],
                OpenAiSession = headers["openai-conversation-id"],
            };
            using var result = await tool.CallAsync(call.With(arguments?.RootElement ?? default), http.RequestAborted);
            if (result.Failure?.RetryAfter is { } wait)
            {
                http.Response.Headers.RetryAfter = ((long)Math.Ceiling(wait.TotalSeconds)).ToString(
                    System.Globalization.CultureInfo.InvariantCulture
                );
            }

            await WriteAsync(http, result);
        }
    }

    // A tool without arguments needs no body.
    private static async Task<JsonDocument?> ReadArgumentsAsync(HttpContext http)
    {
        var body = await http.Request.BodyReader.ReadToEndAsync(http.RequestAborted);
        var bytes = body.ToArray();
        http.Request.BodyReader.AdvanceTo(body.End);
        if (bytes.Length == 0)
        {
            return null;
        }

        if (!RequestBody.IsJson(http.Request) || http.Request.Headers.ContentEncoding.Count > 0)
        {
            throw new JsonRpcException(
                JsonRpcErrorCode.InvalidRequest,
                "Content-Type must be application/json, without Content-Encoding.",
                status: StatusCodes.Status415UnsupportedMediaType
            );
        }

        var document = JsonRpcEnvelope.Parse(new ReadOnlySequence<byte>(bytes));
        if (document.RootElement.ValueKind is JsonValueKind.Object)
        {
            return document;
        }

        document.Dispose();
        throw new JsonRpcException(
            JsonRpcErrorCode.InvalidRequest,
            "The body must be a JSON object: the tool's arguments by name."
        );
    }

    private static Task WriteAsync(HttpContext http, ToolResult result) =>
        result switch
        {
            // nothing was done yet
            { Preview: not null } => http.Response.WriteJsonAsync(StatusCodes.Status202Accepted, result.Json),
            { Failure: { Scope: { } scope } failure } => Problem(
                    http.RequestServices.GetRequiredService<BearerChallenges>().Mark(http, scope, failure.Message),
                    Title(failure.Kind),
                    failure.Message
                )
                .ExecuteAsync(http),
            { Failure: { } failure } => Problem(StatusOf(failure.Kind), Title(failure.Kind), failure.Message)
                .ExecuteAsync(http),
            { Content: { } content } => Results
                .Json(
                    new { content = content.Content, structuredContent = content.StructuredContent },
                    ToolMethods.Json
                )
                .ExecuteAsync(http),
            { Json.IsEmpty: true, Text: { } text } => Results
                .Json(new JsonObject { ["result"] = text })
                .ExecuteAsync(http),
            _ => http.Response.WriteJsonAsync(StatusCodes.Status200OK, ImageBlocks.Beside(result)),
        };

    private static IResult Problem(int status, string title, string detail) =>
        Results.Problem(statusCode: status, title: title, detail: detail);

    private static int StatusOf(FailureKind kind) =>
        kind switch
        {
            FailureKind.Arguments => StatusCodes.Status400BadRequest,
            FailureKind.Refused => StatusCodes.Status403Forbidden,
            FailureKind.Tool => StatusCodes.Status422UnprocessableEntity,
            FailureKind.Upstream => StatusCodes.Status502BadGateway,
            FailureKind.UpstreamTimeout or FailureKind.Deadline => StatusCodes.Status504GatewayTimeout,
            FailureKind.Budget => StatusCodes.Status429TooManyRequests,
            FailureKind.Unavailable => StatusCodes.Status503ServiceUnavailable,
            _ => StatusCodes.Status500InternalServerError,
        };

    private static string Title(FailureKind kind) =>
        kind switch
        {
            FailureKind.Arguments => "Invalid arguments",
            FailureKind.Refused => "Refused",
            FailureKind.Tool => "Tool error",
            FailureKind.Upstream => "Upstream failed",
            FailureKind.UpstreamTimeout => "Upstream timed out",
            FailureKind.Deadline => "Timed out",
            FailureKind.Budget => "Too many calls",
            FailureKind.Unavailable => "Service unavailable",
            _ => "Unexpected failure",
        };
}
