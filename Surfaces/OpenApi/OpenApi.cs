using System.Net.Http;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using MinimalMcp.Auth;
using MinimalMcp.Configuration;
using MinimalMcp.Tools;
using Tool = MinimalMcp.Tools.Tool;

namespace MinimalMcp.Surfaces;

/// <summary>
/// The OpenAPI document for GPT Actions: one operation per tool, with its schemas embedded (OpenAPI 3.1 uses JSON
/// Schema). ASP.NET Core creates the document, so other parts (security schemes) are document transformers.
/// </summary>
public static class OpenApi
{
    internal const string DocumentName = "tools";

    // Limits of GPT Actions: operations per document, characters of a summary or description.
    private const int MaxOperations = 30;
    private const int MaxDescription = 300;

    /// <summary>Adds what <see cref="MapToolOpenApi"/> needs.</summary>
    public static void AddToolOpenApi(this IHostApplicationBuilder builder) =>
        builder
            .Services.AddSingleton<OpenApiSecurity>()
            .AddOpenApi(DocumentName, options =>
            {
                // the tools are added below from the registry; no other route is for models
                options.ShouldInclude = _ => false;
                options.AddDocumentTransformer(
                    async (document, context, cancellationToken) =>
                    {
                        var configuration = context.ApplicationServices.GetRequiredService<IConfiguration>();
                        document.Info.Title = configuration["Server:Name"] ?? typeof(OpenApi).Assembly.GetName().Name;
                        document.Info.Version = configuration["Server:Version"]
                            ?? typeof(OpenApi).Assembly.GetName().Version!.ToString(3);
                        document.Info.Description =
                            "The tools of this server. Each operation calls one tool; a failed call answers with a "
                            + "problem document whose detail says what to mend.";
                        var security = context.ApplicationServices.GetRequiredService<OpenApiSecurity>();
                        await security.AddToAsync(document, cancellationToken);
                    }
                );
            });

    /// <summary>Maps <c>/openapi.json</c>. Anybody may read it.</summary>
    public static IEndpointConventionBuilder MapToolOpenApi(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("").AllowAnonymous(); // the GPT editor reads it without credentials
        group.MapGet("/openapi.json", ProviderUnavailable.Answered(GetAsync));
        group.MapGet("/.well-known/openapi.json", ProviderUnavailable.Answered(GetAsync));
        return group.AllowHead();
    }

    /// <summary>
    /// <c>export-openapi [--family NAME] [FILE] [3.0|3.1]</c>: writes the document without a listener, by default to
    /// standard output.
    /// </summary>
    internal static async Task<int> ExportOpenApiAsync(this WebApplication app, string[] args)
    {
        var url = PublicUrl.Configured(app.Configuration)
            ?? $"http://127.0.0.1:{app.Configuration["Server:Port"] ?? "3001"}";
        string? family = null;
        if (args is [var command, "--family", var named, .. var others])
        {
            (family, args) = (named, [command, .. others]);
        }

        var version = args is [.., "3.0"] ? OpenApiSpecVersion.OpenApi3_0 : OpenApiSpecVersion.OpenApi3_1;
        using var document = new MemoryStream();
        try
        {
            var tools = app.Services.GetRequiredService<ToolRegistry>().Current;
            if (
                family is not null
                && !tools.All.Any(tool => tool.Family.Equals(family, StringComparison.OrdinalIgnoreCase))
            )
            {
                await Console.Error.WriteLineAsync(
                    $"There is no family {family}, or its settings are missing. There are: "
                        + $"{string.Join(", ", tools.All.Select(tool => tool.Family).Distinct())}."
                );
                return 1;
            }

            if (OwnDocument(app.Services, family) is { } own)
            {
                app.UseRouting().UseEndpoints(_ => { }); // the document is made of routes, which the start would add
                await WriteOwnAsync(own, url, version, document, CancellationToken.None);
            }
            else
            {
                tools = family is null ? tools : tools.Narrow(new() { Families = [family] });
                await WriteAsync(app.Services, tools, all: false, url, version, document, CancellationToken.None);
            }
        }
        catch (HttpRequestException gone) when (gone.StatusCode is System.Net.HttpStatusCode.ServiceUnavailable)
        {
            await Console.Error.WriteLineAsync($"{gone.Message} The document says where people sign in.");
            return 1;
        }

        document.Position = 0;
        await using var output =
            args is [_, var file, ..] && file != "-" ? File.Create(file) : Console.OpenStandardOutput();
        await document.CopyToAsync(output);
        return 0;
    }

