using System.Text.Json;

namespace MinimalMcp.Tests.Tools;

/// <summary>The names of the tools in each of several lists, whichever surface a list belongs to.</summary>
internal static class ToolNames
{
    public static async Task<string[][]> OfAsync(TestServer server, params string[] lists)
    {
        var all = new List<string[]>();
        foreach (var list in lists)
        {
            all.Add(
                list.StartsWith("/mcp", StringComparison.Ordinal)
                    ? Names((await server.McpAsync("tools/list", path: list)).Result)
                : list.StartsWith("/openapi", StringComparison.Ordinal)
                    ?
                    [
                        .. (await server.GetJsonAsync(list))
                            .GetProperty("paths")
                            .EnumerateObject()
                            .Select(path => path.Name["/tools/".Length..]),
                    ]
                : Names(await server.GetJsonAsync(list))
            );
        }

        return [.. all];
    }

    private static string[] Names(JsonElement list) =>
        [
            .. list.GetProperty("tools")
                .EnumerateArray()
                .Select(tool =>
                    tool.ValueKind is JsonValueKind.String ? tool.GetString()! : tool.GetProperty("name").GetString()!
                ),
        ];
}
