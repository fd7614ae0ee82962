using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.WebUtilities;

namespace MinimalMcp.Tests.Tools.Vikunja;

/// <summary>
/// Every request that a tool sends is one that Vikunja has, with the verb, the query and the body that it wants.
/// </summary>
public sealed class VikunjaContractTests
{
    private const string Paged = "page per_page s",
        Filtered = "page per_page s filter filter_timezone filter_include_nulls sort_by order_by expand";

    // Method, path, allowed query, required members of the body. In v1 PUT creates and POST updates. The tasks of a
    // project have a GET that Vikunja's own description leaves out.
    private static readonly (string Method, string Path, string Query, string Body)[] Contract =
    [
        ("GET", "^/api/v1/info$", "", ""),
        ("GET", "^/api/v1/projects$", Paged + " is_archived expand", ""),
        ("PUT", "^/api/v1/projects$", "", "title"),
        ("GET", "^/api/v1/projects/-?\\d+$", "", ""),
        ("GET", "^/api/v1/projects/-?\\d+/tasks$", Filtered, ""),
        ("PUT", "^/api/v1/projects/\\d+/tasks$", "", "title"),
        ("GET", "^/api/v1/projects/\\d+/projectusers$", "s", ""),
        ("GET", "^/api/v1/tasks$", Filtered, ""),
        ("GET", "^/api/v1/tasks/\\d+$", "expand", ""),
        (
            "POST",
            "^/api/v1/tasks/\\d+$",
            "",
            "title description done due_date repeat_after repeat_mode priority start_date end_date hex_color"
                + " percent_done is_favorite cover_image_attachment_id assignees reminders"
        ),
        ("DELETE", "^/api/v1/tasks/\\d+$", "", ""),
        ("PATCH", "^/api/v2/tasks/\\d+$", "", ""),
        ("GET", "^/api/v1/tasks/\\d+/comments$", "page per_page order_by", ""),
        ("PUT", "^/api/v1/tasks/\\d+/comments$", "", "comment"),
        ("GET", "^/api/v1/labels$", Paged, ""),
        ("PUT", "^/api/v1/tasks/\\d+/labels$", "", "label_id"),
        ("DELETE", "^/api/v1/tasks/\\d+/labels/\\d+$", "", ""),
        ("PUT", "^/api/v1/tasks/\\d+/assignees$", "", "user_id"),
        ("DELETE", "^/api/v1/tasks/\\d+/assignees/\\d+$", "", ""),
    ];

    [Theory]
    [InlineData("v1.1.0")]
    [InlineData("v2.5.0")]
    public async Task Every_request_of_every_tool_is_in_the_table_and_has_our_token(string version)
    {
        await using var board = await Board.StartAsync();
        board.Version = version;
        await using var server = TestServer.Start(board.Settings);
        foreach (var (tool, arguments, _) in new VikunjaParity().Calls.Where(call => call.Failure is null))
        {
            var before = board.Asked.Count;
            board.Renew();
            await server.CallAsync(tool, JsonElement.Parse(arguments));
            Assert.True(board.Asked.Count > before, $"{tool} asked nothing");
        }

        Assert.All(board.Asked, asked =>
        {
            var (method, target) = asked.Line.Split(' ', 2) is [var verb, var rest]
                ? (verb, rest[Board.Prefix.Length..].Split('?'))
                : throw new InvalidOperationException();
            var row = Assert.Single(Contract, row => row.Method == method && Regex.IsMatch(target[0], row.Path));
            Assert.Subset(
                row.Query.Split(' ').ToHashSet(),
                QueryHelpers.ParseQuery(target.ElementAtOrDefault(1)).Keys.ToHashSet()
            );
            Assert.Equal(method is "PUT" or "POST" or "PATCH", asked.Body.Length > 0);
            Assert.All(row.Body.Split(' ', StringSplitOptions.RemoveEmptyEntries), member =>
                Assert.True(asked.Json.TryGetProperty(member, out _), $"{asked.Line} without {member}")
            );
            Assert.Equal("Bearer " + Board.Token, asked.Headers["Authorization"]);
        });
        Assert.Equal(
            version == "v2.5.0",
            board.Asked.Any(asked => asked.Line.StartsWith("PATCH", StringComparison.Ordinal))
        );
        Assert.Equal(
            version == "v1.1.0",
            board.Asked.Any(asked => asked.Line.StartsWith("POST", StringComparison.Ordinal))
        );
    }

    [Fact]
    public async Task The_tools_and_their_parameters_are_those_that_callers_know()
    {
        await using var board = await Board.StartAsync();
        await using var server = TestServer.Start(board.Settings);
        (string Tool, string Required, string Optional)[] known =
        [
            ("vikunja_list_projects", "", ""),
            ("vikunja_get_project", "project_id", ""),
            ("vikunja_create_project", "title", "description"),
            ("vikunja_list_tasks", "project_id", ""),
            ("vikunja_get_task", "project_id task_id", ""),
            ("vikunja_create_task", "project_id title", "description priority due_date"),
            ("vikunja_update_task", "project_id task_id", "title description done priority"),
            ("vikunja_delete_task", "project_id task_id", ""),
        ];

        var tools = (await server.McpAsync("tools/list", path: "/mcp/vikunja"))
            .Result.GetProperty("tools")
            .EnumerateArray()
            .ToDictionary(tool => tool.GetProperty("name").GetString()!, tool => tool.GetProperty("inputSchema"));

        Assert.All(known, tool =>
        {
            var schema = tools[tool.Tool];
            Assert.Equal(
                tool.Required,
                string.Join(' ', schema.GetProperty("required").EnumerateArray().Select(name => name.GetString()))
            );
            Assert.All(tool.Optional.Split(' ', StringSplitOptions.RemoveEmptyEntries), name =>
                Assert.True(schema.GetProperty("properties").TryGetProperty(name, out _), $"{tool.Tool} {name}")
            );
        });
    }
}