    /// <summary>
    /// A family with REST routes of its own brings the document of them, under its name, as a keyed service of ASP.NET
    /// Core: it is what <c>?family=NAME</c> gives. Its tools are in <c>?profile=NAME</c>.
    /// </summary>
    private static IOpenApiDocumentProvider? OwnDocument(IServiceProvider services, string? family) =>
        family is { Length: > 0 and < 50 } && family != DocumentName
            ? services.GetKeyedService<IOpenApiDocumentProvider>(family.ToLowerInvariant())
            : null;

    private static async Task WriteOwnAsync(
        IOpenApiDocumentProvider own,
        string serverUrl,
        OpenApiSpecVersion version,
        Stream output,
        CancellationToken cancellationToken
    )
    {
        var document = await own.GetOpenApiDocumentAsync(cancellationToken);
        document.Servers = [new OpenApiServer { Url = serverUrl }];
        await document.SerializeAsJsonAsync(output, version, cancellationToken);
    }

    /// <summary>Writes the document.</summary>
    /// <param name="all">Include more tools than a GPT Action accepts.</param>
    private static async Task WriteAsync(
        IServiceProvider services,
        ToolSet tools,
        bool all,
        string serverUrl,
        OpenApiSpecVersion version,
        Stream output,
        CancellationToken cancellationToken
    )
    {
        var document = await services
            .GetRequiredKeyedService<IOpenApiDocumentProvider>(DocumentName)
            .GetOpenApiDocumentAsync(cancellationToken);
        document.Servers = [new OpenApiServer { Url = serverUrl }];
        document.Paths = [];
        var shown = all ? tools.All : Selected(tools.All);
        document.Tags = shown
            .Select(tool => tool.Family)
            .Distinct()
            .Select(family => new OpenApiTag { Name = family })
            .ToHashSet();
        document.AddComponent("Problem", OpenApiSchemas.Problem(document));
        document.AddComponent("Preview", OpenApiSchemas.Preview(document));
        if (shown.Count < tools.All.Count)
        {
            document.Info.Description += LeftOut(tools.All, shown);
        }

        var security = services.GetRequiredService<OpenApiSecurity>();
        foreach (var tool in shown)
        {
            var operation = Operation(tool, document);
            operation.Security = security.Of(tool, document);
            document.Paths[$"/tools/{tool.Name}"] = new OpenApiPathItem
            {
                Operations = new() { [HttpMethod.Post] = operation },
            };
        }

        await document.SerializeAsJsonAsync(output, version, cancellationToken);
    }

    /// <summary>
    /// As many whole families as a GPT Action accepts: a part of one would lack tools that the others refer to. Smaller
    /// families first, so that most fit, and of equal ones those that read more.
    /// </summary>
    private static IReadOnlyList<Tool> Selected(IReadOnlyList<Tool> tools)
    {
        if (tools.Count <= MaxOperations)
        {
            return tools;
        }

        var families = new HashSet<string>(StringComparer.Ordinal);
        var room = MaxOperations;
        foreach (
            var family in tools
                .GroupBy(tool => tool.Family)
                .OrderBy(family => family.Count())
                .ThenBy(family => family.Count(tool => !tool.IsReadOnly))
                .ThenBy(family => family.Key, StringComparer.Ordinal)
        )
        {
            if (family.Count() <= room)
            {
                families.Add(family.Key);
                room -= family.Count();
            }
        }

        return families.Count > 0
            ? [.. tools.Where(tool => families.Contains(tool.Family))]
            : [.. tools.Take(MaxOperations)];
    }

