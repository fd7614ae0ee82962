using System.Text.Json;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>Definitions that can be handed to the Gemini API as they are.</summary>
public sealed class GeminiTests
{
    [Fact]
    public async Task Every_tool_of_the_product_is_a_declaration_that_Gemini_takes()
    {
        await using var product = await ProductFamilies.StartAsync();
        await using var server = TestServer.Start(product.Settings);
        var names = (await server.GetJsonAsync("/tools"))
            .GetProperty("tools")
            .EnumerateArray()
            .Select(tool => tool.GetProperty("name").GetString());

        var functions = await FunctionsAsync(server);

        Assert.Equal(names, functions.Select(function => function.GetProperty("name").GetString()));
        Assert.Empty(functions.SelectMany(FakeGemini.ProblemsOf));
    }

    [Fact]
    public async Task Any_value_a_map_and_a_schema_that_refers_to_itself_are_offered_as_JSON_in_a_text()
    {
        await using var server = TestServer.Start(services =>
        {
            FixtureTools.WithNotes(services);
            WordyTools.AddTo(services);
        });

        var functions = await FunctionsAsync(server);

        Assert.Empty(functions.SelectMany(FakeGemini.ProblemsOf));
        var inner = Property(functions, "wordy", "nested");
        var depth = 0;
        for (; inner.GetProperty("type").GetString() == "OBJECT"; depth++)
        {
            inner = inner.GetProperty("properties").GetProperty("inner");
        }

        Assert.InRange(depth, 1, 5);
        Assert.Equal("STRING", inner.GetProperty("type").GetString());
        Assert.EndsWith("A JSON value as text.", inner.GetProperty("description").GetString());
        Assert.Equal("OBJECT", Property(functions, "echo", "point").GetProperty("type").GetString());

        // What such a declaration makes a model send is accepted.
        var nested = Enumerable
            .Range(0, depth)
            .Aggregate("\"{\\\"text\\\":\\\"b\\\"}\"", (value, _) => $$"""{"text":"a","inner":{{value}}}""");
        using var answer = await server.PostAsync("/tools/wordy", $$"""{"text":"a","nested":{{nested}}}""");
        Assert.Equal(200, (int)answer.StatusCode);
    }

    [Fact]
    public async Task A_function_without_arguments_has_no_parameters_and_others_keep_what_Gemini_knows()
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        var functions = await FunctionsAsync(server);

        Assert.False(Find(functions, "list_picked").TryGetProperty("parameters", out _));
        var parameters = Find(functions, "find_notes").GetProperty("parameters");
        Assert.Equal(["query"], parameters.GetProperty("required").EnumerateArray().Select(name => name.GetString()));
        Assert.Equal("INTEGER", Property(functions, "find_notes", "limit").GetProperty("type").GetString());
        Assert.NotEqual("", Property(functions, "find_notes", "query").GetProperty("description").GetString());
    }

    private static async Task<JsonElement[]> FunctionsAsync(TestServer server)
    {
        var list = await server.GetJsonAsync("/api/mcp/v1/tools?format=gemini");
        var functions = Assert
            .Single(list.GetProperty("tools").EnumerateArray())
            .GetProperty("functionDeclarations")
            .EnumerateArray()
            .ToArray();
        Assert.Equal(list.GetProperty("count").GetInt32(), functions.Length);
        return functions;
    }

    private static JsonElement Find(JsonElement[] functions, string name) =>
        functions.Single(function => function.GetProperty("name").GetString() == name);

    private static JsonElement Property(JsonElement[] functions, string name, string property) =>
        Find(functions, name).GetProperty("parameters").GetProperty("properties").GetProperty(property);
}
