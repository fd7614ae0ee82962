using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>
/// What models and hosts write in place of a value: for each argument of each tool it means what a person sees in it,
/// or it is refused by name.
/// </summary>
[Slow(Minutes = true)]
public sealed partial class LeniencyTests
{
    private int _callers;

    [Fact]
    public async Task Every_argument_of_every_tool_is_read_as_it_was_meant()
    {
        await using var product = await ProductFamilies.StartAsync();
        await using var server = TestServer.Start(TestCaller.AddTo, product.Settings);
        var schemas = (await server.GetJsonAsync("/tools"))
            .GetProperty("tools")
            .EnumerateArray()
            .ToDictionary(
                tool => tool.GetProperty("name").GetString()!,
                tool => JsonNode.Parse(tool.GetProperty("inputSchema").GetRawText())!.AsObject()
            );
        var wrong = new List<string>();
        var checks = 0;
        foreach (var family in product.All)
        {
            foreach (var call in family.Calls.Where(call => call.Failure is null).DistinctBy(call => call.Tool))
            {
                var schema = schemas[call.Tool];
                var arguments = JsonNode.Parse(call.Arguments)!.AsObject();
                if (schema["properties"]!["dry_run"] is not null)
                {
                    arguments["dry_run"] = true; // the preview tells how the arguments were read
                }

                foreach (var (name, property) in schema["properties"]!.AsObject())
                {
                    var required = schema["required"]!.AsArray().Any(one => one!.GetValue<string>() == name);
                    foreach (var (sent, meant) in Variants(name, property!.AsObject(), arguments[name], required))
                    {
                        checks++;
                        var given = await CallAsync(server, family, call.Tool, With(arguments, name, sent));
                        var expected = await CallAsync(server, family, call.Tool, With(arguments, name, meant));
                        if (given != expected)
                        {
                            wrong.Add($"{call.Tool} {name}={sent.Text}: {given}\n  meant {meant.Text}: {expected}");
                        }
                    }

                    foreach (var value in Strange)
                    {
                        var answer = await CallAsync(server, family, call.Tool, With(arguments, name, new(value)));
                        if (
                            answer.StartsWith("500", StringComparison.Ordinal)
                            || (
                                answer.StartsWith("400", StringComparison.Ordinal)
                                && !answer.Contains($"'{name}", StringComparison.Ordinal)
                            )
                        )
                        {
                            wrong.Add($"{call.Tool} {name}={value}: {answer}");
                        }
                    }
                }
            }
        }

        Assert.True(checks > 500, $"only {checks} were tried");
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {checks}\n{string.Join('\n', wrong.Take(30))}");
    }

