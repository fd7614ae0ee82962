using System.Net.Http;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Microsoft.OpenApi.Reader;
using MinimalMcp.Tools;
using Tool = MinimalMcp.Tools.Tool;

namespace MinimalMcp.Surfaces;

/// <summary>
/// The OpenAPI document that a GPT Action imports: one operation per tool, its schemas embedded as they are (OpenAPI 3.1 speaks JSON Schema).
/// ASP.NET Core makes the frame of the document, so whatever else describes the API (security schemes) adds a document transformer.
/// </summary>
public static class OpenApi
{
    public const string DocumentName = "tools";

    // Limits of GPT Actions: operations per document, characters of a summary or description, characters of a parameter's description.
    private const int MaxOperations = 30;
    private const int MaxDescription = 300;
    private const int MaxParameterDescription = 700;

    public static void AddToolOpenApi(this IHostApplicationBuilder builder) => builder.Services.AddOpenApi(DocumentName, options =>
    {
        options.ShouldInclude = _ => false; // the tools are added below, from the registry; no other route is for a model
        options.AddDocumentTransformer((document, context, _) =>
        {
            var configuration = context.ApplicationServices.GetRequiredService<IConfiguration>();
            document.Info.Title = configuration["Server:Name"] ?? typeof(OpenApi).Assembly.GetName().Name;
            document.Info.Version = typeof(OpenApi).Assembly.GetName().Version!.ToString(3);
            document.Info.Description = "The tools of this server. Each operation calls one tool; a failed call answers with a problem document whose detail says what to mend.";
            document.Tags?.Clear();
            return Task.CompletedTask;
        });
    });

    public static IEndpointConventionBuilder MapToolOpenApi(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("");
        group.MapGet("/openapi.json", (RequestDelegate)GetAsync);
        group.MapGet("/.well-known/openapi.json", (RequestDelegate)GetAsync);
        return group;
    }

    /// <summary><c>export-openapi [FILE] [3.0|3.1]</c>: the same document without a listener. Without a file it goes to standard output.</summary>
    public static async Task<int> ExportOpenApiAsync(this WebApplication app, string[] args)
    {
        await using var output = args is [_, var file, ..] && file != "-" ? File.Create(file) : Console.OpenStandardOutput();
        var url = app.Configuration["Server:PublicUrl"] is { Length: > 0 } configured ? configured.TrimEnd('/') : $"http://127.0.0.1:{app.Configuration["Server:Port"] ?? "3001"}";
        var version = args is [.., "3.0"] ? OpenApiSpecVersion.OpenApi3_0 : OpenApiSpecVersion.OpenApi3_1;
        await WriteAsync(app.Services, app.Services.GetRequiredService<ToolRegistry>().Current, url, version, output, CancellationToken.None);
        return 0;
    }

    /// <summary>Writes the document.</summary>
    private static async Task WriteAsync(IServiceProvider services, ToolSet tools, string serverUrl, OpenApiSpecVersion version, Stream output, CancellationToken cancellationToken)
    {
        var document = await services.GetRequiredKeyedService<IOpenApiDocumentProvider>(DocumentName).GetOpenApiDocumentAsync(cancellationToken);
        document.Servers = [new OpenApiServer { Url = serverUrl }];
        document.Paths = [];
        if (tools.All.Count > MaxOperations)
        {
            document.Info.Description += $" These are {MaxOperations} of {tools.All.Count} tools, because a GPT Action takes no more: choose with ?profile=, ?family= or ?readonly=true.";
        }

        foreach (var tool in tools.All.Take(MaxOperations))
        {
            document.Paths[$"/tools/{tool.Name}"] = new OpenApiPathItem { Operations = new() { [HttpMethod.Post] = Operation(tool, document) } };
        }

        await document.SerializeAsJsonAsync(output, version, cancellationToken);
    }