    private static string LeftOut(IReadOnlyList<Tool> tools, IReadOnlyList<Tool> shown)
    {
        var families = tools.Except(shown).Select(tool => tool.Family).Distinct().Order(StringComparer.Ordinal);
        return $" These are {shown.Count} of {tools.Count} tools, because a GPT Action takes at most {MaxOperations}. "
            + $"Left out: {string.Join(", ", families)}. Import another document for those, with ?family=NAME or "
            + "?profile=NAME; ?all=true has every tool, for clients that take more.";
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
            await Results
                .Problem(statusCode: 400, title: "Unknown version", detail: "v is 3.1 or 3.0.")
                .ExecuteAsync(http);
            return;
        }

        using var buffer = new MemoryStream();
        var all = http.Request.Query["all"].ToString() is "true" or "1";
        if (!all && OwnDocument(http.RequestServices, http.Request.Query["family"]) is { } own)
        {
            await WriteOwnAsync(own, PublicUrl.Of(http), version.Value, buffer, http.RequestAborted);
            await http.Response.WriteJsonAsync(StatusCodes.Status200OK, buffer.ToArray());
            return;
        }

        await WriteAsync(
            http.RequestServices,
            tools,
            all,
            PublicUrl.Of(http),
            version.Value,
            buffer,
            http.RequestAborted
        );
        await http.Response.WriteJsonAsync(StatusCodes.Status200OK, buffer.GetBuffer().AsMemory(0, (int)buffer.Length));
    }

    private static OpenApiOperation Operation(Tool tool, OpenApiDocument document)
    {
        var operation = Described(tool, document);
        if (!tool.IsReadOnly || tool.NeedsConfirmation)
        {
            operation.Responses!["202"] = new OpenApiResponse
            {
                Description = "Nothing was done yet: this is what the call would do.",
                Content = Json(new OpenApiSchemaReference("Preview", document)),
            };
        }

        OpenApiExamples.AddTo(operation, tool);
        return operation;
    }

    private static OpenApiOperation Described(Tool tool, OpenApiDocument document) =>
        new()
        {
            OperationId = tool.Name,
            Tags = new HashSet<OpenApiTagReference> { new(tool.Family, document) },
            Summary = OpenApiSchemas.Shorten(tool.Definition.Title ?? tool.Name, MaxDescription),
            Description = OpenApiSchemas.Shorten(OpenApiSchemas.Markdown(tool.Description), MaxDescription),
            // ChatGPT rejects an object schema without properties, so a tool without arguments has no body.
            RequestBody = tool.InputSchema.GetProperty("properties").EnumerateObject().Any()
                ? new OpenApiRequestBody
                {
                    Required = tool.InputSchema.GetProperty("required").GetArrayLength() > 0,
                    Content = Json(OpenApiSchemas.Input(tool, document)),
                }
                : null,
            Responses = new()
            {
                ["200"] = new OpenApiResponse
                {
                    Description = "What the tool found or did.",
                    Content = Json(OpenApiSchemas.Output(tool, document)),
                },
                ["4XX"] = new OpenApiResponse
                {
                    Description = "The call cannot be made like this; detail says what to mend.",
                    Content = Failed(document),
                },
                ["5XX"] = new OpenApiResponse
                {
                    Description = "The call failed; detail says why, and whether to try again.",
                    Content = Failed(document),
                },
            },
            // Always written: by default a POST counts as consequential even when it only reads.
            Extensions = new Dictionary<string, IOpenApiExtension>
            {
                ["x-openai-isConsequential"] = new JsonNodeExtension(JsonValue.Create(!tool.IsReadOnly)),
            },
        };

    private static Dictionary<string, OpenApiMediaType> Failed(OpenApiDocument document) =>
        Json(new OpenApiSchemaReference("Problem", document), "application/problem+json");

    private static Dictionary<string, OpenApiMediaType> Json(
        IOpenApiSchema schema,
        string mediaType = "application/json"
    ) => new() { [mediaType] = new OpenApiMediaType { Schema = schema } };
}
