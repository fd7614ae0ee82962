using System.Text;
using MinimalMcp.Configuration;
using MinimalMcp.Tools;

namespace MinimalMcp.WellKnown;

/// <summary>
/// This server for a language model that reads about it (llmstxt.org): its addresses and its tools, as Markdown.
/// </summary>
internal static class LlmsText
{
    private const int MaxTools = 300;

    public static Task GetAsync(HttpContext http)
    {
        var configuration = http.RequestServices.GetRequiredService<IConfiguration>();
        var tools = http.RequestServices.GetRequiredService<ToolRegistry>().Current.All;
        var url = PublicUrl.Of(http);
        var name = ServerIdentity.Name(configuration);
        var mode = configuration["mode"] ?? "all";
        var description = configuration["Server:Description"] ?? $"The tools of {name}, for language models.";
        var text = new StringBuilder($"# {name}\n\n> {description}\n\n## Connect\n\n");
        if (mode is "all" or "sse")
        {
            text.Append($"- [MCP]({url}/mcp): Model Context Protocol, Streamable HTTP\n");
        }

        if (mode is "all" or "rest")
        {
            text.Append($"- [OpenAPI document]({url}/openapi.json): POST /tools/NAME with the arguments as JSON\n");
            text.Append(
                $"- [Function definitions]({url}/api/mcp/v1/tools?format=openai): calls go to /api/mcp/v1/call\n"
            );
        }

        foreach (var family in tools.Take(MaxTools).GroupBy(tool => tool.Family))
        {
            text.Append($"\n## Tools: {family.Key}\n\n");
            foreach (var tool in family)
            {
                text.Append(
                    $"- {tool.Name}{(tool.IsReadOnly ? " (read-only)" : "")}: {FirstSentence(tool.Description)}\n"
                );
            }
        }

        if (tools.Count > MaxTools)
        {
            text.Append($"\n{tools.Count - MaxTools} more tools are in the lists above.\n");
        }

        http.Response.ContentType = "text/plain; charset=utf-8";
        return http.Response.WriteAsync(text.ToString(), http.RequestAborted);
    }

    private static string FirstSentence(string description)
    {
        var line = description.ReplaceLineEndings(" ");
        var end = line.IndexOf(". ", StringComparison.Ordinal);
        return end < 0 ? line : line[..(end + 1)];
    }
}