    [Theory]
    [InlineData("prometheus_query_range", """{"query":"up","start":1795170260,"end":1795170300.5,"step":10}""")]
    [InlineData("prometheus_query", """{"query":"up","time":1795170260}""")]
    [InlineData("prometheus_find_series", """{"match":"up","lookback":3600}""")]
    [InlineData(
        "grafana_query_datasource",
        """{"datasource_uid":"prom1","query":"up","from":1795168800,"to":1795172400}"""
    )]
    [InlineData("grafana_list_annotations", """{"start":1795168800000,"end":1.7951724e9}""")]
    [InlineData("grafana_create_annotation", """{"text":"x","time":1795168800,"time_end":1795168900}""")]
    [InlineData("docker_container_logs", """{"container":"web","since":1795168800}""")]
    [InlineData("portainer_get_container_logs", """{"container_id":"web","since":1795168800,"until":1795172400}""")]
    [InlineData("vikunja_create_task", """{"project_id":1,"title":"x","due_date":1795168800}""")]
    public async Task Times_and_durations_may_be_numbers(string tool, string arguments)
    {
        await using var product = await ProductFamilies.StartAsync();
        await using var server = TestServer.Start(product.Settings);
        var exact = JsonNode.Parse(arguments)!.AsObject();
        foreach (var (name, value) in exact.ToArray())
        {
            exact[name] = name.EndsWith("_id", StringComparison.Ordinal) ? value!.DeepClone() : Number(value!);
        }

        using var sent = await server.PostAsync($"/tools/{tool}", arguments);
        using var meant = await server.PostAsync($"/tools/{tool}", exact.ToJsonString());

        Assert.NotEqual(400, (int)sent.StatusCode);
        Assert.Equal(
            Plain(await meant.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)),
            Plain(await sent.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))
        );

        static JsonNode Number(JsonNode value) =>
            value.GetValueKind() is JsonValueKind.Number
                ? value.GetValue<JsonElement>().GetDecimal().ToString(System.Globalization.CultureInfo.InvariantCulture)
                : value.DeepClone();
    }

    // Never an internal error, whatever is sent.
    private static readonly string[] Strange =
    [
        "null",
        "\"\"",
        "\"null\"",
        "\" \"",
        "0",
        "-1",
        "1.5",
        "1e400",
        "99999999999999999999",
        "2147483648",
        "true",
        "false",
        "\"true\"",
        "[]",
        "[null]",
        "[[1]]",
        "{}",
        "{\"a\":null}",
        "\"[\"",
        "\"\\u0000\"",
    ];

    /// <summary>What is sent, and what it means; without a node the argument is left out.</summary>
    private static IEnumerable<(Value Sent, Value Meant)> Variants(
        string name,
        JsonObject schema,
        JsonNode? given,
        bool required
    )
    {
        var type = schema["type"]?.GetValue<string>();
        if (type is null)
        {
            yield break;
        }

        // A call of the corpus may be written in another way itself.
        var isPlain = type switch
        {
            "integer" => given is JsonValue number && int.TryParse(number.ToJsonString(), out _),
            "boolean" => given?.GetValueKind() is JsonValueKind.True or JsonValueKind.False,
            "array" => given is JsonArray,
            "object" => given is JsonObject,
            _ => given is not null,
        };
        var value = isPlain ? given!.DeepClone() : Any(schema, type);
        var isClosed = type != "string" || schema["enum"] is not null;
        if (!required && name is not ("dry_run" or "confirmation_token"))
        {
            yield return (new("null"), Value.Absent);
            if (isClosed)
            {
                yield return (new("\"\""), Value.Absent);
                yield return (new("\"null\""), Value.Absent);
            }
        }

        if (value is null)
        {
            yield break;
        }

        Value plain = new(value.ToJsonString());
        if (type != "array")
        {
            yield return (new($"[{plain.Text}]"), plain);
        }
        else if (value.AsArray().Count == 1)
        {
            yield return (new(value[0]!.ToJsonString()), plain);
        }

        if (schema["enum"] is not null)
        {
            yield return (new(plain.Text!.ToUpperInvariant()), plain);
        }
        else if (type != "string")
        {
            yield return (new(JsonValue.Create(plain.Text!).ToJsonString()), plain);
        }
        else if ((int?)schema["maxLength"] is not < 5)
        {
            yield return (new("12345"), new("\"12345\""));
            yield return (new("1.5"), new("\"1.5\""));
        }

        if (type == "boolean")
        {
            yield return (new(JsonValue.Create(plain.Text!.ToUpperInvariant()).ToJsonString()), plain);
        }

        if (type == "integer")
        {
            yield return (new($"{plain.Text}.0"), plain);
            yield return (new($"\"{plain.Text}.0\""), plain);
        }
    }

    private static JsonNode? Any(JsonObject schema, string type) =>
        type switch
        {
            _ when schema["enum"] is JsonArray choices => choices[0]!.DeepClone(),
            "integer" or "number" => (int?)schema["minimum"] ?? 1,
            "boolean" => false,
            _ => null,
        };

    private static string With(JsonObject arguments, string name, Value value)
    {
        // Put together as text: a node could not hold a number that no type can.
        var others = arguments
            .Where(argument => argument.Key != name)
            .Select(argument =>
                $"{JsonValue.Create(argument.Key).ToJsonString()}:{argument.Value?.ToJsonString() ?? "null"}"
            );
        return $"{{{string.Join(',', value.Text is null ? others : others.Append($"\"{name}\":{value.Text}"))}}}";
    }

    private async Task<string> CallAsync(TestServer server, FamilyCalls family, string tool, string arguments)
    {
        family.Reset();
        using var response = await server.PostAsync(
            $"/tools/{tool}",
            arguments,
            headers: (TestCaller.Header, $"caller-{_callers++}")
        );
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return $"{(int)response.StatusCode} {Plain(body)}";
    }

    private static string Plain(string body) => Changing().Replace(body, "#");

    [GeneratedRegex(
        @"(?<=order_|pm_|share_)[0-9a-f]+|\b[0-9a-f]{32}([0-9a-f]{32})?\b|\d{4}-\d\d-\d\dT[\d:.]+|"
            + @"before [\d:]+ UTC|""traceId"":""[^""]+"""
    )]
    private static partial Regex Changing();

    /// <param name="Text">JSON; null when the argument is left out.</param>
    private sealed record Value(string? Text)
    {
        public static readonly Value Absent = new(default(string));
    }
}
