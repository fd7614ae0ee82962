using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>
/// Every example in the description of a parameter, of every family, is sent. The call is the first good one of the
/// tool in its <see cref="FamilyCalls"/>, with the example in place of its own argument. An example that is written
/// <c>For example `value`.</c> has to work on what the family's tests have there. One without the marks, such as the
/// name of a container, may be one that is not there, but the tool must accept its form.
/// </summary>
[Slow]
public sealed partial class DescriptionExampleTests
{
    [Fact]
    public async Task Every_example_in_a_description_is_an_argument_that_works()
    {
        await using var product = await ProductFamilies.StartAsync();
        var wrong = new List<string>();
        var count = 0;
        foreach (var family in product.All.Concat(product.Apart))
        {
            var settings = product.Apart.Contains(family)
                ? [("Server:PublicUrl", "https://tools.example")]
                : product.Settings;
            await using var server = TestServer.Start(TestCaller.AddTo + family.Services, settings);
            var paths = (await server.GetJsonAsync("/openapi.json?all=true")).GetProperty("paths");
            foreach (var (tool, arguments, _) in Good(family))
            {
                foreach (var (name, example, isExact) in Examples(Schema(paths, tool)))
                {
                    count++;
                    var call = JsonNode.Parse(arguments)!.AsObject();
                    call[name] = example;
                    if (await ProblemAsync(server, family, tool, call) is { } problem && (isExact || problem.IsForm))
                    {
                        wrong.Add($"{tool}, {name}, {example?.ToJsonString()}: {problem.Text}");
                    }
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.NotEqual(0, count);
    }

    private static IEnumerable<(string Tool, string Arguments, MinimalMcp.Tools.FailureKind? Failure)> Good(
        FamilyCalls family
    ) => family.Calls.Where(call => call.Failure is null).DistinctBy(call => call.Tool);

    // Some calls need what earlier ones did: then these are made first.
    private static async Task<Problem?> ProblemAsync(
        TestServer server,
        FamilyCalls family,
        string tool,
        JsonObject call
    )
    {
        family.Reset();
        if (await PostAsync(server, tool, call.ToJsonString()) is null)
        {
            return null;
        }

        family.Reset();
        foreach (var (earlier, arguments, _) in Good(family).TakeWhile(good => good.Tool != tool))
        {
            await PostAsync(server, earlier, arguments);
        }

        return await PostAsync(server, tool, call.ToJsonString());
    }

    private static async Task<Problem?> PostAsync(TestServer server, string tool, string arguments)
    {
        using var response = await server.PostAsync("/tools/" + tool, arguments);
        return response.StatusCode is HttpStatusCode.OK or HttpStatusCode.Accepted
            ? null
            : new(
                await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
                response.StatusCode is HttpStatusCode.BadRequest
            );
    }

    private static JsonElement? Schema(JsonElement paths, string tool) =>
        paths.GetProperty($"/tools/{tool}").GetProperty("post").TryGetProperty("requestBody", out var body)
            ? body.GetProperty("content").GetProperty("application/json").GetProperty("schema")
            : null;

    private static IEnumerable<(string Name, JsonNode? Example, bool IsExact)> Examples(JsonElement? schema)
    {
        var properties =
            schema is { } known && known.TryGetProperty("properties", out var some) ? some.EnumerateObject() : default;
        foreach (var property in properties)
        {
            var description = property.Value.TryGetProperty("description", out var said) ? said.GetString()! : "";
            foreach (Match example in Example().Matches(description))
            {
                var isExact = example.Groups[1].Success;
                var text = example.Groups[isExact ? 1 : 2].Value;
                yield return (property.Name, Value(property.Value, text), isExact);
            }
        }
    }

    // What is no JSON for a parameter that is no text is sent as text, and refused.
    private static JsonNode? Value(JsonElement schema, string example)
    {
        var type = schema.TryGetProperty("type", out var known) ? known.GetRawText() : schema.GetRawText();
        try
        {
            return type.Contains("\"string\"", StringComparison.Ordinal) ? example : JsonNode.Parse(example);
        }
        catch (JsonException)
        {
            return example;
        }
    }

    // `value`, or JSON, or else up to the end of the sentence or the next of several.
    [GeneratedRegex(@"[Ff]or example:? (?:`([^`]+)`|""?((?:\{.*\}|\[.*\])|.+?)""?(?=\.(?:\s|$)|,\s|\sor\s|\)?$))")]
    private static partial Regex Example();

    private sealed record Problem(string Text, bool IsForm);
}
