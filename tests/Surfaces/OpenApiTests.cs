using System.Net;
using System.Text.Json;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>The document that a GPT Action imports: within the limits of GPT Actions, whatever the tools are.</summary>
public sealed class OpenApiTests
{
    [Fact]
    public async Task Each_tool_is_one_operation_that_says_whether_it_changes_something()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        var tools = (await server.GetJsonAsync("/tools"))
            .GetProperty("tools")
            .EnumerateArray()
            .ToDictionary(tool => tool.GetProperty("name").GetString()!);

        var operations = Operations(await server.GetJsonAsync("/openapi.json"));

        Assert.Equal(tools.Keys.Order(), operations.Keys.Order());
        foreach (var (path, operation) in operations)
        {
            Assert.Equal(path, operation.GetProperty("operationId").GetString());
            Assert.Equal(
                !tools[path].GetProperty("readOnly").GetBoolean(),
                operation.GetProperty("x-openai-isConsequential").GetBoolean()
            );
        }
    }

    [Fact]
    public async Task Never_more_than_thirty_operations_and_the_description_says_how_to_choose()
    {
        await using var server = TestServer.Start(services =>
        {
            NotesTools.Alone(services);
            ManyTools.AddTo(services);
        });

        var document = await server.GetJsonAsync("/openapi.json");

        // A family of forty does not fit, and a part of it would be of little use.
        Assert.Equal(6, Operations(document).Count);
        Assert.Contains("6 of 46 tools", document.GetProperty("info").GetProperty("description").GetString());
        Assert.Contains("Left out: many.", document.GetProperty("info").GetProperty("description").GetString());
        Assert.Equal(30, Operations(await server.GetJsonAsync("/openapi.json?family=many")).Count);
        Assert.Equal(46, Operations(await server.GetJsonAsync("/openapi.json?all=true")).Count);
        Assert.Equal(20, Operations(await server.GetJsonAsync("/openapi.json?family=many&readonly=true")).Count);
    }

    [Theory]
    [InlineData("3.1")]
    [InlineData("3.0")]
    public async Task Words_are_cut_to_what_a_GPT_Action_takes(string version)
    {
        await using var server = TestServer.Start(WordyTools.AddTo);

        var operation = Operations(await server.GetJsonAsync("/openapi.json?v=" + version))["wordy"];

        Assert.InRange(operation.GetProperty("summary").GetString()!.Length, 100, 300);
        var description = operation.GetProperty("description").GetString()!;
        Assert.InRange(description.Length, 200, 300);
        Assert.EndsWith("marks.", description);
        var nested = Descriptions(operation.GetProperty("requestBody"))
            .Concat(Descriptions(operation.GetProperty("responses").GetProperty("200")))
            .ToArray();
        Assert.True(nested.Length > 3);
        Assert.All(nested, text => Assert.InRange(text.Length, 1, 700));
        Assert.DoesNotContain("\"$ref\":\"#\"", operation.GetRawText());
    }

    [Fact]
    public async Task A_tool_without_arguments_has_no_body()
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        Assert.False(
            Operations(await server.GetJsonAsync("/openapi.json"))["list_picked"].TryGetProperty("requestBody", out _)
        );
    }

    [Theory]
    [InlineData("", "3.1")]
    [InlineData("?v=3.1", "3.1")]
    [InlineData("?v=3.0", "3.0")]
    public async Task Both_addresses_give_the_same_document_in_the_version_that_was_asked_for(
        string query,
        string version
    )
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        var document = await server.GetJsonAsync("/openapi.json" + query);

        Assert.StartsWith(version, document.GetProperty("openapi").GetString());
        Assert.True(JsonElement.DeepEquals(document, await server.GetJsonAsync("/.well-known/openapi.json" + query)));
    }

    [Fact]
    public async Task An_unknown_version_is_refused()
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        using var response = await server.Http.GetAsync(
            new Uri("/openapi.json?v=2.0", UriKind.Relative),
            TestContext.Current.CancellationToken
        );

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("3.1 or 3.0", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("?readonly=true", "get_topics list_picked echo", "pick_note fails")]
    [InlineData("?family=fixture", "echo fails", "get_topics send_picked")]
    [InlineData("?family=fixture&readonly=true", "echo slow", "fails get_topics")]
    [InlineData("?family=notes,fixture", "echo fails get_topics send_picked", "system_status")]
    [InlineData("?profile=notes", "get_topics send_picked", "echo fails")]
    [InlineData("?profile=readonly", "get_topics slow", "pick_note fails")]
    [InlineData("?profile=picking", "pick_note list_picked", "send_picked get_topics echo")]
    [InlineData("?profile=picking&readonly=true", "list_picked", "pick_note get_topics")]
    public async Task The_document_is_narrowed_by_profile_family_and_effect(string query, string some, string none)
    {
        await using var server = TestServer.Start(
            FixtureTools.WithNotes,
            ("Profiles:picking:Tools:0", "pick_note"),
            ("Profiles:picking:Tools:1", "list_picked")
        );

        var operations = Operations(await server.GetJsonAsync("/openapi.json" + query)).Keys.ToHashSet();
        var listed = (await server.GetJsonAsync("/tools" + query))
            .GetProperty("tools")
            .EnumerateArray()
            .Select(tool => tool.GetProperty("name").GetString()!);

        Assert.Equal(listed.Order(), operations.Order());
        Assert.Superset(some.Split(' ').ToHashSet(), operations);
        Assert.Empty(none.Split(' ').Intersect(operations));
    }

    private static Dictionary<string, JsonElement> Operations(JsonElement document) =>
        document
            .GetProperty("paths")
            .EnumerateObject()
            .ToDictionary(
                path => path.Name["/tools/".Length..],
                path => Assert.Single(path.Value.EnumerateObject()).Value
            );

    private static IEnumerable<string> Descriptions(JsonElement node) =>
        node.ValueKind switch
        {
            JsonValueKind.Object => node.EnumerateObject()
                .SelectMany(member =>
                    member is { Name: "description", Value.ValueKind: JsonValueKind.String }
                        ? [member.Value.GetString()!]
                        : Descriptions(member.Value)
                ),
            JsonValueKind.Array => node.EnumerateArray().SelectMany(Descriptions),
            _ => [],
        };
}
