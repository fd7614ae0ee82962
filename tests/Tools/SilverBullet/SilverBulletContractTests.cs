using System.Text.Json;
using System.Text.RegularExpressions;

namespace MinimalMcp.Tests.Tools.SilverBullet;

/// <summary>Every request that a tool sends is one that SilverBullet has.</summary>
public sealed class SilverBulletContractTests
{
    // Method, path, whether a body is due. None takes a query. There is no search, and /.shell and /.proxy are nothing
    // for a model.
    private static readonly (string Method, string Path, bool Body)[] Contract =
    [
        ("GET", "^/\\.fs$", false),
        ("GET", "^/\\.fs/.+\\.md$", false),
        ("PUT", "^/\\.fs/.+\\.md$", true),
        ("DELETE", "^/\\.fs/.+\\.md$", false),
        ("GET", "^/\\.config$", false),
    ];

    [Fact]
    public async Task Every_request_of_every_tool_is_in_the_table_and_says_who_asks()
    {
        await using var space = await Space.StartAsync();
        await using var server = TestServer.Start(space.Settings);
        foreach (var (tool, arguments, failure) in new SilverBulletParity().Calls.Where(call => call.Failure is null))
        {
            var before = space.Asked.Count;
            await server.CallAsync(tool, JsonElement.Parse(arguments));
            Assert.True(space.Asked.Count > before, $"{tool} {failure} asked nothing");
        }

        Assert.Equal(
            200,
            (int)(await server.Http.GetAsync("/health/ready", TestContext.Current.CancellationToken)).StatusCode
        );
        Assert.All(space.Asked.Zip(space.Targets), asked =>
        {
            Assert.StartsWith(Space.Prefix, asked.Second);
            Assert.Contains(Contract, row =>
                asked.First.Line.StartsWith(row.Method + " ", StringComparison.Ordinal)
                && Regex.IsMatch(asked.Second[Space.Prefix.Length..], row.Path)
                && row.Body == asked.First.Body.Length > 0
            );
            Assert.Equal(
                ("Bearer " + Space.Token, "true"),
                (asked.First.Headers["Authorization"], asked.First.Headers["X-Sync-Mode"])
            );
        });
    }

    [Fact]
    public async Task The_tools_and_their_parameters_are_those_that_callers_know()
    {
        await using var space = await Space.StartAsync();
        await using var server = TestServer.Start(space.Settings);
        (string Tool, string[] Required)[] known =
        [
            ("silverbullet_list_pages", []),
            ("silverbullet_get_page", ["page_name"]),
            ("silverbullet_create_page", ["page_name", "content"]),
            ("silverbullet_update_page", ["page_name", "content"]),
            ("silverbullet_delete_page", ["page_name"]),
            ("silverbullet_search_pages", ["query"]),
        ];

        var tools = (await server.McpAsync("tools/list", path: "/mcp/silverbullet"))
            .Result.GetProperty("tools")
            .EnumerateArray()
            .ToDictionary(
                tool => tool.GetProperty("name").GetString()!,
                tool =>
                    tool.GetProperty("inputSchema")
                        .GetProperty("required")
                        .EnumerateArray()
                        .Select(name => name.GetString())
            );

        Assert.Equal(known.Select(tool => tool.Tool).Order(), tools.Keys.Order());
        Assert.All(known, tool => Assert.Equal(tool.Required, tools[tool.Tool]));
    }
}