    private static async Task GetAsync(HttpContext http)
    {
        if (await ProfileSelection.ToolsAsync(http) is not { } tools)
        {
            return;
        }

        var version = http.Request.Query["v"].ToString() switch
        {
            "" or "3.1" or "3.1.0" or "3.1.1" => OpenApiSpecVersion.OpenApi3_1,
            "3.0" or "3.0.0" or "3" => OpenApiSpecVersion.OpenApi3_0,
            _ => (OpenApiSpecVersion?)null,
        };
        if (version is null)
        {
            await Results.Problem(statusCode: 400, title: "Unknown version", detail: "v is 3.1 or 3.0.").ExecuteAsync(http);
            return;
        }

        using var buffer = new MemoryStream();
        await WriteAsync(http.RequestServices, tools, PublicUrl.Of(http), version.Value, buffer, http.RequestAborted);
        await http.Response.WriteJsonAsync(StatusCodes.Status200OK, buffer.GetBuffer().AsMemory(0, (int)buffer.Length));
    }

    private static OpenApiOperation Operation(Tool tool, OpenApiDocument document) => new()
    {
        OperationId = tool.Name,
        Summary = Shorten(tool.Definition.Title ?? tool.Name, MaxDescription),
        Description = Shorten(tool.Description, MaxDescription),
        RequestBody = new OpenApiRequestBody
        {
            Required = tool.InputSchema.GetProperty("required").GetArrayLength() > 0,
            Content = Json(Input(tool), document),
        },
        Responses = new()
        {
            ["200"] = new OpenApiResponse { Description = "What the tool found or did.", Content = Json(Output(tool), document) },
            ["default"] = new OpenApiResponse { Description = "The call failed; detail says what to mend.", Content = Json(Problem(), document, "application/problem+json") },
        },
        // Said always: left out, a POST would count as consequential even when it only reads.
        Extensions = new Dictionary<string, IOpenApiExtension> { ["x-openai-isConsequential"] = new JsonNodeExtension(JsonValue.Create(!tool.IsReadOnly)) },
    };

    private static JsonNode Input(Tool tool)
    {
        var schema = JsonNode.Parse(tool.InputSchema.GetRawText())!;
        foreach (var (_, property) in schema["properties"]!.AsObject())
        {
            if (property is JsonObject described && described["description"] is JsonValue text)
            {
                described["description"] = Shorten(text.GetValue<string>(), MaxParameterDescription);
            }
        }

        return schema;
    }

    private static JsonNode Output(Tool tool) => tool.Definition.OutputSchema is { } schema
        ? JsonNode.Parse(schema.GetRawText())!
        : new JsonObject { ["type"] = "object", ["properties"] = new JsonObject { ["result"] = new JsonObject { ["type"] = "string" } } };

    private static JsonObject Problem() => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject
        {
            ["title"] = new JsonObject { ["type"] = "string" },
            ["status"] = new JsonObject { ["type"] = "integer" },
            ["detail"] = new JsonObject { ["type"] = "string", ["description"] = "What was wrong and how to mend it." },
        },
    };

    private static Dictionary<string, OpenApiMediaType> Json(JsonNode schema, OpenApiDocument document, string mediaType = "application/json") => new()
    {
        [mediaType] = new OpenApiMediaType { Schema = OpenApiModelFactory.Parse<OpenApiSchema>(Inlined(schema).ToJsonString(), OpenApiSpecVersion.OpenApi3_1, document, out _, "json") },
    };

    // A JSON Schema refers to its own root with "#", which inside an OpenAPI document would be the document.
    private static JsonNode Inlined(JsonNode schema) => schema.ToJsonString().Contains("\"$ref\"", StringComparison.Ordinal) ? SchemaReferences.Inline(schema) : schema;

    private static string Shorten(string text, int limit)
    {
        if (text.Length <= limit)
        {
            return text;
        }

        var end = text.LastIndexOf(". ", limit - 1, StringComparison.Ordinal);
        return end > limit / 2 ? text[..(end + 1)] : string.Concat(text.AsSpan(0, limit - 1), "…");
    }
}
