using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>
/// An endpoint like Gemini's generateContent, whose model calls find_notes with the user's text as arguments and
/// repeats what it got. It answers
/// 400 to what the description of the API does not have: names, members and forms of schemas, thought signatures that
/// do not come back.
/// </summary>
internal static partial class FakeGemini
{
    private const string Signature = "c2lnbmF0dXJl";

    private static readonly string[] SchemaMembers =
    [
        "type",
        "format",
        "title",
        "description",
        "nullable",
        "enum",
        "maxItems",
        "minItems",
        "properties",
        "required",
        "minProperties",
        "maxProperties",
        "minLength",
        "maxLength",
        "pattern",
        "example",
        "anyOf",
        "propertyOrdering",
        "default",
        "items",
        "minimum",
        "maximum",
    ];

    public static async Task<WebApplication> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseSetting("urls", "http://127.0.0.1:0");
        var app = builder.Build();
        app.MapPost("/v1beta/models/{model}:generateContent", (HttpRequest http, JsonElement request) =>
        {
            if (string.IsNullOrEmpty(http.Headers["x-goog-api-key"]))
            {
                return Refuse("API key not valid.", 403);
            }

            var problems = Problems(request).ToArray();
            return problems.Length > 0 ? Refuse(string.Join('\n', problems), 400) : Reply(request);
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }

    /// <summary>What the API would refuse of a declaration.</summary>
    public static IEnumerable<string> ProblemsOf(JsonElement function)
    {
        var name = function.GetProperty("name").GetString()!;
        foreach (var member in Unknown(function, "name", "description", "parameters", "response", "behavior"))
        {
            yield return $"{name}: unknown member {member}";
        }

        if (!Name().IsMatch(name))
        {
            yield return $"{name}: invalid function name";
        }

        if (function.TryGetProperty("parameters", out var parameters))
        {
            foreach (var problem in ProblemsOf(parameters, name))
            {
                yield return problem;
            }
        }
    }

    private static IEnumerable<string> ProblemsOf(JsonElement schema, string where)
    {
        foreach (var member in Unknown(schema, SchemaMembers))
        {
            yield return $"{where}: unknown member {member}";
        }

        var type =
            schema.TryGetProperty("type", out var given) && given.ValueKind == JsonValueKind.String
                ? given.GetString()
                : null;
        if (type is not ("STRING" or "NUMBER" or "INTEGER" or "BOOLEAN" or "ARRAY" or "OBJECT"))
        {
            yield return $"{where}: type {given}";
        }

        if (
            schema.TryGetProperty("enum", out var values)
            && (type != "STRING" || values.EnumerateArray().Any(value => value.ValueKind != JsonValueKind.String))
        )
        {
            yield return $"{where}: only strings have an enum of strings";
        }

        if (schema.TryGetProperty("format", out var format) && !Formats(type).Contains(format.GetString()))
        {
            yield return $"{where}: format {format} of {type}";
        }

        if (type == "ARRAY")
        {
            var inner = schema.TryGetProperty("items", out var items)
                ? ProblemsOf(items, where + "[]")
                : [$"{where}: items is missing"];
            foreach (var problem in inner)
            {
                yield return problem;
            }
        }

        if (type != "OBJECT")
        {
            yield break;
        }

        if (!schema.TryGetProperty("properties", out var properties) || !properties.EnumerateObject().Any())
        {
            yield return $"{where}: properties: should be non-empty for OBJECT type";
            yield break;
        }

        foreach (var property in properties.EnumerateObject())
        {
            foreach (var problem in ProblemsOf(property.Value, $"{where}.{property.Name}"))
            {
                yield return problem;
            }
        }

        foreach (var name in schema.TryGetProperty("required", out var required) ? required.EnumerateArray() : [])
        {
            if (!properties.TryGetProperty(name.GetString()!, out _))
            {
                yield return $"{where}: required {name} is no property";
            }
        }
    }

    private static string[] Formats(string? type) =>
        type switch
        {
            "STRING" => ["enum", "date-time"],
            "NUMBER" => ["float", "double"],
            "INTEGER" => ["int32", "int64"],
            _ => [],
        };

    private static IEnumerable<string> Problems(JsonElement request)
    {
        foreach (
            var member in Unknown(request, "contents", "tools", "toolConfig", "systemInstruction", "generationConfig")
        )
        {
            yield return $"unknown member {member}";
        }

        foreach (var tool in request.GetProperty("tools").EnumerateArray())
        {
            foreach (var problem in tool.GetProperty("functionDeclarations").EnumerateArray().SelectMany(ProblemsOf))
            {
                yield return problem;
            }
        }

        foreach (var content in request.GetProperty("contents").EnumerateArray())
        {
            foreach (var part in content.GetProperty("parts").EnumerateArray())
            {
                if (
                    part.TryGetProperty("functionCall", out var call)
                    && !(
                        call.TryGetProperty("args", out _)
                        && part.TryGetProperty("thoughtSignature", out var signature)
                        && signature.GetString() == Signature
                    )
                )
                {
                    yield return "a functionCall part is missing its args or its thoughtSignature";
                }

                if (!part.TryGetProperty("functionResponse", out var response))
                {
                    continue;
                }

                foreach (
                    var member in Unknown(response, "id", "name", "response", "parts", "willContinue", "scheduling")
                )
                {
                    yield return $"functionResponse: unknown member {member}";
                }

                if (response.GetProperty("response").ValueKind != JsonValueKind.Object)
                {
                    yield return "functionResponse.response must be an object";
                }
            }
        }
    }

    private static IResult Reply(JsonElement request)
    {
        var last = request.GetProperty("contents").EnumerateArray().Last().GetProperty("parts")[0];
        object part = last.TryGetProperty("functionResponse", out var answered)
            ? new { text = answered.GetProperty("response").GetRawText() }
            : new
            {
                functionCall = new
                {
                    name = "find_notes",
                    args = JsonElement.Parse(last.GetProperty("text").GetString()!),
                    id = "call_1",
                },
                thoughtSignature = Signature,
            };
        return Results.Json(
            new
            {
                candidates = new[]
                {
                    new { content = new { role = "model", parts = new[] { part } }, finishReason = "STOP" },
                },
            }
        );
    }

    private static IResult Refuse(string message, int code) =>
        Results.Json(
            new
            {
                error = new
                {
                    code,
                    message,
                    status = "INVALID_ARGUMENT",
                },
            },
            statusCode: code
        );

    private static IEnumerable<string> Unknown(JsonElement value, params string[] known) =>
        value.EnumerateObject().Select(member => member.Name).Where(name => !known.Contains(name));

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_.:-]{0,63}\z")]
    private static partial Regex Name();
}
